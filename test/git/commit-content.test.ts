import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findAbsentContent, isLfsPointer } from '../../src/git/absent-content.ts';
import { readBlobs } from '../../src/git/blobs.ts';
import { commitTree, readTreeEntries } from '../../src/git/commit-tree.ts';
import { keepCommits, repackRepository } from '../../src/git/host.ts';
import { emptyTree } from '../../src/git/object-id.ts';
import { blobIdAt, isAncestor } from '../../src/git/repository.ts';
import { git, scratch, tryGit } from './real-git.ts';
import { pointer, sampleRepository } from './sample-repository.ts';

let temporary: Awaited<ReturnType<typeof scratch>>;
let work: string;
let dir: string;
let first: string;
let lonely: string;

beforeAll(async () => {
  temporary = await scratch();
  ({ work, dir, first, lonely } = await sampleRepository(temporary.path));
});

afterAll(() => temporary[Symbol.asyncDispose]());

describe('the content of a commit', () => {
  test('every entry with its kind, size and id', async () => {
    const entries = await Array.fromAsync(commitTree(dir, first));
    const shown = entries.map((entry) => ({ ...entry, id: entry.id.length }));
    const file = { type: 'file', executable: false, id: 40 };
    expect(shown).toEqual([
      { ...file, path: '--output=x', size: 6 },
      { ...file, path: 'ame.yaml', size: 18 },
      { ...file, path: 'empty', size: 0 },
      { type: 'symlink', path: 'link', id: 40, size: 10 },
      { ...file, path: 'long', size: 300 * 1024 },
      { ...file, path: 'new\nline *?[a]', size: 3 },
      { ...file, path: 'run.sh', executable: true, size: 10 },
      { ...file, path: Buffer.from('src/deep/grün.py').toString('latin1'), size: 7 },
      { type: 'submodule', path: 'vendor', id: 40 },
      { ...file, path: 'weights.bin', size: pointer.length },
    ]);
  });

  test('one directory at a time', async () => {
    const top = await readTreeEntries(dir, first);
    const src = top.find(({ path }) => path === 'src');
    expect(src).toMatchObject({ type: 'directory' });
    expect(await readTreeEntries(dir, src?.id ?? '')).toMatchObject([{ type: 'directory', path: 'deep' }]);
    expect(await readTreeEntries(dir, emptyTree(first))).toEqual([]);
  });

  test('paths are bytes', async () => {
    expect(await Array.fromAsync(commitTree(dir, lonely))).toMatchObject([{ path: 'caf\xe9' }]);
  });

  test('blobs one after another, whether they are read, left or broken off', async () => {
    const entries = await Array.fromAsync(commitTree(dir, first));
    const ids = entries.flatMap((entry) => (entry.type === 'submodule' ? [] : [entry.id]));
    const sizes: number[] = [];
    let index = 0;
    for await (const { size, content } of readBlobs(dir, [...ids, ...ids, ...ids])) {
      if (index % 3 === 0) sizes.push((await new Response(content).bytes()).length - size);
      if (index % 3 === 1) await content.cancel();
      index += 1;
    }
    expect(index).toBe(ids.length * 3);
    expect(sizes).toEqual(sizes.map(() => 0));
  });

  test('a blob that is passed over half read does not harm the next', async () => {
    const long = (await blobIdAt(dir, first, 'long')) ?? '';
    const short = (await blobIdAt(dir, first, 'run.sh')) ?? '';
    const blobs = readBlobs(dir, [long, short]);
    const one = await blobs.next();
    const reader = one.value?.content.getReader();
    await reader?.read();
    const two = await blobs.next();
    expect(await new Response(two.value?.content).text()).toBe('#!/bin/sh\n');
    await expect(reader?.read()).rejects.toThrow('passed over');
    expect(await blobs.next()).toMatchObject({ done: true });
  });

  test('an id that is absent or no blob is an error; an early leave is none', async () => {
    await expect(Array.fromAsync(readBlobs(dir, ['a'.repeat(40)]))).rejects.toThrow('is missing');
    await expect(Array.fromAsync(readBlobs(dir, [first]))).rejects.toThrow('is a commit, not a blob');
    const long = (await blobIdAt(dir, first, 'long')) ?? '';
    for await (const found of readBlobs(
      dir,
      Array.from({ length: 50 }, () => long),
    )) {
      expect(found.size).toBe(300 * 1024);
      break;
    }
    for await (const entry of commitTree(dir, first)) {
      expect(entry.path).toBe('--output=x');
      break;
    }
  });

  test('what is not in it: LFS pointers and submodules', async () => {
    expect(await findAbsentContent(dir, first)).toEqual({
      lfs: { count: 1, paths: ['weights.bin'] },
      submodules: { count: 1, paths: ['vendor'] },
    });
    expect(await findAbsentContent(dir, lonely)).toEqual({
      lfs: { count: 0, paths: [] },
      submodules: { count: 0, paths: [] },
    });
  });

  test.each([
    [pointer, true],
    [pointer.replace('git-lfs.github.com', 'hawser.github.com'), true],
    [pointer.replace('size', 'ext-0-x sha256:1\nsize'), true],
    [`x${pointer}`, false],
    [pointer.replace('oid', 'old'), false],
    [pointer.slice(0, 100), false],
    [pointer.padEnd(1024, '\n'), false],
  ])('pointer %#', (text, expected) => {
    expect(isLfsPointer(Buffer.from(text))).toBe(expected);
  });
});

test('packing keeps what no branch leads to', async () => {
  const loose = (await tryGit(work, ['hash-object', '-w', '--stdin'], 'nobody refers to this')).out.trim();
  const commit = await git(work, 'commit-tree', '-m', 'kept', `${first}^{tree}`);
  await keepCommits(dir, [commit]);
  await keepCommits(dir, [commit]);
  await repackRepository(dir);
  const blobs = await Array.fromAsync(readBlobs(dir, [loose]));
  expect(blobs).toMatchObject([{ size: 21 }]);
  expect(await isAncestor(dir, commit, commit)).toBe(true);
});
