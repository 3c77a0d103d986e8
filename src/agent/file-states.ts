import { deserialize, serialize } from 'node:v8';
import type { Digest, TreeEntry } from '../core/snapshot.ts';

/** What a file system says of a file for nothing. While none of it changes, neither does the content. */
export type FileState = {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
};

/** A name in a workspace as it was seen, and the entry that it is in the snapshot. */
export type KnownEntry = FileState & { readonly entry: TreeEntry };

/**
 * Everything known of a workspace, by directory (path in bytes as latin1, '' is the root), packed: it crosses to
 * the walking thread as plain bytes, which costs the server nothing, and is unpacked there one directory at a time.
 */
export type FileStates = {
  readonly root: Digest | null;
  /**
   * A state counts only when its ctime lies before this moment of the file system's clock. A file that was seen
   * in the same tick of that clock in which it was last changed may change once more and look the same.
   */
  readonly settledBefore: bigint;
  readonly directories: ReadonlyMap<string, Uint8Array>;
};

/** Of a workspace that nothing is known of. */
export const noStates: FileStates = { root: null, settledBefore: 0n, directories: new Map() };

/** The part of `stat` that is kept. */
export function stateOf(stats: FileState): FileState {
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  return { dev, ino, size, mtimeNs, ctimeNs };
}

/** Whether two looks at a file saw the same. */
export function sameState(a: FileState, b: FileState): boolean {
  return (
    a.ctimeNs === b.ctimeNs &&
    a.mtimeNs === b.mtimeNs &&
    a.size === b.size &&
    a.ino === b.ino &&
    a.dev === b.dev
  );
}

/** The names of one directory as bytes. */
export function packEntries(entries: ReadonlyMap<string, KnownEntry>): Uint8Array {
  return serialize(entries);
}

/** What `packEntries` packed; nothing where there is nothing. */
export function unpackEntries(packed: Uint8Array | undefined): ReadonlyMap<string, KnownEntry> {
  // These bytes never leave the process, so they are what `packEntries` made them.
  return packed === undefined ? new Map() : (deserialize(packed) as ReadonlyMap<string, KnownEntry>);
}

/** The same without these paths, which the next walk then hashes again and calls new. */
export function forget(states: FileStates, paths: readonly { readonly path: string }[]): FileStates {
  const directories = new Map(states.directories);
  for (const { path } of paths) {
    const slash = path.lastIndexOf('/');
    const directory = path.slice(0, Math.max(0, slash));
    const entries = new Map(unpackEntries(directories.get(directory)));
    entries.delete(path.slice(slash + 1));
    directories.set(directory, packEntries(entries));
  }
  return { ...states, directories };
}
