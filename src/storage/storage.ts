import type { Digest } from '../core/snapshot.ts';

/** Content by its digest. Writing what is there already is a no-op; a write is whole and verified, or absent. */
export type Storage = {
  has(digest: Digest): Promise<boolean>;
  /** Throws `BlobMissingError` where there is none. `range` is a first byte and a last byte, both included. */
  read(
    digest: Digest,
    range?: { readonly from: number; readonly to: number },
  ): Promise<ReadableStream<Uint8Array>>;
  /** Throws `BlobMismatchError` where the bytes are not those of the digest; answers with their number. */
  write(digest: Digest, content: ReadableStream<Uint8Array>): Promise<number>;
  remove(digest: Digest): Promise<void>;
};

export class BlobMissingError extends Error {
  override name = 'BlobMissingError';
}

export class BlobMismatchError extends Error {
  override name = 'BlobMismatchError';
}
