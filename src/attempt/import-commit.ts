import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { AttemptFaultError } from '../core/attempt.ts';
import { buildTrees, type PathEntry } from '../core/snapshot/build.ts';
import { leavingLinks } from '../core/snapshot/links.ts';
import { pathText } from '../core/snapshot/path-text.ts';
import { digestOf, type Digest } from '../core/snapshot.ts';
import { findSourceObjects, insertBlobs, insertSnapshot, insertSourceObjects } from '../db/blobs.ts';
import { inTransaction, type Db } from '../db/connect.ts';
import { readBlobs, type Blob } from '../git/blobs.ts';
import { commitTree, type CommitEntry } from '../git/commit-tree.ts';
import type { Storage } from '../storage/storage.ts';
import { severalAtOnce } from './several.ts';
import { isKept, storeBytes } from './trees.ts';

export type Source = {
  readonly db: Db;
  readonly storage: Storage;
  /** For content too large for memory. */
  readonly temporary: string;
  readonly repositoryId: number;
  /** Where the repository with the commit is on this machine; asked only where the store has not got it all. */
  readonly directory: () => Promise<string>;
};

/**
 * Git keeps no times, so every file of a commit has the same one. A fixed one, so that what did not change
 * between two commits is the same content, and old enough that whatever a task writes is newer.
 */
const sourceTime = BigInt(Date.UTC(2000, 0, 1)) * 1_000_000n;

/** Content that is hashed in memory; more goes through a file. */
const inMemory = 8 * 1024 * 1024;

/** Writes at a time: a store that is far away takes its time for each. So many blobs are held in memory at most. */
const atOnce = 8;

/** Symbolic links hold a path; more is no path of any system. */
const longestTarget = 4_096;

