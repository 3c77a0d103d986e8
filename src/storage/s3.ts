import { isDigest, type Digest } from '../core/snapshot.ts';
import { createS3Client, type S3Options } from './s3/client.ts';
import {
  bindsDigests,
  incomingKey,
  presignBound,
  presignedSeconds,
  presignUnbound,
  type PresignedWrite,
} from './s3/presign.ts';
import { readObject } from './s3/read.ts';
import { sweepUploads } from './s3/sweep.ts';
import { writeObject } from './s3/write.ts';
import { BlobMissingError } from '../core/blob.ts';
import type { Storage } from './storage.ts';

/** Content in a bucket, with signed requests for those who hold no key to it. */
export type S3Storage = Storage & {
  /** An address that gives the content for a few minutes. That it is there, and may be seen, is the caller's to know. */
  presignRead(digest: Digest): Promise<string>;
  /** A request that stores content of up to 5 GiB, which is what servers take at once; then `confirmWrite`. */
  presignWrite(digest: Digest): Promise<PresignedWrite>;
  /**
   * Believes what came by `presignWrite`, after it is verified, and answers with its size. May be said again. Throws
   * `BlobMissingError` where nothing came and `BlobMismatchError` where it is something else.
   */
  confirmWrite(digest: Digest, upload: string): Promise<number>;
  /** Removes what writes that broke off left before then; it is in nobody's way but costs. Answers with how many. */
  sweep(before: Date): Promise<number>;
};

/**
 * Content below `<prefix>blobs/ab/abcd…` of a bucket that exists. Nothing is asked of the server before it is needed:
 * it may be away now. Whatever fails is `StorageAwayError` where it may pass, `StorageRefusedError` below it where an
 * administrator has to look, and `BlobMissingError` where the content is not there.
 */
export function openS3Storage(options: S3Options): S3Storage {
  const client = createS3Client(options);
  const { bucket, ask } = client;
  const blobs = `${options.prefix}blobs/`;
  const incoming = `${options.prefix}incoming/`;
  let binds: Promise<boolean> | null = null;

  const keyOf = (digest: Digest): string => {
    // Digests come from outside, and this one becomes a key.
    if (!isDigest(digest)) throw new BlobMissingError(`not a digest: ${JSON.stringify(digest)}`);
    return `${blobs}${digest.slice(0, 2)}/${digest}`;
  };

  async function has(digest: Digest): Promise<boolean> {
    const key = keyOf(digest);
    return (await ask(`look for ${key}`, () => bucket.objectExists(key))) === true;
  }

  async function read(digest: Digest, range?: { readonly from: number; readonly to: number }) {
    const key = keyOf(digest);
    return readObject(client, range === undefined ? { key, digest } : { key, digest: null, range });
  }

  async function write(digest: Digest, content: ReadableStream<Uint8Array>): Promise<number> {
    return writeObject(client, { key: keyOf(digest), digest, has: () => has(digest) }, content);
  }

  /** Tried once: a server does not change what it knows while we run. */
  async function bound(): Promise<boolean> {
    binds ??= bindsDigests(client, incoming);
    try {
      return await binds;
    } catch (error) {
      binds = null;
      throw error;
    }
  }

  return {
    has,
    read,
    write,

    async present(digests) {
      const wanted = [...new Set(digests)];
      const there = await Promise.all(wanted.map(has));
      return new Set(wanted.filter((_, index) => there[index]));
    },

    async remove(digest) {
      const key = keyOf(digest);
      await ask(`remove ${key}`, async () => bucket.deleteObject(key));
    },

    async list(digits) {
      const folder = `${blobs}${digits}/`;
      const found = await ask(`list ${folder}`, () => bucket.listObjects('/', folder));
      return (found ?? [])
        .map(({ Key, Size }) => ({ digest: Key.slice(folder.length), size: Size }))
        .filter(({ digest }) => isDigest(digest));
    },

    async presignRead(digest) {
      return bucket.getPresignedUrl('GET', keyOf(digest), presignedSeconds);
    },

    async presignWrite(digest) {
      const key = keyOf(digest);
      return (await bound()) ? presignBound(client, key, digest) : presignUnbound(client, incoming, digest);
    },

    async confirmWrite(digest, upload) {
      const key = keyOf(digest);
      if (upload !== '' && !(await has(digest))) {
        const from = incomingKey(incoming, digest, upload);
        // Through here rather than copied by the server: the address is good for a while, and what was verified
        // could be written over before it is copied.
        const content = await readObject(client, { key: from, digest: null });
        try {
          return await write(digest, content);
        } finally {
          await ask(`remove ${from}`, async () => bucket.deleteObject(from));
        }
      }
      return ask(`look for ${key}`, () => bucket.getContentLength(key));
    },

    sweep: (before) => sweepUploads(client, { blobs, incoming, before }),
  };
}
