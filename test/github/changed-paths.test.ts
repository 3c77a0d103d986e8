import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changedPaths, changedPathsOfPullRequest } from '../../src/github/changed-paths.ts';
import { GithubAwayError, GithubGoneError } from '../../src/github/errors.ts';
import { treeDifference } from '../../src/github/tree-difference.ts';
import type { Files } from '../fakes/github/repository.ts';
import { onFake } from './on-fake.ts';

const on = onFake({ treeLimit: 400 });

function many(count: number, content: string): Files {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`data/${at % 7}/${String(at).padStart(4, '0')}.csv`, content]),
  );
}

test('one request tells what a push changed, both names of a renamed file too', async () => {
  const { connect, repository, asked } = on();
  const { there, here } = await repository();
  const text = Array.from({ length: 40 }, (_, line) => `line ${line}\n`).join('');
  const { after: from } = await there.commit({
    'old.py': text,
    'gone.py': 'x\n',
    'same.py': 'same\n',
    'æ b': '1',
  });
  const { after: to } = await there.commit({
    'old.py': null,
    'new.py': text,
    'gone.py': null,
    'made/in/here.py': 'y\n',
    'same.py': { mode: '100755', content: 'same\n' },
    'æ b': '2',
    lib: { mode: '160000', content: 'c'.repeat(40) },
  });
  const paths = await changedPaths(connect(), here, { from, to });
  expect(paths).toEqual(['gone.py', 'lib', 'made/in/here.py', 'new.py', 'old.py', 'same.py', 'æ b']);
  expect(asked()).toEqual(['repos/compare-commits-with-basehead']);
  expect(await changedPaths(connect(), here, { from: to, to })).toEqual([]);
  expect(asked()).toEqual([]);
});

test.each([
  [299, 1],
  [300, 3],
  [301, 3],
])('%i changed files take %i requests, and all of them are told', async (count, requests) => {
  const { connect, repository, asked } = on();
  const { there, here } = await repository();
  const { after: from } = await there.commit({ 'a.py': '1\n' });
  const { after: to } = await there.commit(many(count, '1\n'));
  const paths = await changedPaths(connect(), here, { from, to });
  expect(paths).toEqual(Object.keys(many(count, '')).toSorted());
  expect(asked()).toHaveLength(requests);
});

test('a force push is compared with what was there before, not with the common ancestor', async () => {
  const { connect, repository } = on();
  const { there, here } = await repository();
  const first = await there.commit({ 'a.py': '1\n' });
  await there.commit({ 'b.py': '1\n' });
  const forced = await there.forcePush({ 'c.py': '1\n' }, { from: first.after });
  const change = { from: forced.before, to: forced.after };
  expect(await changedPaths(connect(), here, change)).toEqual(['b.py', 'c.py']);
  const alone = await there.forcePush({ 'd.py': '1\n' }, { from: null });
  const unrelated = { from: alone.before, to: alone.after };
  expect(await changedPaths(connect(), here, unrelated)).toEqual(['a.py', 'c.py', 'd.py']);
  const { from, to } = unrelated;
  expect(await changedPathsOfPullRequest(connect(), here, { base: from, head: to })).toBeNull();
});

test('a pull request changes what it does since the merge base, whatever happened on its base', async () => {
  const { connect, repository, asked } = on();
  const { there, here } = await repository();
  const first = await there.commit({ 'a.py': '1\n' });
  const small = await there.commit({ 'topic.py': '1\n' }, { branch: 'small' });
  const large = await there.commit(many(310, '1\n'), { branch: 'large' });
  const { after: base } = await there.commit({ 'main.py': '1\n' });
  expect(small.before).not.toBe(first.after);
  const github = connect();
  asked();
  expect(await changedPathsOfPullRequest(github, here, { base, head: small.after })).toEqual(['topic.py']);
  expect(asked()).toHaveLength(1);
  const paths = await changedPathsOfPullRequest(github, here, { base, head: large.after });
  expect(paths).toEqual(Object.keys(many(310, '')).toSorted());
  expect(asked()).toHaveLength(3);
});

