import { chmod, lstat, lutimes, mkdir, open, readdir, symlink, utimes } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { AttemptFaultError, type AttemptDoor } from '../core/attempt.ts';
import type { Digest, TreeEntry } from '../core/snapshot.ts';
import { emptyTreeDigest } from '../core/snapshot/encode.ts';
import { leavingLinks } from '../core/snapshot/links.ts';
import { treeReader } from './blobs.ts';
import { packEntries, stateOf, type FileState, type FileStates, type KnownEntry } from './file-states.ts';
import { describeRefusals } from './refusals.ts';
import { workOff } from './work-off.ts';

/** Makes a new file with the content of this digest and this mode. */
export type Place = (digest: Digest, path: Buffer, mode: number) => Promise<void>;

export type FetchOrder = {
  readonly door: Pick<AttemptDoor, 'readBlob'>;
  readonly attempt: number;
  readonly root: Digest;
  /** A directory that is empty or missing. */
  readonly directory: string;
  /** A short way where the store is on this machine, instead of `readBlob` for files. */
  readonly place?: Place;
  readonly signal?: AbortSignal;
};

/** Node hands file work to four threads; some more keep them busy and hide the door's distance. */
const atOnce = 16;

type File = Extract<TreeEntry, { type: 'file' }>;
type Directory = Extract<TreeEntry, { type: 'directory' }>;
type Link = Extract<TreeEntry, { type: 'symlink' }>;
type Job =
  { readonly path: string; readonly entry: File } | { readonly path: string; readonly entry: Directory };

/**
 * Restores a snapshot into an empty directory: contents, modes, times, links, empty directories. Answers with the
 * states of everything it made, by which `collectWorkspace` knows what was left alone. Throws `AttemptFaultError`
 * (content_refused) where a link leads out of the snapshot; whatever else goes wrong is thrown as it came.
 */
export async function fetchWorkspace(order: FetchOrder): Promise<FileStates> {
  const { root, signal } = order;
  const readTree = treeReader(order.door, order.attempt);
  const base = Buffer.from(order.directory);
  const pathOf = (path: string) => Buffer.concat([base, Buffer.from(`/${path}`, 'latin1')]);
  await mkdir(base, { recursive: true, mode: 0o700 });
  if ((await readdir(base)).length > 0)
    throw new Error('a snapshot is restored into an empty directory only');

  const made: { readonly path: string; readonly entry: Directory }[] = [];
  const links: { readonly path: string; readonly entry: Link }[] = [];
  const known = new Map<string, Map<string, KnownEntry>>([['', new Map()]]);
  let latest = 0n;
  const note = (path: string, entry: TreeEntry, state: FileState) => {
    if (state.ctimeNs > latest) latest = state.ctimeNs;
    known
      .get(path.slice(0, Math.max(0, path.lastIndexOf('/'))))
      ?.set(entry.name, { ...stateOf(state), entry });
  };

  const restoreTree = async (path: string, digest: Digest, add: (job: Job) => void) => {
    for (const entry of digest === emptyTreeDigest ? [] : await readTree(digest)) {
      const below = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.type === 'symlink') links.push({ path: below, entry });
      else add(entry.type === 'file' ? { path: below, entry } : { path: below, entry });
    }
  };
  const restore = async ({ path, entry }: Job, add: (job: Job) => void) => {
    signal?.throwIfAborted();
    if (entry.type === 'file') return note(path, entry, await restoreFile(order, pathOf(path), entry));
    // Its own mode may forbid us to fill it, so that comes last.
    await mkdir(pathOf(path), { mode: entry.mode | 0o700 });
    made.push({ path, entry });
    known.set(path, new Map());
    await restoreTree(path, entry.digest, add);
  };

  const first: Job[] = [];
  await restoreTree('', root, (job) => first.push(job));
  await workOff(atOnce, first, restore);

  const leaving = leavingLinks(links.map(({ path, entry }) => ({ path, target: entry.target })));
  if (leaving.length > 0) throw new AttemptFaultError(describeRefusals(leaving.map(leavingRefusal)));
  await workOff(atOnce, links, async ({ path, entry }) => {
    signal?.throwIfAborted();
    await symlink(Buffer.from(entry.target, 'latin1'), pathOf(path));
    await lutimes(pathOf(path), ...times(entry.mtime));
    note(path, entry, await lstat(pathOf(path), { bigint: true }));
  });

  const directories = new Map<string, Uint8Array>();
  // The other way round: what a directory holds comes before its own time and mode.
  for (const { path, entry } of made.toReversed()) {
    signal?.throwIfAborted();
    note(path, entry, await finishDirectory(pathOf(path), entry));
    directories.set(path, packEntries(known.get(path) ?? new Map()));
  }
  directories.set('', packEntries(known.get('') ?? new Map()));
  return { root, directories, settledBefore: await settle(base, latest) };
}

async function restoreFile(order: FetchOrder, path: Buffer, entry: File): Promise<FileState> {
  if (order.place === undefined) await download(order, path, entry);
  else await order.place(entry.digest, path, entry.mode);
  await utimes(path, ...times(entry.mtime));
  const state = await lstat(path, { bigint: true });
  if (state.size !== BigInt(entry.size))
    throw new AttemptFaultError({
      class: 'restore_failed',
      message: `Stored content is damaged: ${entry.digest}.`,
    });
  return state;
}

async function download(order: FetchOrder, path: Buffer, entry: File): Promise<void> {
  const content = await order.door.readBlob(order.attempt, entry.digest);
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of content) {
      order.signal?.throwIfAborted();
      await file.writeFile(chunk);
    }
    await file.chmod(entry.mode);
  } finally {
    await file.close();
  }
}

async function finishDirectory(path: Buffer, entry: Directory): Promise<FileState> {
  await utimes(path, ...times(entry.mtime));
  const state = await lstat(path, { bigint: true });
  if ((Number(state.mode) & 0o777) === entry.mode) return state;
  await chmod(path, entry.mode);
  return lstat(path, { bigint: true });
}

/**
 * Access and modification time for Node, which takes seconds as a float: exact to 0.12 µs in this century. Node
 * reads a negative number as "now", so what is older than 1970 goes as a date, exact to a millisecond.
 */
function times(mtime: bigint): [access: Date | number, modification: Date | number] {
  if (mtime < 0n) {
    const date = new Date(Number(mtime / 1_000_000n));
    return [date, date];
  }
  const seconds = Number(mtime / 1_000_000_000n) + Number(mtime % 1_000_000_000n) / 1e9;
  return [seconds, seconds];
}

/**
 * A moment of the file system's clock that lies after all that was made, so that every later change shows in a
 * ctime. Where the clock ticks in milliseconds that takes one tick; where it ticks in seconds it is not waited
 * for, and what was made in the last tick will be hashed again.
 */
async function settle(directory: Buffer, latest: bigint): Promise<bigint> {
  for (let tries = 0; ; tries += 1) {
    const now = Date.now() / 1000;
    await utimes(directory, now, now);
    const { ctimeNs } = await lstat(directory, { bigint: true });
    if (ctimeNs > latest || tries === 20) return ctimeNs;
    await pause(1);
  }
}

function leavingRefusal({ path, target }: { readonly path: string; readonly target: string }) {
  return { path, why: 'leaves', target } as const;
}
