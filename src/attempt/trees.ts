import { decodeTree, encodeTree } from '../core/snapshot/encode.ts';
import type { TreeStore } from '../core/snapshot/merge.ts';
import { digestOf, type Digest, type Tree } from '../core/snapshot.ts';
import { insertBlobs, touchBlobs } from '../db/blobs.ts';
import type { Db } from '../db/connect.ts';
import type { Storage } from '../storage/storage.ts';

/** Trees of one repository: read from the store, and stored in it with a word that the repository may see them. */
export function createTreeStore(db: Db, storage: Storage, repositoryId: number): TreeStore {
  const known = new Map<Digest, Tree>();
  return {
    async read(digest) {
      const held = known.get(digest);
      if (held) return held;
      const tree = decodeTree(await readAll(await storage.read(digest)));
      known.set(digest, tree);
      return tree;
    },
    async write(tree) {
      const bytes = encodeTree(tree);
      const digest = digestOf(bytes);
      await storeBytes({ db, storage }, digest, bytes);
      await insertBlobs(db, repositoryId, [{ digest, size: bytes.byteLength }]);
      known.set(digest, tree);
      return digest;
    },
  };
}

/** Where content goes, and the rows that say that it is used. */
export type Store = { readonly db: Db; readonly storage: Storage };

/** Whether content is in the store, and stays for the day that its writer has to name it in rows. */
export async function isKept({ db, storage }: Store, digest: Digest): Promise<boolean> {
  if (!(await storage.has(digest))) return false;
  // What nothing referred to may be removed at this moment: that is waited for, and then it is not there.
  await touchBlobs(db, [digest]);
  return storage.has(digest);
}

export async function storeBytes(store: Store, digest: Digest, bytes: Uint8Array): Promise<void> {
  if (await isKept(store, digest)) return;
  await store.storage.write(digest, new Blob([Buffer.from(bytes)]).stream());
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
