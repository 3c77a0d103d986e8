import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GitError } from '../../src/git/git-error.ts';
import {
  AmbiguousCommitError,
  blobIdAt,
  changedPaths,
  commitInfo,
  isAncestor,
  listRefs,
  mergeBase,
  readFileAt,
  resolveRef,
} from '../../src/git/repository.ts';
import { git, scratch } from './real-git.ts';
import { sampleRepository, zero } from './sample-repository.ts';

let temporary: Awaited<ReturnType<typeof scratch>>;
let work: string;
let dir: string;
let first: string;
let second: string;
let side: string;
let lonely: string;

beforeAll(async () => {
  temporary = await scratch();
  ({ work, dir, first, second, side, lonely } = await sampleRepository(temporary.path));
});

afterAll(() => temporary[Symbol.asyncDispose]());

describe('a file at a commit', () => {
  test.each([
    ['ame.yaml', '100644', 'projectname: spam\n'],
    ['run.sh', '100755', '#!/bin/sh\n'],
    ['empty', '100644', ''],
    ['link', '120000', '../outside'],
    ['--output=x', '100644', 'option'],
    ['new\nline *?[a]', '100644', 'odd'],
    ['src/deep/grün.py', '100644', 'print()'],
  ])('%j', async (path, mode, text) => {
    const file = await readFileAt(dir, first, path);
    expect(file).toMatchObject({ mode, id: await git(work, 'rev-parse', `${first}:${path}`) });
    expect(file?.content.toString()).toBe(text);
    expect(await blobIdAt(dir, first, path)).toBe(file?.id);
  });

  test.each([
    'absent',
    'src',
    'src/',
    '',
    '/',
    '.',
    '..',
    'vendor',
    'new*',
    'src/deep',
    'src/../ame.yaml',
    'a\0b',
  ])('%j is none', async (path) => {
    expect(await readFileAt(dir, first, path)).toBeNull();
    expect(await blobIdAt(dir, first, path)).toBeNull();
  });

  test('a long one is cut one byte after what is allowed', async () => {
    expect((await readFileAt(dir, first, 'long'))?.content.length).toBe(256 * 1024 + 1);
  });

  test.each(['HEAD', 'main', '--output=x', '', `${'a'.repeat(40)}\n`, 'A'.repeat(40), 'a'.repeat(39)])(
    'a commit is a whole id: %j is refused',
    async (commit) => {
      await expect(readFileAt(dir, commit, 'ame.yaml')).rejects.toThrow('not an object id');
      await expect(changedPaths(dir, commit, first)).rejects.toThrow('not an object id');
    },
  );

  test('a commit that is absent is an error with the words of git', async () => {
    await expect(blobIdAt(dir, 'a'.repeat(40), 'x')).rejects.toThrow(
      /^git ls-tree: fatal: not a tree object/,
    );
    await expect(blobIdAt(join(work, 'none'), first, 'x')).rejects.toBeInstanceOf(GitError);
  });
});

describe('what changed', () => {
  const all = [
    '--output=x',
    'ame.yaml',
    'empty',
    'link',
    'long',
    'new\nline *?[a]',
    'run.sh',
    'src/deep/grün.py',
    'vendor',
    'weights.bin',
  ];

  test('between two commits: content, mode, and both names of a moved file', async () => {
    expect(await changedPaths(dir, first, second)).toEqual([
      'ame.yaml',
      'moved.yaml',
      'run.sh',
      'src/deep/grün.py',
    ]);
    expect(await changedPaths(dir, first, first)).toEqual([]);
  });

  test('on a new branch against its base, or against nothing', async () => {
    expect(await changedPaths(dir, zero, side, second)).toEqual(expect.arrayContaining(['side', 'ame.yaml']));
    expect(await changedPaths(dir, zero, side, first)).toEqual(['side']);
    expect(await changedPaths(dir, zero, first)).toEqual(all);
  });

  test('by a deletion', async () => {
    expect(await changedPaths(dir, first, zero)).toEqual(all);
  });
});

