import { decodeTree } from '../core/snapshot/encode.ts';
import type { Digest } from '../core/snapshot.ts';
import type { Db } from '../db/connect.ts';
import {
  adoptStrays,
  dropArtifacts,
  dropBlobs,
  dropBodies,
  dropLogs,
  dropOutputs,
  dropRefs,
  dropSnapshots,
  listIdleRefs,
  listRoots,
  nextRepository,
  readHour,
  rowsAtOnce,
  type SweepStep,
} from '../db/retention.ts';
import { describeError, type Log } from '../log.ts';
import type { Storage } from '../storage/storage.ts';

export type RetentionDeps = {
  readonly db: Db;
  readonly storage: Storage;
  readonly log: Log;
  readonly keep: {
    readonly logDays: number;
    readonly artifactDays: number;
    readonly workspaceDays: number;
    readonly deliveryDays: number;
  };
  /** Rows that one step looks at; a thousand where unsaid. */
  readonly stepRows?: number;
};

/** What one pass removed: rows of each kind, and content of the store. */
export type Swept = {
  logs: number;
  artifacts: number;
  bodies: number;
  workspaces: number;
  refs: number;
  /** Content without a row that was found; it is among `blobs` a day later. */
  strays: number;
  blobs: number;
};

/**
 * One pass over everything that has a lifetime, in small steps, between which it ends where the signal says so. Every
 * step may be done twice and by two servers at once.
 */
export async function sweepRetention(
  { db, storage, log, keep, stepRows = rowsAtOnce }: RetentionDeps,
  signal: AbortSignal,
): Promise<Swept> {
  const swept: Swept = { logs: 0, artifacts: 0, bodies: 0, workspaces: 0, refs: 0, strays: 0, blobs: 0 };
  swept.logs = await throughout(0, (after) => dropLogs(db, keep.logDays, after, stepRows), signal);
  swept.artifacts = await throughout(
    0,
    (after) => dropArtifacts(db, keep.artifactDays, after, stepRows),
    signal,
  );
  swept.bodies = await throughout('', (after) => dropBodies(db, keep.deliveryDays, after, stepRows), signal);
  swept.workspaces = await throughout(
    0,
    (after) => dropOutputs(db, keep.workspaceDays, after, stepRows),
    signal,
  );
  for (
    let repository = await nextRepository(db, 0);
    repository !== null && !signal.aborted;
    repository = await nextRepository(db, repository)
  ) {
    for (let removed = stepRows; removed === stepRows && !signal.aborted; swept.workspaces += removed)
      removed = await dropSnapshots(db, repository, keep.workspaceDays, stepRows);
    try {
      swept.refs += await sweepRefs({ db, storage, stepRows }, repository, signal);
    } catch (error) {
      // Where not all is known that is alive, nothing is dead; the others have theirs.
      if (!signal.aborted)
        log.warn({ repository, error: describeError(error) }, 'content of a repository was not swept');
    }
  }
  for (const digits of foldersOf(await readHour(db))) {
    if (signal.aborted) break;
    swept.strays += await adoptStrays(db, await storage.list(digits));
  }
  for (let removed = 1; removed > 0 && !signal.aborted; swept.blobs += removed)
    removed = await dropBlobs(db, (digest) => storage.remove(digest));
  return swept;
}

/** The folders of the store that are looked through in this hour of the day: in a day all 256 have had their turn. */
export function foldersOf(hour: number): readonly string[] {
  const all = Array.from({ length: 256 }, (_, folder) => folder);
  const mine = all.filter((folder) => folder % 24 === hour);
  return mine.map((folder) => folder.toString(16).padStart(2, '0'));
}

async function throughout<Key>(
  begin: Key,
  step: (after: Key) => Promise<SweepStep<Key>>,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  for (let at: Key | null = begin; at !== null && !signal.aborted;) {
    const done: SweepStep<Key> = await step(at);
    removed += done.removed;
    at = done.next;
  }
  return removed;
}

/** Takes from a repository what nothing of it leads to any more. */
async function sweepRefs(
  { db, storage, stepRows }: Required<Pick<RetentionDeps, 'db' | 'storage' | 'stepRows'>>,
  repository: number,
  signal: AbortSignal,
): Promise<number> {
  let idle = await listIdleRefs(db, repository, '', stepRows);
  // Most repositories have nothing that is idle, and nothing of them is read.
  if (idle.length === 0) return 0;
  const live = await findLive(db, storage, repository, signal);
  let removed = 0;
  while (idle.length > 0 && !signal.aborted) {
    const dead = idle.filter((digest) => !live.has(digest));
    if (dead.length > 0) removed += await dropRefs(db, repository, dead);
    idle = await listIdleRefs(db, repository, idle.at(-1) ?? '', stepRows);
  }
  return removed;
}

/** All content that a repository's rows lead to: directories are read, each once. */
async function findLive(
  db: Db,
  storage: Storage,
  repository: number,
  signal: AbortSignal,
): Promise<ReadonlySet<Digest>> {
  const { trees, files } = await listRoots(db, repository);
  const live = new Set<Digest>([...files, ...trees]);
  const toRead = [...trees];
  for (let digest = toRead.pop(); digest !== undefined; digest = toRead.pop()) {
    signal.throwIfAborted();
    // One that cannot be read ends the sweep of this repository: what it leads to is not known to be dead.
    const parts = await Array.fromAsync(await storage.read(digest));
    for (const entry of decodeTree(Buffer.concat(parts))) {
      if (entry.type === 'symlink' || live.has(entry.digest)) continue;
      live.add(entry.digest);
      if (entry.type === 'directory') toRead.push(entry.digest);
    }
  }
  return live;
}
