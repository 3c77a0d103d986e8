import { expect, test } from 'vitest';
import { GithubGoneError } from '../../src/github/errors.ts';
import { readPullRequest } from '../../src/github/pull-request.ts';
import { listOpenPullRequests } from '../../src/github/repository.ts';
import { onFake } from './on-fake.ts';

const on = onFake();

test('a pull request of the repository itself is read in one request', async () => {
  const { connect, repository, fake, asked } = on();
  const { there, here } = await repository();
  const base = await there.commit({ 'ame.yaml': 'name: base\n' });
  const head = await there.commit({ 'ame.yaml': 'name: head\n' }, { branch: 'topic' });
  const { number } = await fake.openPullRequest(there, { head: 'topic', base: 'main' });
  const pull = await readPullRequest(connect(), here, number, head.after);
  expect(pull).toMatchObject({
    owner: 'acme',
    name: there.name,
    number,
    state: 'open',
    draft: false,
    fromFork: false,
    head: { ref: 'topic', repositoryId: here.hostId, commit: head.after, misnamed: false },
    base: { ref: 'main', commit: base.after },
  });
  expect(pull.head.file?.content.toString()).toBe('name: head\n');
  expect(pull.base.file?.content.toString()).toBe('name: base\n');
  expect(asked()).toEqual(['graphql']);
});

test.each(['nothing is known of', 'a head that is gone is known of'])(
  'two requests where %s',
  async (what) => {
    const { connect, repository, fake, asked } = on();
    const { there, here } = await repository();
    await there.commit({ 'a.py': '1\n' });
    await there.commit({ 'ame.yaml': 'name: old\n' }, { branch: 'topic' });
    const { number } = await fake.openPullRequest(there, { head: 'topic', base: 'main' });
    const head = await there.commit({ 'ame.yaml': 'name: new\n' }, { branch: 'topic' });
    const pull = await readPullRequest(
      connect(),
      here,
      number,
      what.startsWith('a head') ? 'a'.repeat(40) : null,
    );
    expect(pull.head).toMatchObject({ commit: head.after, file: { content: Buffer.from('name: new\n') } });
    expect(pull.outdated).toBe(false);
    expect(pull.base.file).toBeNull();
    expect(asked()).toEqual(['graphql', 'graphql']);
  },
);

test('an older head is read in one request, with its own file', async () => {
  const { connect, repository, fake, asked } = on();
  const { there, here } = await repository();
  await there.commit({ 'a.py': '1\n' });
  const old = await there.commit({ 'ame.yaml': 'name: old\n' }, { branch: 'topic' });
  const pull = await fake.openPullRequest(there, { head: 'topic', base: 'main' });
  await there.commit({ 'ame.yaml': 'name: new\n' }, { branch: 'topic' });
  const github = connect();
  const read = await readPullRequest(github, here, pull.number, old.after);
  expect(read).toMatchObject({ outdated: true, head: { commit: old.after, ref: 'topic' } });
  expect(read.head.file?.content.toString()).toBe('name: old\n');
  expect(asked()).toEqual(['graphql']);
});

test('a pull request from a fork has its head in the base repository', async () => {
  const { connect, repository, fake } = on();
  const { there, here } = await repository({ private: false });
  await there.commit({ 'ame.yaml': 'name: base\n' });
  const fork = await fake.fork(there, { owner: 'mallory' });
  const head = await fork.commit({ 'ame.yaml': 'name: fork\0\n' }, { branch: 'main' });
  const opened = { head: 'main', headRepository: fork, base: 'main', draft: true };
  const { number } = await fake.openPullRequest(there, opened);
  const github = connect();
  const pull = await readPullRequest(github, here, number, head.after);
  expect(pull).toMatchObject({
    fromFork: true,
    draft: true,
    head: { ref: 'main', commit: head.after, repositoryId: String(fork.id) },
  });
  expect(pull.head.file?.content.toString()).toBe('name: fork\0\n');
  expect(pull.base.file?.content.toString()).toBe('name: base\n');
  expect(await listOpenPullRequests(github, here)).toEqual([
    {
      number,
      headSha: head.after,
      headRef: 'main',
      headRepositoryId: String(fork.id),
      baseRef: 'main',
      draft: true,
    },
  ]);
});

