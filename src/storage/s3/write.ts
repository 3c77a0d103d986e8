import { createHash, type Hash } from 'node:crypto';
import type { UploadPart } from 's3mini';
import type { Digest } from '../../core/snapshot.ts';
import { BlobMismatchError } from '../../core/blob.ts';
import { StorageAwayError } from '../storage.ts';
import { abortUpload } from './abort.ts';
import type { S3Client } from './client.ts';
import { partsOf } from './parts.ts';

/** Servers take parts of 5 MiB or more and 10,000 of them; some want all to be of one size. */
export const partBytes = 8 * 1024 * 1024;
const mostParts = 10_000;

/** Parts of one object on their way at once, one more is being filled: what a write holds at most is three. */
const partsAtOnce = 2;

/** To ask whether it is there costs as much as sending this; sending what is there changes nothing. */
const worthAsking = 1024 * 1024;

export type Writing = {
  readonly key: string;
  readonly digest: Digest;
  readonly has: () => Promise<boolean>;
};

/**
 * Stores content under its key once all of it has come and hashes to its digest: as one request where it is small,
 * else in parts, which nobody sees before the last word. Answers with its size; throws `BlobMismatchError`.
 */
export async function writeObject(
  client: S3Client,
  writing: Writing,
  content: ReadableStream<Uint8Array>,
): Promise<number> {
  const { key, digest, has } = writing;
  const hash = createHash('sha256');
  const parts = partsOf(content, partBytes);
  const first = await parts.next();
  const bytes = first.done ? new Uint8Array() : first.value;
  hash.update(bytes);
  if (bytes.length < partBytes) {
    checkDigest(digest, hash);
    if (bytes.length < worthAsking || !(await has()))
      await client.ask(`write ${key}`, async () => client.bucket.putObject(key, bytes));
    return bytes.length;
  }
  try {
    if (!(await has())) return await upload(client, writing, { hash, first: bytes, rest: parts });
    // Hashed all the same: whoever names a digest must have its bytes, or could claim those of others.
    let size = bytes.length;
    for await (const part of parts) {
      hash.update(part);
      size += part.length;
    }
    checkDigest(digest, hash);
    return size;
  } finally {
    await parts.return(undefined);
  }
}

type Coming = {
  /** Has the first part already. */
  readonly hash: Hash;
  readonly first: Uint8Array;
  readonly rest: AsyncIterable<Uint8Array>;
};

async function upload(client: S3Client, { key, digest, has }: Writing, coming: Coming): Promise<number> {
  const { bucket, ask } = client;
  const id = await ask(`begin ${key}`, () => bucket.getMultipartUploadId(key));
  const sending = new Set<Promise<void>>();
  const sent: UploadPart[] = [];
  const failures: unknown[] = [];
  let size = 0;

  async function send(bytes: Uint8Array): Promise<void> {
    size += bytes.length;
    const number = Math.ceil(size / partBytes);
    if (number > mostParts) throw new Error(`${key} is larger than ${mostParts * partBytes} bytes`);
    const mine = ask(`write part ${number} of ${key}`, () => bucket.uploadPart(key, id, bytes, number))
      .then((part) => void sent.push(part))
      .catch((error: unknown) => void failures.push(error))
      .finally(() => sending.delete(mine));
    sending.add(mine);
    if (sending.size >= partsAtOnce) await Promise.race(sending);
    if (failures.length > 0) throw failures[0];
  }

  try {
    await send(coming.first);
    for await (const part of coming.rest) {
      coming.hash.update(part);
      await send(part);
    }
    await Promise.all(sending);
    if (failures.length > 0) throw failures[0];
    checkDigest(digest, coming.hash);
    const parts = sent.toSorted((a, b) => a.partNumber - b.partNumber);
    await complete(client, { key, id, parts, has });
    return size;
  } catch (error) {
    // A part that is still on its way while an upload is aborted may stay behind.
    await Promise.all(sending);
    // What cannot be removed now is found later by its age.
    await abortUpload(client, key, id).catch(() => undefined);
    throw error;
  }
}

async function complete(
  { bucket, ask }: S3Client,
  order: { key: string; id: string; parts: UploadPart[]; has: () => Promise<boolean> },
): Promise<void> {
  const { key, id, parts, has } = order;
  try {
    await ask(`complete ${key}`, async () => {
      const { etag } = await bucket.completeMultipartUpload(key, id, parts);
      // Servers that work long on this answer 200 first and may say below it that they failed.
      if (!etag) throw new StorageAwayError(`S3 could not put the parts together: ${key}`);
    });
  } catch (error) {
    // Done, and its answer was lost: another try finds no upload any more. Only what is verified has this name.
    if (!(await has().catch(() => false))) throw error;
  }
}

function checkDigest(expected: Digest, hash: Hash): void {
  const digest = hash.digest('hex');
  if (digest !== expected) throw new BlobMismatchError(`content of ${digest} was offered as ${expected}`);
}
