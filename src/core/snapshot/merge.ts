import {
  sameEntry,
  type Digest,
  type ReadTree,
  type Tree,
  type TreeEntry,
  type WriteTree,
} from '../snapshot.ts';
import { compareBytes, diffTrees, treeDigest } from './diff.ts';
import { readOrEmpty } from './lookup.ts';

/** Where trees are read from and written to. */
export type TreeStore = { readonly read: ReadTree; readonly write: WriteTree };

/** A merged root, or the topmost paths (bytes as latin1, in order) at which two sides cannot be made one. */
export type Merge =
  | { readonly kind: 'merged'; readonly root: Digest }
  | { readonly kind: 'conflict'; readonly paths: readonly string[] };

/** Conflicts that are listed: enough to see what happened, too few to fill a row. */
const mostConflicts = 100;

type Side = TreeEntry | undefined;

/**
 * Three-way merge of two directory trees that both come from `base`, path by path: what one side left alone is
 * taken from the other; equal results agree; anything else is a conflict (deleted or changed against changed,
 * file against directory, two modes). What was put into a directory that the other side removed is one too: in
 * one directory on one machine either order would end differently. Times never conflict; the later one stays.
 * The sides' order does not matter. Only differing subtrees are read.
 */
export async function mergeTrees(
  trees: TreeStore,
  base: Digest,
  ours: Digest,
  theirs: Digest,
): Promise<Merge> {
  const conflicts: string[] = [];
  const root = await mergeDirectories({ trees, conflicts }, '', base, ours, theirs);
  return conflicts.length > 0
    ? { kind: 'conflict', paths: conflicts.sort(compareBytes) }
    : { kind: 'merged', root };
}

type Work = { readonly trees: TreeStore; readonly conflicts: string[] };

async function mergeDirectories(
  work: Work,
  prefix: string,
  base: Digest,
  ours: Digest,
  theirs: Digest,
): Promise<Digest> {
  if (ours === theirs || base === theirs) return ours;
  if (base === ours) return theirs;
  const [b, o, t] = await Promise.all(
    [base, ours, theirs].map((digest) => readOrEmpty(work.trees.read, digest)),
  );
  const baseEntries = byName(b ?? []);
  const ourEntries = byName(o ?? []);
  const theirEntries = byName(t ?? []);
  const names = [...new Set([...ourEntries.keys(), ...theirEntries.keys()])].sort(compareBytes);
  const merged: TreeEntry[] = [];
  for (const name of names) {
    if (work.conflicts.length >= mostConflicts) break;
    const [be, oe, te] = [baseEntries.get(name), ourEntries.get(name), theirEntries.get(name)];
    const entry = await mergeEntry(work, prefix + name, be, oe, te);
    if (entry !== undefined) merged.push(entry);
  }
  // Nobody reads the result of a conflict, so it is not written.
  return work.conflicts.length > 0 ? ours : work.trees.write(merged);
}

async function mergeEntry(work: Work, path: string, base: Side, ours: Side, theirs: Side): Promise<Side> {
  const winner = pick(base, ours, theirs);
  if (winner === 'conflict') {
    work.conflicts.push(path);
    return ours;
  }
  if (ours?.type === 'directory' && theirs?.type === 'directory' && winner?.type === 'directory') {
    const digest = await mergeDirectories(work, `${path}/`, treeDigest(base), ours.digest, theirs.digest);
    return { ...winner, digest, mtime: mergeTimes(base, ours, theirs) };
  }
  if (ours !== undefined && theirs !== undefined && sameEntry(ours, theirs))
    return { ...ours, mtime: mergeTimes(base, ours, theirs) };
  // One side is no directory and won, although the other may have worked inside the one that is gone.
  const loser = winner === ours ? theirs : ours;
  if (loser?.type === 'directory' && winner?.type !== 'directory')
    await noteLostWork(work, path, treeDigest(base), loser.digest);
  return winner;
}

/** Which side's type, mode and content stay. */
function pick(base: Side, ours: Side, theirs: Side): Side | 'conflict' {
  if (sameEntry(ours, theirs) || sameEntry(base, theirs)) return ours;
  return sameEntry(base, ours) ? theirs : 'conflict';
}

async function noteLostWork(work: Work, path: string, base: Digest, side: Digest): Promise<void> {
  let within: string | undefined;
  for await (const change of diffTrees(work.trees.read, base, side)) {
    if (work.conflicts.length >= mostConflicts) return;
    if (change.after === undefined || (within !== undefined && change.path.startsWith(within))) continue;
    within = `${change.path}/`;
    work.conflicts.push(`${path}/${change.path}`);
  }
}

function mergeTimes(base: Side, ours: TreeEntry, theirs: TreeEntry): bigint {
  if (ours.mtime === base?.mtime) return theirs.mtime;
  if (theirs.mtime === base?.mtime) return ours.mtime;
  return ours.mtime > theirs.mtime ? ours.mtime : theirs.mtime;
}

function byName(tree: Tree): ReadonlyMap<string, TreeEntry> {
  return new Map(tree.map((entry) => [entry.name, entry]));
}
