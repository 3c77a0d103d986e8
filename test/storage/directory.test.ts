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
import { BlobMismatchError, BlobMissingError } from '../../src/storage/storage.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ame-storage-'));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

const open = async () => openDirectoryStorage(join(root, 'store'));
const bytesOf = (text: string) => Buffer.from(text);
const streamOf = (...texts: readonly string[]) => ReadableStream.from(texts.map(bytesOf));
const textOf = async (stream: ReadableStream<Uint8Array>) =>
  Buffer.concat(await Array.fromAsync(stream)).toString();
const incoming = async () => readdir(join(root, 'store', 'incoming'));
const spam = digestOf(bytesOf('spam'));

describe('content', () => {
  test('is there once it is written, and gone once it is removed', async () => {
    const storage = await open();
    expect(await storage.has(spam)).toBe(false);
    expect(await storage.write(spam, streamOf('sp', '', 'am'))).toBe(4);
    expect(await storage.has(spam)).toBe(true);
    expect(await textOf(await storage.read(spam))).toBe('spam');
    await storage.remove(spam);
    await storage.remove(spam);
    expect(await storage.has(spam)).toBe(false);
    await expect(storage.read(spam)).rejects.toThrow(BlobMissingError);
  });

  test('survives the process that wrote it', async () => {
    await (await open()).write(spam, streamOf('spam'));
    expect(await textOf(await (await open()).read(spam))).toBe('spam');
  });

  test('may be empty', async () => {
    const storage = await open();
    const nothing = digestOf(bytesOf(''));
    expect(await storage.write(nothing, streamOf())).toBe(0);
    expect(await textOf(await storage.read(nothing))).toBe('');
  });

  test.each([
    [{ from: 0, to: 0 }, 's'],
    [{ from: 1, to: 2 }, 'pa'],
    [{ from: 2, to: 99 }, 'am'],
    [{ from: 4, to: 9 }, ''],
  ])('is read in part: %j', async (range, text) => {
    const storage = await open();
    await storage.write(spam, streamOf('spam'));
    expect(await textOf(await storage.read(spam, range))).toBe(text);
  });

  test('that is not what it is said to be is not kept, whether or not the digest is known', async () => {
    const storage = await open();
    await expect(storage.write(spam, streamOf('eggs'))).rejects.toThrow(BlobMismatchError);
    expect(await storage.has(spam)).toBe(false);
    await storage.write(spam, streamOf('spam'));
    await expect(storage.write(spam, streamOf('eggs'))).rejects.toThrow(BlobMismatchError);
    expect(await textOf(await storage.read(spam))).toBe('spam');
    expect(await incoming()).toEqual([]);
  });

  test('whose sender fails leaves nothing', async () => {
    const storage = await open();
    const broken = ReadableStream.from(
      (async function* () {
        yield bytesOf('sp');
        throw new Error('the line went dead');
      })(),
    );
    await expect(storage.write(spam, broken)).rejects.toThrow('the line went dead');
    expect([await storage.has(spam), await incoming()]).toEqual([false, []]);
  });

  test.each(['..', '../../etc/passwd', spam.toUpperCase(), '', `${spam}/x`])(
    'has no digest %j',
    async (digest) => {
      const storage = await open();
      await expect(storage.has(digest)).rejects.toThrow(BlobMissingError);
      await expect(storage.read(digest)).rejects.toThrow(BlobMissingError);
      await expect(storage.write(digest, streamOf('x'))).rejects.toThrow(BlobMissingError);
      await expect(storage.place(digest, join(root, 'x'), 0o644)).rejects.toThrow(BlobMissingError);
    },
  );

  test('comes from many writers at once', async () => {
    const storages = await Promise.all([open(), open()]);
    const texts = Array.from({ length: 20 }, (_, i) => `text ${i % 7}`);
    const write = async (text: string, i: number) =>
      storages[i % 2]?.write(digestOf(bytesOf(text)), streamOf(text));
    expect(await Promise.all(texts.map(write))).toEqual(texts.map(() => 6));
    for (const text of texts)
      expect(await textOf(await (await open()).read(digestOf(bytesOf(text))))).toBe(text);
    expect(await incoming()).toEqual([]);
  });

  test('of any size passes in chunks', async () => {
    const storage = await open();
    const part = Buffer.alloc(1024 * 1024, 'ame');
    const parts = 64;
    const digest = digestOf(Buffer.concat(Array.from({ length: parts }, () => part)));
    let [asked, most] = [0, 0];
    const content = new ReadableStream<Uint8Array>(
      { pull: (controller) => (asked++ < parts ? controller.enqueue(part) : controller.close()) },
      { highWaterMark: 0 },
    );
    expect(await storage.write(digest, content)).toBe(parts * part.length);
    let size = 0;
    for await (const chunk of await storage.read(digest)) {
      most = Math.max(most, chunk.length);
      size += chunk.length;
    }
    expect({ size, most }).toEqual({ size: parts * part.length, most: chunkBytes });
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
