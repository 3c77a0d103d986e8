import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SignedDoor, SignedWrite } from '../core/attempt.ts';
import { BlobMismatchError, BlobMissingError } from '../core/blob.ts';
import type { Digest } from '../core/snapshot.ts';
import { insertBlobs, touchBlobs, visibleBlobs } from '../db/blobs.ts';
import type { Db } from '../db/connect.ts';
import type { Storage } from '../storage/storage.ts';

/** What a store can do that gives others signed requests to itself. */
export type SigningStorage = Storage & {
  readonly signed?: {
    presignRead(digest: Digest): Promise<string>;
    /** `upload` is empty where the store refuses other bytes than the digest's. */
    presignWrite(digest: Digest): Promise<Omit<SignedWrite, 'checked'>>;
    /** Answers with the size; throws where what came is not the digest's, or nothing came. */
    confirmWrite(digest: Digest, upload: string): Promise<number>;
  };
};

export type SignedDeps = {
  readonly db: Db;
  readonly storage: SigningStorage;
  readonly secretKey: Uint8Array;
  /** The repository whose content an attempt sees, as long as it has not ended. */
  readonly repositoryOf: (attempt: number) => Promise<number>;
};

/**
 * The ways past the door. What an attempt may see is asked of the rows, as it is at the door itself. A digest alone
 * gives nothing away: who offers content that the store has already, of another repository perhaps, is given no such
 * way and has to bring it through the door, and only what was asked for before it was there is confirmed.
 */
export function createSignedDoor({ db, storage, secretKey, repositoryOf }: SignedDeps): SignedDoor {
  const { signed } = storage;

  function ticket(attempt: number, digest: Digest, upload: string): string {
    const said = `ame signed write 1\n${attempt}\n${digest}\n${upload}`;
    return `${upload}.${createHmac('sha256', secretKey).update(said).digest('base64url')}`;
  }

  /** The name that the store gave the upload; throws where this attempt was never given it. */
  function uploadOf(attempt: number, digest: Digest, offered: string): string {
    const upload = offered.slice(0, Math.max(0, offered.lastIndexOf('.')));
    const right = Buffer.from(ticket(attempt, digest, upload));
    const given = Buffer.from(offered);
    if (given.length !== right.length || !timingSafeEqual(given, right))
      throw new BlobMissingError('nothing can have been put past the door');
    return upload;
  }
  return {
    async reads(attempt, digests) {
      const repositoryId = await repositoryOf(attempt);
      if (signed === undefined) return null;
      const visible = await visibleBlobs(db, repositoryId, digests);
      const wanted = digests.filter((digest) => visible.has(digest));
      return new Map(
        await Promise.all(wanted.map(async (digest) => [digest, await signed.presignRead(digest)] as const)),
      );
    },

    async writes(attempt, digests) {
      await repositoryOf(attempt);
      if (signed === undefined) return null;
      // What is there is not removed before it is asked about; see isKept.
      await touchBlobs(db, digests);
      const there = await storage.present(digests);
      const wanted = digests.filter((digest) => !there.has(digest));
      const sign = async (digest: Digest): Promise<SignedWrite> => {
        const write = await signed.presignWrite(digest);
        return { ...write, upload: ticket(attempt, digest, write.upload), checked: write.upload === '' };
      };
      return new Map(await Promise.all(wanted.map(async (digest) => [digest, await sign(digest)] as const)));
    },

    async confirm(attempt, uploads) {
      const repositoryId = await repositoryOf(attempt);
      const refused = new Set<Digest>();
      const blobs = await Promise.all(
        uploads.map(async ({ digest, upload }) => {
          try {
            if (signed === undefined) throw new BlobMissingError('nothing can have been put past the door');
            const name = uploadOf(attempt, digest, upload);
            return [{ digest, size: await signed.confirmWrite(digest, name) }];
          } catch (error) {
            if (!(error instanceof BlobMissingError || error instanceof BlobMismatchError)) throw error;
            refused.add(digest);
            return [];
          }
        }),
      );
      // Always in the same order: two that confirm the same content must not wait for each other.
      const known = blobs.flat().sort((a, b) => (a.digest < b.digest ? -1 : 1));
      if (known.length > 0) await insertBlobs(db, repositoryId, known);
      return refused;
    },
  };
}
