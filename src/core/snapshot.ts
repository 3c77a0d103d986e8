/** Lower-case hex of the SHA-256 of some content. */
export type Digest = string;

/**
 * One name in a directory. `name` holds the path's bytes, one char a byte (latin1), because paths are bytes.
 * `mode` holds the permission bits; `mtime` is nanoseconds since 1970 and never makes two entries differ in content.
 */
export type TreeEntry =
  | { readonly type: 'file'; readonly name: string; readonly mode: number; readonly mtime: bigint; readonly size: number; readonly digest: Digest }
  | { readonly type: 'symlink'; readonly name: string; readonly mtime: bigint; readonly target: string }
  | { readonly type: 'directory'; readonly name: string; readonly mode: number; readonly mtime: bigint; readonly digest: Digest };

/** A directory's content, sorted by the bytes of the names. Its digest is that of `encodeTree`. */
export type Tree = readonly TreeEntry[];
