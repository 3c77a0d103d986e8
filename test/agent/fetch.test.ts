import { chmod, lstat, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fetchWorkspace } from '../../src/agent/fetch.ts';
import { unpackEntries } from '../../src/agent/file-states.ts';
import { AttemptFaultError } from '../../src/core/attempt.ts';
import type { PathEntry } from '../../src/core/snapshot/build.ts';
import { emptyTreeDigest } from '../../src/core/snapshot/encode.ts';
import { openDirectoryStorage } from '../../src/storage/directory.ts';
import { asAttemptDoor, createBlobDoor, saved, second, type BlobDoor } from './blob-door.ts';
import { reach } from './over-http.ts';

let root: string;
let door: BlobDoor;
let directory: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ame-fetch-'));
  directory = join(root, 'workspace');
  door = createBlobDoor();
});
afterEach(async () => rm(root, { recursive: true, force: true }));

const fetch = async (entries: readonly PathEntry[]) =>
  fetchWorkspace({ door, attempt: 1, root: door.saveTree(entries), directory });

const mtime = 1_600_000_000n * second;
const directoryEntry = (path: string, mode: number, time = mtime): PathEntry => ({
  type: 'directory',
  path,
  mode,
  mtime: time,
});
const link = (path: string, target: string): PathEntry => ({
  type: 'symlink',
  path,
  target,
  mtime: mtime + second,
});
const bytesPath = (name: string) =>
  Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name, 'latin1')]);

/** Through the door, near and far, and by the short way of a store on this machine. */
const ways = ['the door', 'the door over HTTP', 'the store'] as const;

describe.each(ways)('a snapshot restored through %s', (way) => {
  const restore = async (entries: readonly PathEntry[]) => {
    if (way === 'the door') return fetch(entries);
    if (way === 'the door over HTTP') {
      await using reached = await reach('over HTTP', asAttemptDoor(door));
      return await fetchWorkspace({ door: reached, attempt: 1, root: door.saveTree(entries), directory });
    }
    const storage = await openDirectoryStorage(join(root, 'store'));
    for (const [digest, bytes] of door.blobs) await storage.write(digest, ReadableStream.from([bytes]));
    const order = { door, attempt: 1, root: door.saveTree(entries), directory };
    return fetchWorkspace({ ...order, place: async (...file) => storage.place(...file) });
  };

  test('has contents, modes, links and empty directories', async () => {
    await restore([
      saved(door, 'run.sh', '#!', 0o755),
      saved(door, 'a/b/secret', 's', 0o600),
      saved(door, 'a/empty', ''),
      saved(door, 'a/read-only/f', 'r', 0o444),
      directoryEntry('a/read-only', 0o555),
      directoryEntry('hollow', 0o700),
      link('a/latest', '../run.sh'),
      link('nowhere', 'missing'),
    ]);
    expect(await readFile(join(directory, 'a/latest'), 'utf8')).toBe('#!');
    expect(await readlink(join(directory, 'nowhere'))).toBe('missing');
    expect(await readdir(join(directory, 'hollow'))).toEqual([]);
    const modes: Record<string, number> = {
      'run.sh': 0o755,
      'a/b/secret': 0o600,
      a: 0o755,
      'a/read-only': 0o555,
      'a/read-only/f': 0o444,
      hollow: 0o700,
    };
    for (const [path, mode] of Object.entries(modes))
      expect((await stat(join(directory, path))).mode & 0o777).toBe(mode);
    // So that whoever is not root can remove it.
    await chmod(join(directory, 'a/read-only'), 0o755);
  });

  test('has names that are any bytes', async () => {
    const names = ['\xff\xfe', ' ', '\\', 'new\nline', '\xc3\xa9', '-rf', '*', 'a'.repeat(255)];
    await restore(
      names.flatMap((name) => [saved(door, name, name), saved(door, `d-${name.slice(0, 9)}/${name}`, 'x')]),
    );
    for (const name of names) expect(await readFile(bytesPath(name), 'utf8')).toBe(name);
  });

  test('has times, as exact as Node can set them', async () => {
    const times = [1_600_000_000_123_456_789n, 0n, 999_999_999n, -1_500_000_000n, 4_000_000_000n * second];
    await restore([
      ...times.map((time, i) => saved(door, `f${i}`, 'x', 0o644, time)),
      ...times.map((time, i) => directoryEntry(`d${i}`, 0o755, time)),
      saved(door, 'd0/inside', 'x'),
      link('l', 'f0'),
    ]);
    for (const [i, time] of times.entries())
      for (const name of [`f${i}`, `d${i}`]) {
        const { mtimeNs } = await lstat(join(directory, name), { bigint: true });
        expect(Math.abs(Number(mtimeNs - time))).toBeLessThan(250);
      }
    expect((await lstat(join(directory, 'l'), { bigint: true })).mtimeNs).toBe(mtime + second);
  });
});

