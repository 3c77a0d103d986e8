import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, open, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/agent/clock.ts';
import { collectArtifacts } from '../../src/agent/collect-artifacts.ts';
import { collectWorkspace, type CollectOrder } from '../../src/agent/collect.ts';
import { createContent } from '../../src/agent/content.ts';
import { fetchWorkspace } from '../../src/agent/fetch.ts';
import { noStates } from '../../src/agent/file-states.ts';
import { digestOf, type Digest } from '../../src/core/snapshot.ts';
import { openDirectoryStorage } from '../../src/storage/directory.ts';
import { asAttemptDoor, createBlobDoor, saved, type BlobDoor } from './blob-door.ts';
import { doorWays, reach, type DoorWay } from './over-http.ts';

let root: string;
let directory: string;
let door: BlobDoor;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ame-collect-'));
  directory = join(root, 'workspace');
  await mkdir(directory);
  door = createBlobDoor();
});
afterEach(async () => rm(root, { recursive: true, force: true }));

const put = async (path: string, content = path) => {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), content);
};
const collect = async (changes: Partial<CollectOrder> = {}) =>
  collectWorkspace({ door, attempt: 1, directory, known: noStates, now: Date.now, ...changes });
const textAt = async (root: Digest, path: string) => {
  const entry = (await door.list(root)).find((placed) => placed.path === path)?.entry;
  return entry?.type === 'file' ? Buffer.from(door.blobs.get(entry.digest) ?? []).toString() : undefined;
};

/** Collects through this door, reached in this way. */
async function collectBy(way: DoorWay, changes: Partial<CollectOrder>) {
  await using reached = await reach(way, asAttemptDoor({ ...door, ...changes.door }));
  return await collect({ ...changes, door: reached });
}

/** A workspace that was restored from these files. */
async function restored(files: Record<string, string>) {
  await rm(directory, { recursive: true });
  const input = door.saveTree(Object.entries(files).map(([path, content]) => saved(door, path, content)));
  return { input, known: await fetchWorkspace({ door, attempt: 1, root: input, directory }) };
}

describe.each(doorWays)('collecting, with a door that is reached %s,', (way) => {
  const collectHere = async (changes: Partial<CollectOrder> = {}) => collectBy(way, changes);

  test('stores everything, files before the trees that name them, the root last', async () => {
    await put('a/f');
    await put('a/b/g');
    const { root, sent } = await collectHere();
    expect(await textAt(root, 'a/b/g')).toBe('a/b/g');
    const files = new Set(['a/f', 'a/b/g'].map((text) => digestOf(Buffer.from(text))));
    expect(door.written.slice(0, 2).every((digest) => files.has(digest))).toBe(true);
    expect([sent, door.written.length, door.written.at(-1)]).toEqual([2, 5, root]);
  });

  test('sends only what the store has not', async () => {
    const { input, known } = await restored({ 'data/a': 'a', 'data/b': 'b', f: 'f' });
    const bytes = { all: 3, changed: 0 };
    expect(await collectHere({ known })).toMatchObject({ root: input, hashed: 0, sent: 0, bytes });
    expect(door.written).toEqual([]);
    await put('data/copy', 'a');
    await put('new', 'n');
    const { root, hashed, sent, bytes: after } = await collectHere({ known });
    expect([hashed, sent, after]).toEqual([2, 1, { all: 5, changed: 2 }]);
    expect((await door.list(root)).map(({ path }) => path)).toEqual([
      'data',
      'data/a',
      'data/b',
      'data/copy',
      'f',
      'new',
    ]);
  });

  test('sends content once, however often it occurs', async () => {
    for (const path of ['a', 'b', 'c/d']) await put(path, 'same');
    expect((await collectHere()).sent).toBe(1);
  });

  test('asks for many digests in batches', async () => {
    for (let i = 0; i < 1100; i++) await put(`f${i}`);
    const asked: number[] = [];
    const missingBlobs: BlobDoor['missingBlobs'] = async (attempt, digests) => {
      asked.push(digests.length);
      return door.missingBlobs(attempt, digests);
    };
    await collectHere({ door: { ...door, missingBlobs } });
    expect(asked).toEqual([1000, 101]);
  });

  test('sends a large file in chunks', async () => {
    const file = await open(join(directory, 'large'), 'w');
    await file.truncate(64 * 1024 * 1024);
    await file.close();
    let [size, largest] = [0, 0];
    const writeBlob: BlobDoor['writeBlob'] = async (_, __, content) => {
      for await (const chunk of content) {
        size += chunk.length;
        largest = Math.max(largest, chunk.length);
      }
    };
    await collectHere({ door: { ...door, writeBlob } });
    expect(size).toBeGreaterThan(64 * 1024 * 1024);
    expect(largest).toBeLessThanOrEqual(256 * 1024);
  });

  test('refuses what cannot be kept, and sends nothing', async () => {
    await put('f');
    await symlink('/etc', join(directory, 'l'));
    await expect(collectHere()).rejects.toMatchObject({ fault: { class: 'content_refused' } });
    expect(door.written).toEqual([]);
  });
});

