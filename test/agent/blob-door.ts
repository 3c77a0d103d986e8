import type { AttemptDoor } from '../../src/core/attempt.ts';
import { BlobMismatchError, BlobMissingError } from '../../src/core/blob.ts';
import { digestOf, type Digest } from '../../src/core/snapshot.ts';
import { buildTrees, type PathEntry } from '../../src/core/snapshot/build.ts';
import { decodeTree } from '../../src/core/snapshot/encode.ts';
import { entriesOf, type Placed } from '../../src/core/snapshot/lookup.ts';

export type BlobDoor = Pick<AttemptDoor, 'readBlob' | 'missingBlobs' | 'writeBlob'> & {
  readonly blobs: Map<Digest, Uint8Array>;
  /** What was written through the door, in order. */
  readonly written: Digest[];
  save(content: string): Digest;
  saveTree(entries: Iterable<PathEntry>): Digest;
  list(root: Digest): Promise<readonly Placed[]>;
};

/** The part of a door that content goes through, in memory; checks what it is given like a real one. */
export function createBlobDoor(): BlobDoor {
  const blobs = new Map<Digest, Uint8Array>();
  const read = (digest: Digest) => {
    const bytes = blobs.get(digest);
    if (bytes === undefined) throw new BlobMissingError(`no blob ${digest}`);
    return bytes;
  };
  const door: BlobDoor = {
    blobs,
    written: [],
    async readBlob(_, digest) {
      return ReadableStream.from([read(digest)]);
    },
    async missingBlobs(_, digests) {
      return new Set(digests.filter((digest) => !blobs.has(digest)));
    },
    async writeBlob(_, digest, content) {
      const bytes = Buffer.concat(await Array.fromAsync(content));
      if (digestOf(bytes) !== digest) throw new BlobMismatchError('content is not that of its digest');
      blobs.set(digest, bytes);
      door.written.push(digest);
    },
    save(content) {
      const bytes = Buffer.from(content);
      blobs.set(digestOf(bytes), bytes);
      return digestOf(bytes);
    },
    saveTree(entries) {
      const { root, trees } = buildTrees(entries);
      for (const { digest, bytes } of trees) blobs.set(digest, bytes);
      return root;
    },
    list: async (root) => Array.fromAsync(entriesOf(async (digest) => decodeTree(read(digest)), root)),
  };
  return door;
}

/** A file's entry, with its content behind the door. */
export function saved(
  door: BlobDoor,
  path: string,
  content: string,
  mode = 0o644,
  mtime = 1_600_000_000n * second,
): PathEntry {
  return { type: 'file', path, mode, mtime, size: Buffer.byteLength(content), digest: door.save(content) };
}

export const second = 1_000_000_000n;

/** The rest of a door, which content has no use for. */
export function asAttemptDoor(door: BlobDoor): AttemptDoor {
  const unused = () => Promise.reject(new Error('content does not ask for this'));
  return { ...door, input: unused, started: unused, appendLog: unused, finish: unused };
}