test('a fork that is gone leaves its pull request', async () => {
  const { connect, repository, fake } = on();
  const { there, here } = await repository({ private: false });
  await there.commit({ 'ame.yaml': 'name: base\n' });
  const fork = await fake.fork(there, { owner: 'mallory' });
  const head = await fork.commit({ 'a.py': '1\n' }, { branch: 'topic' });
  const opened = { head: 'topic', headRepository: fork, base: 'main' };
  const { number } = await fake.openPullRequest(there, opened);
  await fake.deleteRepository(fork);
  const github = connect();
  const pull = await readPullRequest(github, here, number, head.after);
  expect(pull).toMatchObject({ fromFork: true, head: { commit: head.after, repositoryId: null } });
  // GitHub's description knows no head without a repository, so its answer is written by hand here.
  const listed = { number, draft: false, base: { ref: 'main' } };
  const body = [{ ...listed, head: { sha: head.after, ref: 'topic', repo: null } }];
  fake.failNext('pulls/list', { status: 200, body });
  expect(await listOpenPullRequests(github, here)).toMatchObject([{ number, headRepositoryId: null }]);
});

test('the base is where its branch is now, also after the pull request was last touched', async () => {
  const { connect, repository, fake } = on();
  const { there, here } = await repository();
  await there.commit({ 'a.py': '1\n' });
  const head = await there.commit({ 'a.py': '2\n' }, { branch: 'topic' });
  const opened = await fake.openPullRequest(there, { head: 'topic', base: 'main' });
  const moved = await there.commit({ 'ame.yaml': 'name: later\n' });
  const github = connect();
  const pull = await readPullRequest(github, here, opened.number, head.after);
  expect(pull.base).toMatchObject({ commit: moved.after, file: { content: Buffer.from('name: later\n') } });
  await there.branch('release', head.before === moved.after ? moved.before : moved.after);
  await fake.updatePullRequest(opened, { base: 'release' });
  expect((await readPullRequest(github, here, opened.number, head.after)).base.ref).toBe('release');
  await fake.updatePullRequest(opened, { state: 'closed', merged: true });
  expect((await readPullRequest(github, here, opened.number, head.after)).state).toBe('merged');
  expect(await listOpenPullRequests(github, here)).toEqual([]);
});

test('a pull request that is not there, and one of another repository', async () => {
  const { connect, repository } = on();
  const { there, here } = await repository();
  await there.commit({ 'a.py': '1\n' });
  await expect(readPullRequest(connect(), here, 99)).rejects.toThrow(GithubGoneError);
});

test('more open pull requests than a page holds are all listed', async () => {
  const { connect, repository, fake } = on();
  const { here } = await repository();
  const pages = (page: number, from: number, to: number): void => {
    const body = Array.from({ length: to - from }, (_, at) => ({
      number: from + at,
      head: { sha: 'a'.repeat(40), ref: 'topic', repo: { id: 7 } },
      base: { ref: 'main' },
    }));
    const isPage = ({ path }: { readonly path: string }): boolean => path.includes(`&page=${page}`);
    fake.failNext(isPage, { status: 200, body });
  };
  pages(1, 1, 101);
  pages(2, 101, 102);
  const found = await listOpenPullRequests(connect(), here);
  expect(found.map(({ number }) => number)).toEqual(Array.from({ length: 101 }, (_, at) => at + 1));
});

test('the list costs nothing while unchanged', async () => {
  const { connect, repository, fake } = on();
  const { there, here } = await repository();
  await there.commit({ 'a.py': '1\n' });
  await there.commit({ 'a.py': '2\n' }, { branch: 'topic' });
  const { number } = await fake.openPullRequest(there, { head: 'topic', base: 'main' });
  const github = connect();
  const found = await listOpenPullRequests(github, here);
  expect(found).toMatchObject([{ number, headRef: 'topic', headRepositoryId: here.hostId }]);
  expect(await listOpenPullRequests(github, here)).toEqual(found);
  expect(fake.requests.at(-1)).toMatchObject({ notModified: true });
});