test('throws what the door threw', async () => {
  await put('f');
  const writeBlob = () => Promise.reject(new Error('the store is away'));
  await expect(collect({ door: { ...door, writeBlob } })).rejects.toThrow('the store is away');
});

describe('a workspace that changes while it is stored', () => {
  /** A door at which `event` happens before a file's content is first sent. */
  const interrupted = (event: () => Promise<void>, times: number) => {
    let left = times;
    const writeBlob: BlobDoor['writeBlob'] = async (attempt, digest, content) => {
      if (left-- > 0) await event();
      return door.writeBlob(attempt, digest, content);
    };
    return { ...door, writeBlob };
  };

  test('is looked at again', async () => {
    await put('log', '1');
    const { root } = await collect({
      door: interrupted(async () => appendFile(join(directory, 'log'), '2'), 1),
    });
    // A file that grew was still there as it had been.
    expect(await textAt(root, 'log')).toBe('1');
    await put('f', 'early');
    const again = await collect({ door: interrupted(async () => put('f', 'late'), 1) });
    expect(await textAt(again.root, 'f')).toBe('late');
  });

  test('may lose files', async () => {
    await put('keep');
    await put('f');
    const remove = async () => unlink(join(directory, 'f')).catch(() => undefined);
    const { root } = await collect({ door: interrupted(remove, 1) });
    expect((await door.list(root)).map(({ path }) => path)).toContain('keep');
  });

  test('without end is given up with the names', async () => {
    let content = 0;
    const change = async () => put('f', `${content++}`);
    await put('f');
    const failure = collect({ door: interrupted(change, 99) });
    await expect(failure).rejects.toMatchObject({ fault: { class: 'store_failed' } });
    await expect(failure).rejects.toThrow(': f.');
  });
});

describe('the store of this machine', () => {
  test('is given files by a short way and trees through the door', async () => {
    const storage = await openDirectoryStorage(join(root, 'store'));
    const viaDoor: Digest[] = [];
    const local: BlobDoor = {
      ...door,
      async missingBlobs(_, digests) {
        const has = await Promise.all(digests.map(async (digest) => storage.has(digest)));
        return new Set(digests.filter((_, i) => has[i] !== true));
      },
      async writeBlob(_, digest, content) {
        viaDoor.push(digest);
        await storage.write(digest, content);
      },
    };
    await put('a/f');
    const put_ = async (path: Buffer, digest: Digest) => {
      const adopted = await storage.adopt(path, digest);
      return adopted.digest === digest;
    };
    const { root: output } = await collect({ door: local, put: put_ });
    expect([viaDoor.length, await storage.has(digestOf(Buffer.from('a/f'))), viaDoor.at(-1)]).toEqual([
      2,
      true,
      output,
    ]);
  });
});

test('the two ends of an attempt fit together', async () => {
  const ends = createContent({ clock: systemClock });
  const input = door.saveTree([saved(door, 'f', 'f'), saved(door, 'in', 'i')]);
  const { signal } = new AbortController();
  const request = { door: asAttemptDoor(door), attempt: 1, root: input, directory, signal };
  const restored = await ends.fetch(request);
  await put('out/model');
  const first = await ends.collect({ ...request, restored, artifacts: null });
  expect(first.artifacts.map(({ path, size }) => [path, size])).toEqual([['out/model', 9]]);
  expect(await ends.collect({ ...request, restored, artifacts: null })).toEqual(first);
});

describe('artifacts', () => {
  test('are what is new or changed and not ignored', async () => {
    const { input, known } = await restored({
      '.ameignore': '*.tmp\n*a*a*a*a*a\n',
      'in.csv': 'i',
      'train.py': 't',
    });
    await put('out/model');
    await put('out/x.tmp');
    await put('in.csv', 'I');
    const { root: output, trees } = await collect({ known });
    const order = { door, attempt: 1, input, output, trees };
    const found = await collectArtifacts({ ...order, globs: null });
    expect(found.artifacts.map(({ path }) => path)).toEqual(['in.csv', 'out/model']);
    expect(found.notices).toEqual(['Line 2 of .ameignore has too many stars and was not used.']);
    const chosen = await collectArtifacts({ ...order, globs: ['**/*.tmp', '*.py'] });
    expect([chosen.artifacts.map(({ path }) => path), chosen.notices]).toEqual([['out/x.tmp'], []]);
  });
});

test('memory does not grow with the size of a file', { timeout: 60_000 }, async () => {
  const size = 512 * 1024 ** 2;
  const file = await open(join(directory, 'large'), 'w');
  await file.truncate(size);
  await file.close();
  const script = join(import.meta.dirname, 'collect-large.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, directory]);
  const { bytes, grown }: { bytes: number; grown: number } = JSON.parse(stdout);
  expect(bytes).toBeGreaterThan(size);
  expect(grown).toBeLessThan(200 * 1024 ** 2);
});
