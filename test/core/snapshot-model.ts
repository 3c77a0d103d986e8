import * as fc from 'fast-check';
import { digestOf, type Digest, type Tree } from '../../src/core/snapshot.ts';
import { buildTrees, type PathEntry } from '../../src/core/snapshot/build.ts';
import { decodeTree, encodeTree } from '../../src/core/snapshot/encode.ts';
import { entriesOf } from '../../src/core/snapshot/lookup.ts';
import type { TreeStore } from '../../src/core/snapshot/merge.ts';

/** A tree as nobody would store it: every path with what stands there, parents among them. */
export type Flat = ReadonlyMap<string, PathEntry>;

/** One thing that a task may do; parents come by themselves, as with `mkdir -p` after `rm` of what is in the way. */
export type Edit =
  { readonly op: 'put'; readonly entry: PathEntry } | { readonly op: 'remove'; readonly path: string };

export type MemoryTrees = TreeStore & { reads: number; writes: number; save(flat: Flat): Digest };

/** Trees in memory that count how often they are asked. */
export function createMemoryTrees(): MemoryTrees {
  const blobs = new Map<Digest, Uint8Array>();
  const memory: MemoryTrees = {
    reads: 0,
    writes: 0,
    async read(digest) {
      memory.reads += 1;
      const bytes = blobs.get(digest);
      if (bytes === undefined) throw new Error(`no tree ${digest}`);
      return decodeTree(bytes);
    },
    async write(tree: Tree) {
      memory.writes += 1;
      const bytes = encodeTree(tree);
      blobs.set(digestOf(bytes), bytes);
      return digestOf(bytes);
    },
    save(flat) {
      const { root, trees } = buildTrees(flat.values());
      for (const { digest, bytes } of trees) blobs.set(digest, bytes);
      return root;
    },
  };
  return memory;
}

export async function flatten(trees: TreeStore, root: Digest): Promise<Flat> {
  const flat = new Map<string, PathEntry>();
  for await (const { path, entry } of entriesOf(trees.read, root)) flat.set(path, toPathEntry(path, entry));
  return flat;
}

function toPathEntry(path: string, entry: Tree[number]): PathEntry {
  const { mtime } = entry;
  if (entry.type === 'symlink') return { type: 'symlink', path, mtime, target: entry.target };
  if (entry.type === 'directory') return { type: 'directory', path, mtime, mode: entry.mode };
  return { type: 'file', path, mtime, mode: entry.mode, size: entry.size, digest: entry.digest };
}

/** What makes two entries of a path the same: everything but the time. */
export function contentKey(entry: PathEntry | undefined): string {
  if (entry === undefined) return '-';
  if (entry.type === 'symlink') return `symlink ${entry.target}`;
  return `${entry.type} ${entry.mode} ${entry.type === 'file' ? entry.digest : ''}`;
}

export function contentOf(flat: Flat): Record<string, string> {
  const paths = [...flat.keys()].sort();
  return Object.fromEntries(paths.map((path) => [path, contentKey(flat.get(path))]));
}

export function parentsOf(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, i) => names.slice(0, i + 1).join('/'));
}

export function edited(flat: Flat, edits: readonly Edit[]): Flat {
  const result = new Map(flat);
  const remove = (path: string) => {
    for (const other of result.keys())
      if (other === path || other.startsWith(`${path}/`)) result.delete(other);
  };
  for (const edit of edits) {
    if (edit.op === 'remove') {
      remove(edit.path);
      continue;
    }
    const { entry } = edit;
    for (const path of parentsOf(entry.path)) {
      if (result.get(path)?.type === 'directory') continue;
      remove(path);
      result.set(path, { type: 'directory', path, mode: 0o755, mtime: 0n });
    }
    if (entry.type !== 'directory' || result.get(entry.path)?.type !== 'directory') remove(entry.path);
    result.set(entry.path, entry);
  }
  return result;
}

export function file(path: string, content: string, mode = 0o644, mtime = 0n): PathEntry {
  return { type: 'file', path, mode, mtime, size: content.length, digest: digestOf(Buffer.from(content)) };
}

export function put(path: string, content: string): Edit {
  return { op: 'put', entry: file(path, content) };
}

const path = fc
  .array(fc.constantFrom('a', 'b', 'a.b'), { minLength: 1, maxLength: 3 })
  .map((names) => names.join('/'));
const mtime = fc.bigInt({ min: -3n, max: 3n });

const entry: fc.Arbitrary<PathEntry> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(path, fc.constantFrom('x', 'y', ''), fc.constantFrom(0o644, 0o755), mtime)
      .map((p) => file(...p)),
  },
  fc.record({ type: fc.constant('symlink' as const), path, mtime, target: fc.constantFrom('a', '../b') }),
  fc.record({ type: fc.constant('directory' as const), path, mtime, mode: fc.constantFrom(0o755, 0o700) }),
);

export const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: entry.map((entry) => ({ op: 'put', entry }) as const) },
    path.map((path) => ({ op: 'remove', path }) as const),
  ),
  { maxLength: 6 },
);

export const flats: fc.Arbitrary<Flat> = edits.map((edits) => edited(new Map(), edits));
