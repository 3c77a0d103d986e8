import { checkObjectId, type ObjectId } from './object-id.ts';
import { gitStream } from './spawn-git.ts';
import { parseTreeLine, type TreeLine } from './tree-line.ts';

/** What stands at one path of a commit. `path` holds the path's bytes, one char a byte (latin1). */
export type CommitEntry =
  | {
      readonly type: 'file';
      readonly path: string;
      readonly executable: boolean;
      readonly id: ObjectId;
      readonly size: number;
    }
  /** The blob holds the target's bytes. */
  | { readonly type: 'symlink'; readonly path: string; readonly id: ObjectId; readonly size: number }
  /** A commit of another repository, whose content is not here. */
  | { readonly type: 'submodule'; readonly path: string; readonly id: ObjectId };

export type DirectoryEntry =
  CommitEntry | { readonly type: 'directory'; readonly path: string; readonly id: ObjectId };

/** Every file, symbolic link and submodule of a commit, in git's order, as git finds them. */
export async function* commitTree(
  dir: string,
  commit: ObjectId,
): AsyncGenerator<CommitEntry, void, undefined> {
  const args = ['ls-tree', '-r', '-z', '-l', '--full-tree', '--end-of-options', checkObjectId(commit)];
  for await (const entry of entries(dir, args)) if (entry.type !== 'directory') yield entry;
}

/** One directory: `tree` is the id of a tree or a commit, each `path` a single name. */
export async function readTreeEntries(dir: string, tree: ObjectId): Promise<readonly DirectoryEntry[]> {
  const found: DirectoryEntry[] = [];
  const args = ['ls-tree', '-z', '-l', '--full-tree', '--end-of-options', checkObjectId(tree)];
  for await (const entry of entries(dir, args)) found.push(entry);
  return found;
}

async function* entries(
  dir: string,
  args: readonly string[],
): AsyncGenerator<DirectoryEntry, void, undefined> {
  let held = Buffer.alloc(0);
  for await (const chunk of gitStream(dir, args)) {
    held = Buffer.concat([held, chunk]);
    let from = 0;
    for (let end = held.indexOf(0); end >= 0; end = held.indexOf(0, from)) {
      yield entryOf(parseTreeLine(held.subarray(from, end)));
      from = end + 1;
    }
    held = held.subarray(from);
  }
}

function entryOf({ type, mode, path, id, size }: TreeLine): DirectoryEntry {
  if (type === 'tree') return { type: 'directory', path, id };
  if (type === 'commit') return { type: 'submodule', path, id };
  // git prints no size only where the blob is missing, which a checked push rules out.
  if (size === null) throw new Error(`the repository has lost the object ${id}`);
  if (mode === '120000') return { type: 'symlink', path, id, size };
  return { type: 'file', path, executable: (Number.parseInt(mode, 8) & 0o100) !== 0, id, size };
}
