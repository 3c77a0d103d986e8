import { afterAll, beforeAll, expect, test } from 'vitest';
import { asApp, asInstallation, asRepository, connectGithub } from '../../src/github/connect.ts';
import type { Github } from '../../src/github/connection.ts';
import {
  GithubAwayError,
  GithubGoneError,
  GithubMovedError,
  GithubRefusedError,
} from '../../src/github/errors.ts';
import { dropTokens, repositoryToken } from '../../src/github/token.ts';
import { createFakeGithub } from '../fakes/github.ts';

let now = new Date('2026-03-01T12:00:00Z');
const clock = (): Date => now;
let fake: Awaited<ReturnType<typeof createFakeGithub>>;

beforeAll(async () => {
  fake = await createFakeGithub({ now: clock });
});

afterAll(async () => {
  await fake[Symbol.asyncDispose]();
});

async function world(name: string) {
  const installation = await fake.addInstallation({ account: name });
  const repository = await fake.addRepository(installation, { owner: name, name: 'pets', private: true });
  const other = await fake.addRepository(installation, { owner: name, name: 'cats', private: true });
  const { id: appId, privateKey } = fake.app;
  const github = connectGithub({
    app: { id: appId, privateKey },
    apiUrl: fake.url,
    webUrl: fake.webUrl,
    clock,
  });
  const installationId = String(installation.id);
  const pets = { installationId, hostId: String(repository.id), owner: name, name: 'pets' };
  const cats = { installationId, hostId: String(other.id), owner: name, name: 'cats' };
  return { installation, repository, github, pets, cats };
}

const route = 'GET /repos/{owner}/{repo}';
const metadata = { metadata: 'read' } as const;

function exchangesOf(installation: { readonly id: number }): number {
  return fake.requests.filter((one) => one.tokenExchange && one.path.includes(`/${installation.id}/`)).length;
}

async function read(github: Github, repository: Awaited<ReturnType<typeof world>>['pets']): Promise<string> {
  const { owner, name: repo } = repository;
  return String((await asRepository(github, repository, metadata, route, { owner, repo })).data.id);
}

test('a token is good for its repository alone', async () => {
  const { github, pets, cats } = await world('alone');
  expect(await read(github, pets)).toBe(pets.hostId);
  const asked = asRepository(github, pets, metadata, route, { owner: cats.owner, repo: cats.name });
  await expect(asked).rejects.toThrow(GithubGoneError);
});

test('a token has no permission that was not asked for', async () => {
  const { github, pets } = await world('least');
  const { owner, name: repo } = pets;
  const create = 'POST /repos/{owner}/{repo}/check-runs';
  const params = { owner, repo, name: 'ame', head_sha: 'a'.repeat(40) };
  await expect(asRepository(github, pets, { checks: 'read' }, create, params)).rejects.toThrow(
    GithubRefusedError,
  );
  const pulls = asRepository(github, pets, metadata, 'GET /repos/{owner}/{repo}/pulls', { owner, repo });
  await expect(pulls).rejects.toMatchObject({ name: 'GithubRefusedError', status: 403 });
});

test('after an hour there is another one, and a token for git is one of them', async () => {
  const { github, pets, installation } = await world('hour');
  const first = await repositoryToken(github, pets, { contents: 'read' });
  now = new Date(now.getTime() + 54 * 60_000);
  expect(await repositoryToken(github, pets, { contents: 'read' })).toBe(first);
  now = new Date(now.getTime() + 10 * 60_000);
  expect(await repositoryToken(github, pets, { contents: 'read' })).not.toBe(first);
  expect(await read(github, pets)).toBe(pets.hostId);
  expect(exchangesOf(installation)).toBe(3);
});

test('tokens that were dropped are asked for anew', async () => {
  const { github, pets, installation } = await world('dropped');
  await read(github, pets);
  dropTokens(github, String(installation.id));
  await read(github, pets);
  expect(exchangesOf(installation)).toBe(2);
});

