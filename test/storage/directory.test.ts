import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/snapshot.ts';
import { openDirectoryStorage } from '../../src/storage/directory.ts';
import { chunkBytes } from '../../src/storage/file-stream.ts';
import { BlobMismatchError, BlobMissingError } from '../../src/core/blob.ts';
import { noDigests, spam, storageSuite, streamOf, textOf } from './suite.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ame-storage-'));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

const open = async () => openDirectoryStorage(join(root, 'store'));
const incoming = async () => readdir(join(root, 'store', 'incoming'));

storageSuite('a directory', async () => ({
  storage: await open(),
  again: open,
  leftovers: incoming,
  close: async () => {},
}));

describe('content of a directory', () => {
  test('has no place that is no digest', async () => {
    const storage = await open();
    for (const digest of noDigests)
      await expect(storage.place(digest, join(root, 'x'), 0o644)).rejects.toThrow(BlobMissingError);
  });

  test('is read no further than its reader asks', async () => {
    const storage = await open();
    const large = Buffer.alloc(3 * chunkBytes);
    await storage.write(digestOf(large), ReadableStream.from([large]));
    const reader = (await storage.read(digestOf(large))).getReader();
    expect((await reader.read()).value?.length).toBe(chunkBytes);
    await truncate(join(root, 'store', 'blobs', digestOf(large).slice(0, 2), digestOf(large)), chunkBytes);
    await expect(reader.read()).rejects.toThrow('ended before its length');
    const other = await storage.read(digestOf(large));
    await other.cancel();
  });
});

describe('a file of this machine', () => {
  test('is adopted, under the digest that its content has', async () => {
    const storage = await open();
    await writeFile(join(root, 'f'), 'spam');
    expect(await storage.adopt(join(root, 'f'))).toEqual({ digest: spam, size: 4 });
    expect(await textOf(await storage.read(spam))).toBe('spam');
    await writeFile(join(root, 'f'), 'eggs');
    expect(await textOf(await storage.read(spam))).toBe('spam');
  });

  test('is not read where its content is known already', async () => {
    const storage = await open();
    await storage.write(spam, streamOf('spam'));
    expect(await storage.adopt(join(root, 'missing'), spam)).toEqual({ digest: spam, size: 4 });
  });

  test('that changed is refused, and so is a link', async () => {
    const storage = await open();
    await writeFile(join(root, 'f'), 'eggs');
    await symlink('f', join(root, 'l'));
    await expect(storage.adopt(join(root, 'f'), spam)).rejects.toThrow(BlobMismatchError);
    await expect(storage.adopt(join(root, 'l'))).rejects.toThrow('ELOOP');
    await expect(storage.adopt('/dev/null')).rejects.toThrow(BlobMismatchError);
    expect(await incoming()).toEqual([]);
  });

  test.each([0o644, 0o755, 0o400])('is made with its mode %o, and is nobody else’s', async (mode) => {
    const storage = await open();
    await storage.write(spam, streamOf('spam'));
    const path = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff])]);
    await storage.place(spam, path, mode);
    const { mode: found, nlink } = await stat(path);
    expect([found & 0o777, nlink]).toEqual([mode, 1]);
    await chmod(path, 0o644);
    await writeFile(path, 'eggs');
    expect(await textOf(await storage.read(spam))).toBe('spam');
  });

  test('is never written over, and not made of what is missing', async () => {
    const storage = await open();
    await expect(storage.place(spam, join(root, 'f'), 0o644)).rejects.toThrow(BlobMissingError);
    await storage.write(spam, streamOf('spam'));
    await writeFile(join(root, 'f'), 'eggs');
    await expect(storage.place(spam, join(root, 'f'), 0o644)).rejects.toThrow('EEXIST');
    expect(await readFile(join(root, 'f'), 'utf8')).toBe('eggs');
    await expect(storage.place(spam, join(root, 'no', 'f'), 0o644)).rejects.toThrow('ENOENT');
  });
});

describe('a crash', () => {
  test('in the middle of a write leaves neither content nor, after the next start, a trace', async () => {
    const program = `
      const { openDirectoryStorage } = await import(${JSON.stringify(new URL('../../src/storage/directory.ts', import.meta.url).href)});
      const storage = await openDirectoryStorage(process.argv[1]);
      const content = new ReadableStream({
        start: (controller) => controller.enqueue(Buffer.from('sp')),
        pull: () => new Promise(() => { process.stdout.write('half'); setInterval(() => {}, 1000); }),
      }, { highWaterMark: 1 });
      await storage.write(${JSON.stringify(spam)}, content);`;
    const args = ['--input-type=module', '-e', program, join(root, 'store')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await incoming()).toHaveLength(1);
    const storage = await open();
    expect([await storage.has(spam), await incoming()]).toEqual([false, []]);
  });

  test('of an earlier process with the same id, as in a container, is cleaned up too', async () => {
    await open();
    const left = join(root, 'store', 'incoming', `${process.pid}.another-word.1`);
    await writeFile(left, 'sp');
    await utimes(left, 1, 1);
    await open();
    expect(await incoming()).toEqual([]);
  });
});
