import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  type BigIntStats,
} from 'node:fs';
import { environmentMark, isLeftOut } from '../core/ignore-list.ts';
import { digestOf, type Digest, type TreeEntry } from '../core/snapshot.ts';
import { emptyTreeDigest, encodeTree, storableTime } from '../core/snapshot/encode.ts';
import { compareBytes } from '../core/snapshot/diff.ts';
import { leavingLinks, type Link } from '../core/snapshot/links.ts';
import {
  packEntries,
  sameState,
  stateOf,
  unpackEntries,
  type FileStates,
  type KnownEntry,
} from './file-states.ts';
import { hashFile } from './hash-file.ts';
import type { Refusal } from './refusals.ts';

export type WalkOrder = {
  readonly directory: string;
  readonly known: FileStates;
  /** Nanoseconds since 1970. */
  readonly now: bigint;
};

/** A file whose content was not known before. */
export type FoundFile = { readonly path: string; readonly digest: Digest; readonly size: number };

export type Walk = {
  readonly root: Digest;
  /** Trees that were not known before, those below first. */
  readonly trees: ReadonlyMap<Digest, Uint8Array>;
  readonly files: readonly FoundFile[];
  readonly refusals: readonly Refusal[];
  /** Files whose content was read. */
  readonly hashed: number;
  /** Of all files together. */
  readonly bytes: number;
  /** For the next walk of the same workspace. */
  readonly states: FileStates;
};

/** Longer ones cannot be made again below every other root: the system takes 4,095 bytes of the whole. */
const longestPath = 3500;
/** A file that was touched this shortly before a walk is hashed again by the next one, whatever its state says. */
const unsettled = 2_000_000_000n;

/**
 * Walks a workspace, which may be hostile and may still be changing, and makes a snapshot of it. Synchronous: it
 * runs in a thread of its own, where that is three to ten times as fast. It follows no link, and where the system
 * has `/proc` each directory is reached through the one above it held open, so that nobody can swap a directory
 * for a link on the way. What vanishes meanwhile was not there; what cannot be kept is named.
 */
export function walk(order: WalkOrder): Walk {
  const trees = new Map<Digest, Uint8Array>();
  const files: FoundFile[] = [];
  const refusals: Refusal[] = [];
  const links: Link[] = [];
  const directories = new Map<string, Uint8Array>();
  const anchored = existsSync('/proc/self/fd');
  let hashed = 0;
  let size = 0;

  /** Opens a directory for `work`, which gets a path to it that stays the same directory. */
  const within = <T>(place: Buffer, work: (anchor: Buffer) => T): T => {
    const handle = openSync(place, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      return work(anchored ? Buffer.from(`/proc/self/fd/${handle}`) : place);
    } finally {
      closeSync(handle);
    }
  };

  /** The digest of a directory's tree; `undefined` where it is not to be looked into. */
  const walkDirectory = (anchor: Buffer, path: string, before: Digest | undefined): Digest | undefined => {
    const names = readdirSync(anchor, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
    if (path !== '' && names.includes(environmentMark)) return undefined;
    const known = unpackEntries(order.known.directories.get(path));
    const seen = new Map<string, KnownEntry>();
    const tree: TreeEntry[] = [];
    for (const name of names.sort(compareBytes)) {
      const earlier = known.get(name);
      const found = isLeftOut(name)
        ? earlier
        : lookAt(anchor, path === '' ? name : `${path}/${name}`, name, earlier);
      if (found === undefined) continue;
      seen.set(name, found);
      if (found.entry.type === 'file') size += found.entry.size;
      tree.push(found.entry);
    }
    const bytes = encodeTree(tree);
    const digest = digestOf(bytes);
    if (digest !== before) trees.set(digest, bytes);
    directories.set(path, packEntries(seen));
    return digest;
  };

  const lookAt = (anchor: Buffer, path: string, name: string, earlier: KnownEntry | undefined) => {
    const place = Buffer.concat([anchor, Buffer.from(`/${name}`, 'latin1')]);
    if (path.length > longestPath) return refuse({ path, why: 'too-long' });
    for (let tries = 0; tries < 3; tries += 1) {
      try {
        const stats = lstatSync(place, { bigint: true });
        return entryOf(place, path, name, stats, earlier);
      } catch (error) {
        const code = codeOf(error);
        if (code === 'ENOENT') return undefined;
        if (code === 'EACCES' || code === 'EPERM') return refuse({ path, why: 'unreadable' });
        // It became something else between two looks, as these say: look again.
        if (!['ENOTDIR', 'ELOOP', 'EINVAL', 'ENXIO'].includes(code)) throw error;
      }
    }
    return refuse({ path, why: 'changing' });
  };

  const entryOf = (
    place: Buffer,
    path: string,
    name: string,
    stats: BigIntStats,
    earlier: KnownEntry | undefined,
  ): KnownEntry | undefined => {
    // A restored time may differ from the one asked for by a fraction of a microsecond; the one asked for stays.
    const mtime = earlier?.mtimeNs === stats.mtimeNs ? earlier.entry.mtime : storableTime(stats.mtimeNs);
    const mode = Number(stats.mode) & 0o777;
    if (stats.isSymbolicLink()) {
      const target = readlinkSync(place, { encoding: 'buffer' }).toString('latin1');
      links.push({ path, target });
      return { ...stateOf(stats), entry: { type: 'symlink', name, mtime, target } };
    }
    if (stats.isDirectory()) {
      const before = earlier?.entry.type === 'directory' ? earlier.entry.digest : undefined;
      const digest = within(place, (anchor) => walkDirectory(anchor, path, before));
      return digest === undefined
        ? earlier
        : { ...stateOf(stats), entry: { type: 'directory', name, mode, mtime, digest } };
    }
    if (!stats.isFile()) return refuse({ path, why: kindOf(stats) });
    if (
      earlier?.entry.type === 'file' &&
      sameState(earlier, stats) &&
      earlier.ctimeNs < order.known.settledBefore
    )
      return earlier;
    const { digest, size, state } = hashFile(place);
    hashed += 1;
    if (earlier?.entry.type !== 'file' || earlier.entry.digest !== digest) files.push({ path, digest, size });
    return { ...state, entry: { type: 'file', name, mode, mtime, size, digest } };
  };

  const refuse = (refusal: Refusal) => void refusals.push(refusal);

  const walkRoot = (): Digest | undefined => {
    const before = order.known.root ?? undefined;
    try {
      return within(Buffer.from(order.directory), (anchor) => walkDirectory(anchor, '', before));
    } catch (error) {
      // A task may remove its own workspace, or put something else in its place.
      if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes(codeOf(error))) throw error;
      return refuse({ path: '', why: 'gone' });
    }
  };

  const root = walkRoot() ?? emptyTreeDigest;
  refusals.push(...leavingLinks(links).map(({ path, target }) => ({ path, why: 'leaves', target }) as const));
  const settled = order.now - unsettled;
  const settledBefore = settled > order.known.settledBefore ? settled : order.known.settledBefore;
  return { root, trees, files, refusals, hashed, bytes: size, states: { root, settledBefore, directories } };
}

function kindOf(stats: BigIntStats): 'device' | 'socket' | 'pipe' {
  if (stats.isFIFO()) return 'pipe';
  return stats.isSocket() ? 'socket' : 'device';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
