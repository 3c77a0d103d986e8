import { sameEntry, type Digest, type ReadTree, type Tree, type TreeEntry } from '../snapshot.ts';
import { emptyTreeDigest } from './encode.ts';
import { readOrEmpty } from './lookup.ts';

/** How one path differs. `before` is missing where the path was added, `after` where it was deleted. */
export type Change = {
  /** Bytes as latin1, `/` between names. */
  readonly path: string;
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
};

/** One name of two directories. */
type Pair = readonly [before: TreeEntry | undefined, after: TreeEntry | undefined];

/**
 * What differs between two roots, in the order of the paths, a directory before what it holds: content, type or
 * mode, never times. Equal subtrees are not read.
 */
export async function* diffTrees(readTree: ReadTree, before: Digest, after: Digest): AsyncGenerator<Change> {
  if (before === after) return;
  // A stack rather than generators inside one another: each of those would make every answer climb the whole depth.
  const open = [{ prefix: '', pairs: await readPairs(readTree, before, after) }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const next = top.pairs.next();
    if (next.done === true) {
      open.pop();
      continue;
    }
    const [before, after] = next.value;
    const path = top.prefix + (before ?? after)?.name;
    if (!sameEntry(before, after)) yield { path, before, after };
    const trees = [treeDigest(before), treeDigest(after)] as const;
    if (trees[0] !== trees[1]) open.push({ prefix: `${path}/`, pairs: await readPairs(readTree, ...trees) });
  }
}

/** The names of two directories in one order; one that is missing has no entries. */
export function* pairEntries(a: Tree, b: Tree): Generator<Pair> {
  let i = 0;
  let j = 0;
  while (true) {
    const left = a[i];
    const right = b[j];
    if (left === undefined && right === undefined) return;
    const order = left === undefined ? 1 : right === undefined ? -1 : compareBytes(left.name, right.name);
    yield [order <= 0 ? left : undefined, order >= 0 ? right : undefined];
    if (order <= 0) i += 1;
    if (order >= 0) j += 1;
  }
}

/** The order of names in a tree: that of their bytes. */
export function compareBytes(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** The tree below an entry; what is no directory holds nothing. */
export function treeDigest(entry: TreeEntry | undefined): Digest {
  return entry?.type === 'directory' ? entry.digest : emptyTreeDigest;
}

async function readPairs(readTree: ReadTree, before: Digest, after: Digest): Promise<Generator<Pair>> {
  const [a, b] = await Promise.all([readOrEmpty(readTree, before), readOrEmpty(readTree, after)]);
  return pairEntries(a, b);
}
