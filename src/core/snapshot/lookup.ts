import type { Digest, ReadTree, Tree, TreeEntry } from '../snapshot.ts';
import { emptyTreeDigest } from './encode.ts';

/** The empty tree is known by its digest and need not be stored. */
export async function readOrEmpty(readTree: ReadTree, digest: Digest): Promise<Tree> {
  return digest === emptyTreeDigest ? [] : readTree(digest);
}

/** What stands at a path (bytes as latin1, `/` between names) below a root; `undefined` where nothing does. */
export async function entryAt(
  readTree: ReadTree,
  root: Digest,
  path: string,
): Promise<TreeEntry | undefined> {
  const names = path.split('/');
  let digest = root;
  for (const [i, name] of names.entries()) {
    const entry = (await readOrEmpty(readTree, digest)).find((entry) => entry.name === name);
    if (entry === undefined || i === names.length - 1) return entry;
    if (entry.type !== 'directory') return undefined;
    digest = entry.digest;
  }
  return undefined;
}

/** A path and what stands there. */
export type Placed = { readonly path: string; readonly entry: TreeEntry };

/** Everything below a root, a directory before what it holds. */
export async function* entriesOf(readTree: ReadTree, root: Digest): AsyncGenerator<Placed> {
  const open = [{ prefix: '', entries: (await readOrEmpty(readTree, root)).values() }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const next = top.entries.next();
    if (next.done === true) {
      open.pop();
      continue;
    }
    const entry = next.value;
    const path = top.prefix + entry.name;
    yield { path, entry };
    if (entry.type === 'directory')
      open.push({ prefix: `${path}/`, entries: (await readOrEmpty(readTree, entry.digest)).values() });
  }
}
