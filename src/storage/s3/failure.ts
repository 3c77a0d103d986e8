import { S3ServiceError } from 's3mini';
import { BlobMismatchError, BlobMissingError } from '../../core/blob.ts';
import { StorageAwayError, StorageRefusedError } from '../storage.ts';

/** What servers say when the same request may well be answered later, whatever status they say it with. */
const passing = new Set([
  'SlowDown',
  'ServiceUnavailable',
  'InternalError',
  'RequestTimeout',
  'OperationAborted',
  // What arrived is not what was sent; what was sent was hashed here.
  'BadDigest',
  // Another hand, such as a rule of the bucket, ended the upload; a new one begins from its first part.
  'NoSuchUpload',
]);

/** What an administrator can do about what servers refuse most. */
const remedies: Readonly<Record<string, string>> = {
  NoSuchBucket: 'AME_S3_BUCKET names no bucket of this server',
  InvalidAccessKeyId: 'the server does not know AME_S3_ACCESS_KEY_ID',
  SignatureDoesNotMatch: 'AME_S3_SECRET_ACCESS_KEY is not that of AME_S3_ACCESS_KEY_ID',
  RequestTimeTooSkewed: "this machine's clock is wrong",
  AuthorizationHeaderMalformed: "AME_S3_REGION is not the bucket's",
  PermanentRedirect: 'the bucket is at another AME_S3_ENDPOINT or AME_S3_REGION',
};

/**
 * What a failed request means: `BlobMissingError`, `StorageRefusedError`, or `StorageAwayError`. `what` says in words
 * what was tried. The server's own text is not repeated: it names the access key and what was signed.
 */
export function failureOf(what: string, error: unknown): Error {
  if (
    error instanceof StorageAwayError ||
    error instanceof BlobMissingError ||
    error instanceof BlobMismatchError
  )
    return error;
  const answer = serviceErrorOf(error);
  if (answer === null) return new StorageAwayError(`S3 does not answer: ${what}`, { cause: error });
  const { status, serviceCode: code = 'Unknown' } = answer;
  const said = code === 'Unknown' ? `status ${status}` : `${code}, status ${status}`;
  if (status >= 500 || status === 429 || status === 408 || passing.has(code))
    return new StorageAwayError(`S3 cannot answer now (${said}): ${what}`);
  // The answer to a HEAD has no text that could give a code; others use this status for unknown keys and buckets.
  if (status === 404 && (code === 'NoSuchKey' || code === 'Unknown'))
    return new BlobMissingError(`S3 has not got it: ${what}`);
  const remedy = remedies[code] ?? (status === 403 ? 'its key may not do this' : null);
  return new StorageRefusedError(`S3 refuses (${said}${remedy === null ? '' : `: ${remedy}`}): ${what}`);
}

/** The status of a failed request; null where there was no answer. */
export function statusOf(error: unknown): number | null {
  return serviceErrorOf(error)?.status ?? null;
}

/** Some calls of the library wrap the error. */
function serviceErrorOf(error: unknown): S3ServiceError | null {
  if (error instanceof S3ServiceError) return error;
  return error instanceof Error && error.cause instanceof S3ServiceError ? error.cause : null;
}