test('a comparison that is too much for GitHub is made from trees', async () => {
  const { connect, repository, fake, asked } = on();
  const { there, here } = await repository();
  const { after: from } = await there.commit({ 'a.py': '1\n' });
  const { after: to } = await there.commit({ 'b.py': '1\n' });
  const body = { message: 'Server Error: Sorry, this diff is taking too long to generate.' };
  const compare = 'repos/compare-commits-with-basehead';
  fake.failNext(compare, { status: 500, body });
  expect(await changedPaths(connect(), here, { from, to })).toEqual(['b.py']);
  fake.failNext(compare, { status: 500, body });
  asked();
  expect(await changedPathsOfPullRequest(connect(), here, { base: from, head: to })).toEqual(['b.py']);
  expect(asked()).toEqual([compare, compare, 'git/get-tree', 'git/get-tree']);
  const github = connect();
  fake.failNext(({ tokenExchange }) => !tokenExchange, { status: 502 }, 3);
  await expect(changedPaths(github, here, { from, to })).rejects.toThrow(GithubAwayError);
});

test('lists that are cut short are walked below, past directories that are equal', async () => {
  const { connect, repository, asked } = on();
  const { there, here } = await repository();
  const wide = (of: string, content: string): Files =>
    Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`${of}/sub/${at}.csv`, content]));
  const whole = { ...wide('one', '1'), ...wide('two', '1'), ...wide('three', '1') };
  const { after: from } = await there.commit({ ...whole, 'top.py': '1', kind: 'file' });
  const { after: to } = await there.commit({
    'two/sub/7.csv': '2',
    'two/more/x.csv': '1',
    'top.py': '2',
    kind: null,
    'kind/inside': '1',
    ...Object.fromEntries(Object.keys(wide('three', '')).map((path) => [path, null])),
  });
  const paths = await treeDifference(connect(), here, from, to);
  const expected = ['kind', 'kind/inside', 'top.py', 'two/more/x.csv', 'two/sub/7.csv'];
  expect(paths).toEqual([...expected, ...Object.keys(wide('three', ''))].toSorted());
  // Both roots twice; `two` on both sides, `three` and `kind` on one. `one` is equal and not asked for.
  expect(asked()).toHaveLength(4 + 2 + 1 + 1);
});

test('a walk that would not end is given up', async () => {
  const { connect, repository, asked } = on();
  const { there, here } = await repository();
  const spread = (content: string): Files =>
    Object.fromEntries(Array.from({ length: 420 }, (_, at) => [`${at % 30}/${at}.csv`, content]));
  const { after: from } = await there.commit(spread('1'));
  const { after: to } = await there.commit(spread('2'));
  expect(await treeDifference(connect(), here, from, to)).toBeNull();
  expect(asked().length).toBeLessThanOrEqual(40);
});

test('a commit that is not there is told apart from one without changes', async () => {
  const { connect, repository } = on();
  const { there, here } = await repository();
  const { after: to } = await there.commit({ 'a.py': '1\n' });
  const change = { from: 'a'.repeat(40), to };
  await expect(changedPaths(connect(), here, change)).rejects.toThrow(GithubGoneError);
});

test('any two trees differ as git says, whole or walked', async () => {
  const { connect, repository } = on();
  const { there, here } = await repository();
  const github = connect();
  const name = fc.constantFrom('a', 'b', 'é');
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join('/')}.csv`);
  const tree = fc.dictionary(path, fc.constantFrom('1', '2'), { maxKeys: 8, noNullPrototype: true });
  const run = promisify(execFile);
  await fc.assert(
    fc.asyncProperty(tree, tree, fc.boolean(), async (one, other, isWide) => {
      const more = isWide ? many(401, '1') : { keep: '1' };
      const { after: from } = await there.forcePush({ ...more, ...one }, { from: null });
      const { after: to } = await there.forcePush({ ...more, ...other }, { from: null });
      const args = ['-C', there.directory, 'diff-tree', '-r', '-z', '--no-renames', '--name-only', from, to];
      const { stdout } = await run('git', args);
      const expected = stdout.split('\0').filter((path) => path !== '');
      expect(await treeDifference(github, here, from, to)).toEqual(expected.toSorted());
    }),
    { numRuns: 6 },
  );
});