describe('history', () => {
  test('merge base and ancestry', async () => {
    expect(await mergeBase(dir, side, second)).toBe(first);
    expect(await mergeBase(dir, side, lonely)).toBeNull();
    expect(await isAncestor(dir, first, side)).toBe(true);
    expect(await isAncestor(dir, side, side)).toBe(true);
    expect(await isAncestor(dir, side, first)).toBe(false);
    expect(await isAncestor(dir, lonely, first)).toBe(false);
    await expect(isAncestor(dir, 'a'.repeat(40), first)).rejects.toBeInstanceOf(GitError);
    await expect(mergeBase(dir, first, 'a'.repeat(40))).rejects.toBeInstanceOf(GitError);
  });

  test('refs, with what annotated and nested tags lead to', async () => {
    const blobId = await git(work, 'rev-parse', 'HEAD:moved.yaml');
    const [tag, nested] = [
      await git(work, 'rev-parse', 'refs/tags/v1'),
      await git(work, 'rev-parse', 'nested'),
    ];
    expect(await listRefs(dir)).toEqual([
      { ref: 'refs/heads/$(id)', id: lonely, commit: lonely },
      { ref: 'refs/heads/main', id: second, commit: second },
      { ref: 'refs/heads/side', id: side, commit: side },
      { ref: 'refs/heads/v1', id: first, commit: first },
      { ref: 'refs/tags/blob', id: blobId, commit: null },
      { ref: 'refs/tags/nested', id: nested, commit: first },
      { ref: 'refs/tags/v1', id: tag, commit: first },
    ]);
  });

  test('a name that a person gives', async () => {
    expect(await resolveRef(dir, 'main')).toEqual({ ref: 'refs/heads/main', commit: second });
    expect(await resolveRef(dir, 'v1')).toEqual({ ref: 'refs/heads/v1', commit: first });
    expect(await resolveRef(dir, 'refs/tags/nested')).toEqual({ ref: 'refs/tags/nested', commit: first });
    expect(await resolveRef(dir, '$(id)')).toEqual({ ref: 'refs/heads/$(id)', commit: lonely });
    expect(await resolveRef(dir, side)).toEqual({ ref: null, commit: side });
    const none = [
      'absent',
      'blob',
      'mai',
      'ma*',
      '--all',
      'HEAD',
      'refs/heads',
      '',
      'main~1',
      'a'.repeat(40),
    ];
    expect(await Promise.all(none.map((name) => resolveRef(dir, name)))).toEqual(none.map(() => null));
  });

  test('the first seven digits of a commit are enough, where no other commit begins so', async () => {
    for (const digits of [7, 12, 39])
      expect(await resolveRef(dir, side.slice(0, digits))).toEqual({ ref: null, commit: side });
    const tag = await git(work, 'rev-parse', 'refs/tags/v1');
    expect(await resolveRef(dir, tag.slice(0, 12))).toEqual({ ref: null, commit: first });
    const blob = await git(work, 'rev-parse', 'HEAD:moved.yaml');
    const none = [side.slice(0, 6), blob.slice(0, 12), `${side.slice(0, 12)}^`, 'f'.repeat(7), `${side}0`];
    expect(await Promise.all(none.map((name) => resolveRef(dir, name)))).toEqual(none.map(() => null));

    const { commits, mixed } = alikeObjects(await git(work, 'rev-parse', `${first}^{tree}`));
    for (const { type, content } of [...commits, ...mixed]) {
      const file = join(temporary.path, 'object');
      await writeFile(file, content);
      await git(dir, 'hash-object', '-t', type, '-w', file);
    }
    const [one, other] = commits.map(({ id }) => id);
    const shared = one?.slice(0, 7) ?? '';
    await expect(resolveRef(dir, shared)).rejects.toThrow(AmbiguousCommitError);
    expect(await resolveRef(dir, other ?? '')).toEqual({ ref: null, commit: other });
    expect(await resolveRef(dir, other?.slice(0, 20) ?? '')).toEqual({ ref: null, commit: other });
    const [commit] = mixed.map(({ id }) => id);
    expect(await resolveRef(dir, commit?.slice(0, 7) ?? '')).toEqual({ ref: null, commit });
  });

  test('of a commit what people are shown', async () => {
    const at = new Date('2026-01-02T03:04:05Z');
    expect(await commitInfo(dir, first)).toEqual({
      author: 'Ada',
      email: 'ada@example.com',
      subject: 'first',
      at,
    });
    expect((await commitInfo(dir, lonely)).subject).toBe(`${'s'.repeat(199)}…`);
    await expect(commitInfo(dir, 'a'.repeat(40))).rejects.toBeInstanceOf(GitError);
  });
});

test('a repository with SHA-256 reads alike', async () => {
  const other = join(temporary.path, 'sha256');
  await git(temporary.path, 'init', '--quiet', '--object-format=sha256', other);
  await writeFile(join(other, 'a'), 'a');
  await git(other, 'add', 'a');
  await git(other, 'commit', '--quiet', '-m', 'x');
  const head = await git(other, 'rev-parse', 'HEAD');
  expect(head).toHaveLength(64);
  expect((await readFileAt(join(other, '.git'), head, 'a'))?.content.toString()).toBe('a');
  expect(await changedPaths(join(other, '.git'), '0'.repeat(64), head)).toEqual(['a']);
});

type Made = { readonly type: 'commit' | 'blob'; readonly content: string; readonly id: string };

/** Two commits, and a commit and a blob, that begin with the same seven digits: with 2^16 of each there are some. */
function alikeObjects(tree: string): { readonly commits: readonly Made[]; readonly mixed: readonly Made[] } {
  const make = (type: Made['type'], content: string): Made => {
    const id = createHash('sha1').update(`${type} ${content.length}\0${content}`).digest('hex');
    return { type, content, id };
  };
  const person = 'Ada <ada@example.com> 1700000000 +0000';
  const seen = new Map<string, Made>();
  let commits: readonly Made[] = [];
  let mixed: readonly Made[] = [];
  for (let count = 0; count < 65_536; count += 1) {
    const commit = make('commit', `tree ${tree}\nauthor ${person}\ncommitter ${person}\n\n${count}\n`);
    const before = seen.get(commit.id.slice(0, 7));
    if (before) commits = [before, commit];
    else seen.set(commit.id.slice(0, 7), commit);
  }
  const taken = new Set(commits.map(({ id }) => id.slice(0, 7)));
  for (let count = 0; count < 65_536; count += 1) {
    const blob = make('blob', `${count}\n`);
    const before = seen.get(blob.id.slice(0, 7));
    if (before && !taken.has(blob.id.slice(0, 7))) mixed = [before, blob];
  }
  return { commits, mixed };
}
