import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { setGitSearchPath } from '../../src/git/environment.ts';
import {
  adoptHead,
  advertiseRefs,
  createRepository,
  parseProtocol,
  readHead,
  repositoryDirectory,
  setHead,
} from '../../src/git/host.ts';
import { listRefs, resolveRef } from '../../src/git/repository.ts';
import { git, scratch } from './real-git.ts';

let temporary: Awaited<ReturnType<typeof scratch>>;
let directory: string;

beforeEach(async () => {
  temporary = await scratch();
  directory = repositoryDirectory(join(temporary.path, 'repositories'), 7);
});

afterEach(() => temporary[Symbol.asyncDispose]());

test('a repository is made once, however many ask at once, and holds nothing of this machine', async () => {
  await Promise.all([1, 2, 3, 4].map(() => createRepository(directory)));
  await createRepository(directory);
  expect(await readdir(join(directory, '..'))).toEqual(['7.git']);
  expect((await readdir(directory)).toSorted()).toEqual(['HEAD', 'config', 'objects', 'refs']);
  expect(await git(directory, 'config', 'gc.pruneExpire')).toBe('never');
  expect(await listRefs(directory)).toEqual([]);
});

test.each([0, -1, 1.5, NaN, Infinity])('%d is no number of a repository', (id) => {
  expect(() => repositoryDirectory('/data', id)).toThrow(RangeError);
});

test('the default branch follows the first push and then stays', async () => {
  await createRepository(directory);
  expect(await adoptHead(directory, [])).toBe('refs/heads/main');
  const commit = await git(directory, 'commit-tree', '-m', 'x', await git(directory, 'write-tree'));
  for (const branch of ['topic', 'main']) await git(directory, 'update-ref', `refs/heads/${branch}`, commit);
  await git(directory, 'update-ref', '-d', 'refs/heads/main');
  expect(await adoptHead(directory, ['refs/heads/topic'])).toBe('refs/heads/topic');
  await git(directory, 'update-ref', 'refs/heads/main', commit);
  expect(await adoptHead(directory, ['refs/heads/main'])).toBe('refs/heads/topic');
  await setHead(directory, 'refs/heads/main');
  expect(await readHead(directory)).toBe('refs/heads/main');
  await expect(setHead(directory, 'refs/tags/x')).rejects.toThrow('not a branch');
});

test.each([
  ['version=2', 'version=2'],
  ['agent=x:version=1', 'version=1'],
  ['version=9', null],
  ['version=2; id', null],
  [undefined, null],
])('Git-Protocol: %s', (header, expected) => {
  expect(parseProtocol(header)).toBe(expected);
});

test('a missing git is said in one line', async () => {
  await createRepository(directory);
  try {
    setGitSearchPath('/nonexistent');
    await expect(resolveRef(directory, 'main')).rejects.toThrow(/git .*ENOENT|not found/);
    await expect(Array.fromAsync(advertiseRefs(directory, 'git-upload-pack', null))).rejects.toThrow(
      'git or the repository was not found',
    );
  } finally {
    setGitSearchPath(process.env['PATH'] ?? '');
  }
});
