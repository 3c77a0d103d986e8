import { createHash } from 'node:crypto';

/** Lower-case hex of the SHA-256 of some content. */
export type Digest = string;

/**
 * One name in a directory. `name` holds the path's bytes, one char a byte (latin1), because paths are bytes.
 * `mode` holds the permission bits; `mtime` is nanoseconds since 1970 and never makes two entries differ in content.
 */
export type TreeEntry =
  | {
      readonly type: 'file';
      readonly name: string;
      readonly mode: number;
      readonly mtime: bigint;
      readonly size: number;
      readonly digest: Digest;
    }
  | { readonly type: 'symlink'; readonly name: string; readonly mtime: bigint; readonly target: string }
  | {
      readonly type: 'directory';
      readonly name: string;
      readonly mode: number;
      readonly mtime: bigint;
      readonly digest: Digest;
    };

/** A directory's content, sorted by the bytes of the names. Its digest is that of `encodeTree`. */
export type Tree = readonly TreeEntry[];

/** Fetches and decodes the tree of a digest. The core does no I/O: whoever calls it says where trees are. */
export type ReadTree = (digest: Digest) => Promise<Tree>;

/** Stores a tree and answers with its digest. */
export type WriteTree = (tree: Tree) => Promise<Digest>;

/** Lower-case hex of the SHA-256 of these bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Whether this text has the form of a digest. */
export function isDigest(text: string): text is Digest {
  return /^[0-9a-f]{64}$/.test(text);
}

/**
 * Whether two entries of one name hold the same: type, mode and content, times apart. Directories compare by
 * mode alone, for what they hold are entries of their own.
 */
export function sameEntry(a: TreeEntry | undefined, b: TreeEntry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.type === 'file') return b.type === 'file' && a.digest === b.digest && a.mode === b.mode;
  if (a.type === 'symlink') return b.type === 'symlink' && a.target === b.target;
  return b.type === 'directory' && a.mode === b.mode;
}