test('what is not granted, suspended or removed is gone', async () => {
  const { github, pets, cats, installation, repository } = await world('gone');
  await fake.setSelection(installation, [repository]);
  await read(github, pets);
  await expect(read(github, cats)).rejects.toThrow(/does not grant repository/);
  await fake.suspend(installation);
  await expect(read(github, pets)).rejects.toThrow(GithubGoneError);
  await expect(
    asInstallation(github, pets.installationId, 'GET /installation/repositories', {}),
  ).rejects.toThrow(GithubGoneError);
  await fake.unsuspend(installation);
  expect(await read(github, pets)).toBe(String(repository.id));
  await fake.remove(installation);
  await expect(read(github, pets)).rejects.toThrow(GithubGoneError);
  await expect(read(github, { ...pets, installationId: '999999' })).rejects.toThrow(GithubGoneError);
});

test('a permission that the installation does not grant is named', async () => {
  const { github, pets, installation } = await world('ungranted');
  await fake.setPermissions(installation, { metadata: 'read', contents: 'read' }, []);
  const { owner, name: repo } = pets;
  const create = 'POST /repos/{owner}/{repo}/check-runs';
  const params = { owner, repo, name: 'ame', head_sha: 'a'.repeat(40) };
  const asked = asRepository(github, pets, { checks: 'write' }, create, params);
  await expect(asked).rejects.toThrow(/does not grant all of checks: write/);
  await expect(asked).rejects.toMatchObject({ name: 'GithubRefusedError', status: 422 });
});

test('the limit of one installation does not stop another, and is over in time', async () => {
  const limited = await world('limited');
  const free = await world('free');
  const resetAt = new Date(now.getTime() + 600_000);
  fake.rateLimit(limited.installation, { remaining: 0, resetAt });
  await expect(read(limited.github, limited.pets)).rejects.toMatchObject({ retryAt: resetAt });
  const asked = fake.requests.length;
  await expect(read(limited.github, limited.cats)).rejects.toThrow(GithubAwayError);
  expect(fake.requests).toHaveLength(asked);
  expect(await read(limited.github, free.pets)).toBe(free.pets.hostId);
  now = resetAt;
  expect(await read(limited.github, limited.pets)).toBe(limited.pets.hostId);
});

test.each([403, 429] as const)('the secondary limit as %i holds for as long as it says', async (status) => {
  const { github, pets, installation } = await world(`hasty-${status}`);
  fake.rateLimit(installation, { secondary: true, retryAfter: 17, status });
  const retryAt = new Date(now.getTime() + 17_000);
  await expect(read(github, pets)).rejects.toMatchObject({ name: 'GithubAwayError', retryAt });
  fake.rateLimit(installation, null);
  await expect(read(github, pets)).rejects.toMatchObject({ retryAt });
  now = retryAt;
  expect(await read(github, pets)).toBe(pets.hostId);
});

test('what did not change is answered by 304, also with another token', async () => {
  const { github, pets, repository, installation } = await world('conditional');
  const params = { owner: pets.owner, repo: pets.name };
  const ask = async () =>
    (await asRepository(github, pets, metadata, route, params, { conditional: true })).data;
  expect((await ask()).default_branch).toBe(repository.defaultBranch);
  expect((await ask()).id).toBe(repository.id);
  expect(fake.requests.at(-1)).toMatchObject({ status: 304, notModified: true });
  now = new Date(now.getTime() + 2 * 3_600_000);
  expect((await ask()).id).toBe(repository.id);
  expect(fake.requests.at(-1)).toMatchObject({ status: 304, notModified: true });
  await fake.archive(repository, true);
  expect((await ask()).archived).toBe(true);
  expect(github.counts.get(String(installation.id))).toEqual({ requests: 4, notModified: 2, tokens: 2 });
});

