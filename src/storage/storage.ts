import type { Digest } from '../core/snapshot.ts';

// What a store throws of one blob stands in core/blob.ts: the agent knows it too, and knows no store.

/** Content by its digest. Writing what is there already is a no-op; a write is whole and verified, or absent. */
export type Storage = {
  has(digest: Digest): Promise<boolean>;
  /** Which of these are there, without more questions at once than the store bears. */
  present(digests: readonly Digest[]): Promise<ReadonlySet<Digest>>;
  /** Throws `BlobMissingError` where there is none. `range` is a first byte and a last byte, both included. */
  read(
    digest: Digest,
    range?: { readonly from: number; readonly to: number },
  ): Promise<ReadableStream<Uint8Array>>;
  /** Throws `BlobMismatchError` where the bytes are not those of the digest; answers with their number. */
  write(digest: Digest, content: ReadableStream<Uint8Array>): Promise<number>;
  remove(digest: Digest): Promise<void>;
  /** What is there whose digest begins with these two digits, with its size in bytes; in no order. */
  list(digits: string): Promise<readonly { readonly digest: Digest; readonly size: number }[]>;
};

/** The store does not answer, or not now: nobody's content is wrong, and it is worth another try. */
export class StorageAwayError extends Error {
  override name = 'StorageAwayError';
}

/**
 * The store answers and refuses us: its key, its bucket or our configuration is wrong. An administrator can mend
 * that and no user, so what needs content waits as if the store were away.
 */
export class StorageRefusedError extends StorageAwayError {
  override name = 'StorageRefusedError';
}
