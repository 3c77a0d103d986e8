import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { saveBelow } from '../../src/cli/download.ts';
import { pathText } from '../../src/core/snapshot/path-text.ts';

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ame-test-download-'));
  folder = join(root, 'into');
  await mkdir(folder);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  for (const character of text) yield Buffer.from(character);
}
const save = (path: string, text = 'content', mode = 0o644): Promise<void> =>
  saveBelow(folder, { path, digest: digest(text), mode }, bytes(text));

test('writes folders, content and permissions, and writes again', async () => {
  await save('a/b/c.txt', 'old');
  await save('a/b/c.txt', 'new', 0o4755);
  expect(await readFile(join(folder, 'a/b/c.txt'), 'utf8')).toBe('new');
  expect((await stat(join(folder, 'a/b/c.txt'))).mode & 0o7777).toBe(0o755);
  await save('empty', '');
  expect((await readdir(folder)).sort()).toEqual(['a', 'empty']);
});

test.each([['../out'], ['/etc/out'], ['a/../../out'], ['.'], [''], ['a//b'], ['a/'], ['a\0b'], ['..']])(
  '%j is no path below a folder',
  async (path) => {
    await expect(save(path)).rejects.toThrow('which is no path below a folder');
    expect(await readdir(root)).toEqual(['into']);
    expect(await readdir(folder)).toEqual([]);
  },
);

test('no symbolic link leads out', async () => {
  await mkdir(join(root, 'outside'));
  await symlink(join(root, 'outside'), join(folder, 'link'));
  await writeFile(join(root, 'target'), 'kept');
  await symlink(join(root, 'target'), join(folder, 'file'));
  await expect(save('link/x')).rejects.toThrow('is in the way');
  await save('file');
  expect(await readdir(join(root, 'outside'))).toEqual([]);
  expect(await readFile(join(root, 'target'), 'utf8')).toBe('kept');
  expect(await readFile(join(folder, 'file'), 'utf8')).toBe('content');
});

test('what arrives changed is not written', async () => {
  await writeFile(join(folder, 'a'), 'before');
  const wrong = saveBelow(folder, { path: 'a', digest: digest('other'), mode: 0o644 }, bytes('content'));
  await expect(wrong).rejects.toThrow('did not arrive as it was stored');
  expect(await readdir(folder)).toEqual(['a']);
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('before');
});

test('names that are no UTF-8 get their bytes back', async () => {
  const names = ['caf\xe9', 'a\\x41b', '\xf0\x9f\x98\x80'];
  for (const name of names) await save(pathText(name));
  const found = (await readdir(folder, { encoding: 'buffer' })).map((name) => name.toString('latin1'));
  expect(found.sort()).toEqual(names.toSorted());
});
