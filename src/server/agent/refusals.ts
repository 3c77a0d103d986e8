import { AttemptFaultError, AttemptOverError } from '../../core/attempt.ts';
import { BlobMismatchError, BlobMissingError } from '../../core/blob.ts';
import type { DoorRefusal, DoorRefusalBody } from '../../core/door-wire.ts';
import { isDatabaseAway } from '../../db/connect.ts';
import { StorageAwayError } from '../../storage/storage.ts';
import { BodyTooLargeError, BodyTooSlowError } from './body.ts';

/** What the agent sent cannot be what it should. */
export class NotValidError extends Error {
  override name = 'NotValidError';
}

/** Seconds after which an agent is asked to try again. */
export const later = { 'retry-after': '1' };

/** The answer that says the same as an error of the door. */
export function answerTo(error: unknown): Response {
  if (error instanceof AttemptOverError) return refuse(410, 'attempt-over', error.message);
  if (error instanceof AttemptFaultError) {
    const { fault } = error;
    const body: DoorRefusalBody = { error: { code: 'attempt-fault', message: error.message }, fault };
    return Response.json(body, { status: 422, headers: always });
  }
  if (error instanceof BlobMissingError) return refuse(404, 'blob-missing', error.message);
  if (error instanceof BlobMismatchError) return refuse(422, 'blob-mismatch', error.message);
  if (error instanceof NotValidError) return refuse(400, 'not-valid', error.message);
  if (error instanceof BodyTooLargeError) return refuse(413, 'too-large', error.message);
  // The rest of a slow body is not waited for, so nothing can come after it on this connection.
  if (error instanceof BodyTooSlowError)
    return refuse(408, 'too-slow', error.message, { connection: 'close' });
  if (error instanceof StorageAwayError)
    return refuse(503, 'store-away', 'the store is away; try again in a moment', later);
  if (isDatabaseAway(error))
    return refuse(503, 'database-away', 'the database is away; try again in a moment', later);
  return refuse(500, 'internal', 'AME failed to answer; its log says why');
}

const always = { 'cache-control': 'no-store' };

/** A refusal in the one form that all of them have. */
export function refuse(
  status: number,
  code: DoorRefusal,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body: DoorRefusalBody = { error: { code, message } };
  return Response.json(body, { status, headers: { ...always, ...headers } });
}