/** Puts a commit's files into the store, what is there already apart, and answers with the root of their snapshot. */
export async function importCommit(source: Source, commit: string): Promise<Digest> {
  const { db, repositoryId } = source;
  const [known] = (await findSourceObjects(db, repositoryId, [commit])).values();
  if (known !== undefined) return known;
  const directory = await source.directory();
  const entries: CommitEntry[] = [];
  for await (const entry of commitTree(directory, commit)) entries.push(entry);
  const { digests, fresh } = await importBlobs(source, directory, entries);
  const targets = await readTargets(directory, entries);
  refuseLeavingLinks(entries, targets);
  const { root, trees } = buildTrees(entries.map((entry) => pathEntry(entry, digests, targets)));
  const writes = severalAtOnce(atOnce);
  for (const { digest, bytes } of trees) await writes.begin(() => storeBytes(source, digest, bytes));
  await writes.end();
  // One transaction, because each has the disk of the database waited for.
  await inTransaction(db, async (tx) => {
    // Always in the same order: two imports of the same content must not wait for each other.
    const blobs = [...fresh, ...trees.map(({ digest, bytes }) => ({ digest, size: bytes.byteLength }))];
    await insertBlobs(
      tx,
      repositoryId,
      blobs.toSorted((a, b) => compareText(a.digest, b.digest)),
    );
    const objects = [...fresh, { oid: commit, digest: root }];
    await insertSourceObjects(
      tx,
      repositoryId,
      objects.toSorted((a, b) => compareText(a.oid, b.oid)),
    );
    const bytes = entries.reduce((sum, entry) => sum + (entry.type === 'file' ? entry.size : 0), 0);
    await insertSnapshot(tx, { repositoryId, digest: root, attemptId: null, bytes });
  });
  return root;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function pathEntry(
  entry: CommitEntry,
  digests: ReadonlyMap<string, Digest>,
  targets: ReadonlyMap<string, string>,
): PathEntry {
  const { path } = entry;
  const mtime = sourceTime;
  // Its content belongs to another repository: like git without --recurse-submodules, an empty directory.
  if (entry.type === 'submodule') return { type: 'directory', path, mode: 0o755, mtime };
  if (entry.type === 'symlink') return { type: 'symlink', path, mtime, target: targets.get(entry.id) ?? '' };
  const digest = digests.get(entry.id);
  if (digest === undefined) throw new Error(`the blob ${entry.id} was not imported`);
  return { type: 'file', path, mode: entry.executable ? 0o755 : 0o644, mtime, size: entry.size, digest };
}

type Imported = { readonly oid: string; readonly digest: Digest; readonly size: number };

/** Puts the content of files into the store; `fresh` is what nobody has noted yet. */
async function importBlobs(
  source: Source,
  directory: string,
  entries: readonly CommitEntry[],
): Promise<{ readonly digests: ReadonlyMap<string, Digest>; readonly fresh: readonly Imported[] }> {
  const oids = [...new Set(entries.filter((entry) => entry.type === 'file').map((entry) => entry.id))];
  const known = new Map(await findSourceObjects(source.db, source.repositoryId, oids));
  const fresh: Imported[] = [];
  const writes = severalAtOnce(atOnce);
  try {
    for await (const blob of readBlobs(
      directory,
      oids.filter((oid) => !known.has(oid)),
    )) {
      const { digest, store } = await takeBlob(source, blob);
      await writes.begin(store);
      fresh.push({ oid: blob.id, digest, size: blob.size });
      known.set(blob.id, digest);
    }
  } finally {
    // Nothing of it goes on after us, whatever ended it.
    await writes.end();
  }
  return { digests: known, fresh };
}

type Taken = { readonly digest: Digest; readonly store: () => Promise<void> };

/** Reads a blob to its end, before which git gives no other one. A large one is stored then, others by `store`. */
async function takeBlob(source: Source, blob: Blob): Promise<Taken> {
  if (blob.size <= inMemory) {
    const bytes = Buffer.concat(await Array.fromAsync(blob.content));
    const digest = digestOf(bytes);
    return { digest, store: () => storeBytes(source, digest, bytes) };
  }
  await mkdir(source.temporary, { recursive: true, mode: 0o700 });
  const path = join(source.temporary, randomUUID());
  const file = await open(path, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    for await (const part of blob.content) {
      hash.update(part);
      await file.writeFile(part);
    }
    await file.close();
    const digest = hash.digest('hex');
    if (!(await isKept(source, digest))) {
      await source.storage.write(digest, Readable.toWeb(createReadStream(path)));
    }
    return { digest, store: async () => {} };
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

/** Targets of symbolic links, bytes as latin1, by the blob that holds them. */
async function readTargets(
  directory: string,
  entries: readonly CommitEntry[],
): Promise<ReadonlyMap<string, string>> {
  const links = entries.filter((entry) => entry.type === 'symlink');
  const long = links.find((entry) => entry.size > longestTarget);
  if (long) throw refusal([long.path], 'has a target that is longer than any path');
  const targets = new Map<string, string>();
  for await (const blob of readBlobs(directory, new Set(links.map((entry) => entry.id)))) {
    targets.set(blob.id, Buffer.concat(await Array.fromAsync(blob.content)).toString('latin1'));
  }
  return targets;
}

function refuseLeavingLinks(entries: readonly CommitEntry[], targets: ReadonlyMap<string, string>): void {
  const links = entries.flatMap((entry) =>
    entry.type === 'symlink' ? [{ path: entry.path, target: targets.get(entry.id) ?? '' }] : [],
  );
  const leaving = leavingLinks(links);
  if (leaving.length > 0)
    throw refusal(
      leaving.map((link) => link.path),
      'leads out of the repository',
    );
}

function refusal(paths: readonly string[], why: string): AttemptFaultError {
  const named = paths.slice(0, 10).map(pathText).join(', ');
  const more = paths.length > 10 ? ` and ${paths.length - 10} more` : '';
  const message = `A symbolic link of the commit ${why}: ${named}${more}. Point it to a file of the repository, or remove it.`;
  return new AttemptFaultError({ class: 'content_refused', message });
}