describe('restoring', () => {
  test('tells the states of all it made, each older than the moment they count from', async () => {
    const states = await fetch([
      saved(door, 'a/f', 'f'),
      saved(door, 'a/g', 'g'),
      link('l', 'a'),
      directoryEntry('e', 0o755),
    ]);
    const known = [...states.directories].flatMap(([path, packed]) =>
      [...unpackEntries(packed)].map(([name, entry]) => ({
        path: path === '' ? name : `${path}/${name}`,
        entry,
      })),
    );
    expect(known.map(({ path }) => path).sort()).toEqual(['a', 'a/f', 'a/g', 'e', 'l']);
    for (const { path, entry } of known) {
      const found = await lstat(join(directory, path), { bigint: true });
      expect([entry.ctimeNs, entry.mtimeNs, entry.ino]).toEqual([found.ctimeNs, found.mtimeNs, found.ino]);
      expect(entry.ctimeNs < states.settledBefore).toBe(true);
    }
  });

  test('of nothing makes an empty directory', async () => {
    await fetchWorkspace({ door, attempt: 1, root: emptyTreeDigest, directory });
    expect(await readdir(directory)).toEqual([]);
  });

  test('needs an empty directory', async () => {
    await writeFile(join(root, 'left'), '');
    const order = { door, attempt: 1, root: door.saveTree([]), directory: root };
    await expect(fetchWorkspace(order)).rejects.toThrow('empty directory');
  });

  test.each(['/etc/passwd', '../x', 'up/../..'])(
    'refuses a link to %s, and makes no link at all',
    async (target) => {
      const entries = [link('d/bad', `../${target}`.replace('..//', '/')), link('up', 'd'), link('ok', 'd')];
      const failure = fetch(entries);
      await expect(failure).rejects.toThrow(AttemptFaultError);
      await expect(failure).rejects.toThrow('d/bad');
      expect(await readdir(directory)).toEqual(['d']);
    },
  );

  test('says when stored content is not what it was', async () => {
    const entry = saved(door, 'f', 'spam');
    const tree = door.saveTree([entry]);
    door.blobs.set(door.save('spam'), Buffer.from('spa'));
    const failure = fetchWorkspace({ door, attempt: 1, root: tree, directory });
    await expect(failure).rejects.toMatchObject({ fault: { class: 'restore_failed' } });
  });

  test('ends with its signal', async () => {
    const stop = new AbortController();
    const { readBlob } = door;
    const slow: typeof readBlob = async (attempt, digest) => {
      const content = await readBlob(attempt, digest);
      if (digest === door.save('f7')) stop.abort(new Error('stopped'));
      return content;
    };
    const entries = Array.from({ length: 100 }, (_, i) => saved(door, `f${i}`, `f${i}`));
    const order = {
      door: { readBlob: slow },
      attempt: 1,
      root: door.saveTree(entries),
      directory,
      signal: stop.signal,
    };
    await expect(fetchWorkspace(order)).rejects.toThrow('stopped');
    expect((await readdir(directory)).length).toBeLessThan(100);
  });
});