test('a renamed repository is read by its old name, and not written to', async () => {
  const { github, pets, repository } = await world('renamed');
  await fake.rename(repository, 'dogs');
  expect(await read(github, pets)).toBe(String(repository.id));
  const { owner, name: repo } = pets;
  const create = 'POST /repos/{owner}/{repo}/check-runs';
  const params = { owner, repo, name: 'ame', head_sha: 'a'.repeat(40) };
  const asked = asRepository(github, pets, { checks: 'write' }, create, params);
  await expect(asked).rejects.toThrow(GithubMovedError);
});

test('an answer that was lost after a write is away, and the write is there', async () => {
  const { github, pets, repository } = await world('lost');
  const { after } = await repository.commit({ 'ame.yaml': 'x' }, { branch: repository.defaultBranch });
  fake.loseAnswerNext('checks/create');
  const { owner, name: repo } = pets;
  const create = 'POST /repos/{owner}/{repo}/check-runs';
  const asked = asRepository(github, pets, { checks: 'write' }, create, {
    owner,
    repo,
    name: 'ame',
    head_sha: after,
  });
  await expect(asked).rejects.toThrow(GithubAwayError);
  expect(fake.checkRuns(repository)).toHaveLength(1);
});

test('an exchange that is lost or failed is away, and the next one works', async () => {
  const { github, pets } = await world('exchange');
  fake.loseAnswerNext('apps/create-installation-access-token');
  await expect(read(github, pets)).rejects.toThrow(GithubAwayError);
  fake.failNext('apps/create-installation-access-token', { status: 500 });
  const both = await Promise.allSettled([read(github, pets), read(github, pets)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await read(github, pets)).toBe(pets.hostId);
});

test('a slow exchange is shared by all who wait for it', async () => {
  const { github, pets, installation } = await world('shared');
  const slow = Promise.withResolvers<void>();
  fake.slowNext('apps/create-installation-access-token', slow.promise);
  const reads = [read(github, pets), read(github, pets), read(github, pets)];
  slow.resolve();
  expect(await Promise.all(reads)).toEqual(Array(3).fill(pets.hostId));
  expect(exchangesOf(installation)).toBe(1);
});

test('a clock that is off is told by its difference', async () => {
  const { id, privateKey } = fake.app;
  const { url: apiUrl, webUrl } = fake;
  const off = (seconds: number) => () => new Date(now.getTime() + seconds * 1000);
  for (const seconds of [-900, 900]) {
    const github = connectGithub({ app: { id, privateKey }, apiUrl, webUrl, clock: off(seconds) });
    const words = seconds > 0 ? 'ahead of' : 'behind';
    await expect(asApp(github, 'GET /app', {})).rejects.toThrow(`clock is 900 s ${words} GitHub's`);
  }
  for (const seconds of [-50, 50]) {
    const github = connectGithub({ app: { id, privateKey }, apiUrl, webUrl, clock: off(seconds) });
    expect((await asApp(github, 'GET /app', {})).status).toBe(200);
  }
});

test('a GitHub Enterprise Server works the same below its prefix', async () => {
  await using enterprise = await createFakeGithub({ now: clock, enterprise: true });
  const installation = await enterprise.addInstallation({ account: 'acme' });
  const repository = await enterprise.addRepository(installation, { owner: 'acme', name: 'pets' });
  const { id, privateKey } = enterprise.app;
  const { url: apiUrl, webUrl } = enterprise;
  expect(apiUrl).toBe(`${webUrl}/api/v3`);
  const github = connectGithub({ app: { id, privateKey }, apiUrl, webUrl, clock });
  const pets = {
    installationId: String(installation.id),
    hostId: String(repository.id),
    owner: 'acme',
    name: 'pets',
  };
  expect(await read(github, pets)).toBe(String(repository.id));
  await enterprise.rename(repository, 'dogs');
  expect(await read(github, pets)).toBe(String(repository.id));
  expect(enterprise.violations).toEqual([]);
});

test('nothing that was said on either side broke the description of GitHub', () => {
  expect(fake.violations).toEqual([]);
});
