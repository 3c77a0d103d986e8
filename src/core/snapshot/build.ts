import type { Digest, Tree, TreeEntry } from '../snapshot.ts';
import { digestOf } from '../snapshot.ts';
import { compareBytes } from './diff.ts';
import { encodeTree } from './encode.ts';

/**
 * What stands at a path (bytes as latin1, `/` between names). Directories come by themselves from the paths
 * below them; one that is named stays when it is empty.
 */
export type PathEntry =
  | {
      readonly type: 'file';
      readonly path: string;
      readonly mode: number;
      readonly mtime: bigint;
      readonly size: number;
      readonly digest: Digest;
    }
  | { readonly type: 'symlink'; readonly path: string; readonly mtime: bigint; readonly target: string }
  | { readonly type: 'directory'; readonly path: string; readonly mode: number; readonly mtime: bigint };

export type BuiltTree = { readonly digest: Digest; readonly bytes: Uint8Array };

/** Two entries for one path, or a path below something that is no directory. */
export class PathClashError extends Error {
  override name = 'PathClashError';
}

type Branch = {
  mode: number;
  mtime: bigint;
  named: boolean;
  readonly children: Map<string, Branch | PathEntry>;
};

/**
 * Every directory of a list of paths, encoded, those below first and the root last. Directories that no entry
 * names get mode 755 and the latest time of what is in them, so that equal lists have equal roots.
 */
export function buildTrees(entries: Iterable<PathEntry>): {
  readonly root: Digest;
  readonly trees: readonly BuiltTree[];
} {
  const top = newBranch();
  for (const entry of entries) place(top, entry);
  const trees = new Map<Digest, Uint8Array>();
  const root = encodeBranch(top, trees);
  return { root, trees: [...trees].map(([digest, bytes]) => ({ digest, bytes })) };
}

function place(top: Branch, entry: PathEntry): void {
  const names = entry.path.split('/');
  const last = names.pop() ?? '';
  let branch = top;
  for (const name of names) {
    const next = branch.children.get(name) ?? newBranch();
    if (!('children' in next)) throw new PathClashError(`${entry.path} lies below what is no directory`);
    branch.children.set(name, next);
    branch = next;
  }
  const earlier = branch.children.get(last);
  if (entry.type === 'directory' && (earlier === undefined || ('children' in earlier && !earlier.named))) {
    const children = earlier?.children ?? newBranch().children;
    branch.children.set(last, { mode: entry.mode, mtime: entry.mtime, named: true, children });
    return;
  }
  if (earlier !== undefined) throw new PathClashError(`${entry.path} comes twice`);
  branch.children.set(last, entry);
}

function encodeBranch(branch: Branch, trees: Map<Digest, Uint8Array>): Digest {
  const tree: Tree = [...branch.children]
    .sort(([a], [b]) => compareBytes(a, b))
    .map(([name, child]) => toEntry(name, child, trees));
  if (!branch.named)
    branch.mtime = tree.reduce((latest, { mtime }) => (mtime > latest ? mtime : latest), branch.mtime);
  const bytes = encodeTree(tree);
  const digest = digestOf(bytes);
  // Set again, so that a tree that occurs twice stands before both that hold it, and the root last.
  trees.delete(digest);
  trees.set(digest, bytes);
  return digest;
}

function toEntry(name: string, child: Branch | PathEntry, trees: Map<Digest, Uint8Array>): TreeEntry {
  if ('children' in child) {
    const digest = encodeBranch(child, trees);
    return { type: 'directory', name, mode: child.mode, mtime: child.mtime, digest };
  }
  if (child.type === 'symlink') return { type: 'symlink', name, mtime: child.mtime, target: child.target };
  if (child.type === 'directory') throw new PathClashError(`${child.path} was not placed`);
  return { type: 'file', name, mode: child.mode, mtime: child.mtime, size: child.size, digest: child.digest };
}

function newBranch(): Branch {
  return { mode: 0o755, mtime: 0n, named: false, children: new Map() };
}
