import { expect, test } from 'vitest';
import { GithubGoneError } from '../../src/github/errors.ts';
import { mayWrite } from '../../src/github/permission.ts';
import { readHead, readRepository } from '../../src/github/repository.ts';
import { accountOf } from '../fakes/github/world.ts';
import { onFake } from './on-fake.ts';

const on = onFake();

test('a repository is read anew only when something changed, also after a rename', async () => {
  const { connect, repository, fake } = on();
  const { there, here } = await repository();
  const github = connect();
  const state = {
    hostId: here.hostId,
    owner: 'acme',
    name: there.name,
    defaultBranch: 'main',
    archived: false,
    disabled: false,
    isPrivate: true,
  };
  expect(await readRepository(github, here)).toEqual(state);
  expect(await readRepository(github, here)).toEqual(state);
  expect(fake.requests.at(-1)).toMatchObject({ notModified: true });
  await fake.rename(there, 'tame-pets');
  await fake.archive(there, true);
  await fake.setVisibility(there, 'public');
  const renamed = { ...state, name: 'tame-pets', archived: true, isPrivate: false };
  expect(await readRepository(github, here)).toEqual(renamed);
});

test('a name that belongs to another repository now is not the one that is meant', async () => {
  const { connect, repository, fake } = on();
  const { there, here } = await repository({ name: 'reused', private: false });
  await fake.deleteRepository(there);
  const other = await repository({ name: 'reused', private: false });
  await other.there.commit({ 'a.py': '1\n' });
  const github = connect();
  await expect(readRepository(github, here)).rejects.toThrow(GithubGoneError);
  await expect(readHead(github, here, 'none')).rejects.toThrow(GithubGoneError);
  expect(await readRepository(github, other.here)).toMatchObject({ hostId: other.here.hostId });
});

test('the head of a branch, of one that is gone, and of an empty repository', async () => {
  const { connect, repository, fake } = on();
  const { there, here } = await repository();
  const github = connect();
  expect(await readHead(github, here, 'main')).toBeNull();
  const first = await there.commit({ 'a.py': '1\n' });
  expect(await readHead(github, here, 'main')).toBe(first.after);
  expect(await readHead(github, here, 'main')).toBe(first.after);
  expect(fake.requests.at(-1)).toMatchObject({ notModified: true });
  const second = await there.commit({ 'a.py': '2\n' });
  expect(await readHead(github, here, 'main')).toBe(second.after);
  await there.branch('topic/é', first.after);
  expect(await readHead(github, here, 'topic/é')).toBe(first.after);
  expect(await readHead(github, here, 'topic')).toBeNull();
  await there.deleteRef('refs/heads/topic/é');
  expect(await readHead(github, here, 'topic/é')).toBeNull();
});

test.each([
  ['admin', true],
  ['maintain', true],
  ['write', true],
  ['triage', false],
  ['read', false],
  ['none', false],
] as const)('%s: may write is %s', async (level, expected) => {
  const { connect, repository, fake } = on();
  const { there, here } = await repository();
  fake.setPermission(there, 'ada', level);
  expect(await mayWrite(connect(), here, 'ada')).toBe(expected);
});

test('nobody else may write, and no other account under the same login', async () => {
  const { connect, repository, fake } = on();
  const { there, here } = await repository();
  fake.setPermission(there, 'ada', 'write');
  const { id } = accountOf(fake.world, 'ada', 'User');
  expect(await mayWrite(connect(), here, 'ada', String(id))).toBe(true);
  expect(await mayWrite(connect(), here, 'ada', String(id + 1))).toBe(false);
  expect(await mayWrite(connect(), here, 'nobody')).toBe(false);
  await fake.deleteRepository(there);
  expect(await mayWrite(connect(), here, 'ada')).toBe(false);
});
