import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, assertClean, jwtOf, stoppedClock, tokenFor } from './asking.ts';
import { createFakeGithub, type FakeGithub } from './github.ts';
import type { FakeInstallation } from './github/world.ts';
import type { FakeRepository } from './github/repository.ts';

const clock = stoppedClock();
let github: FakeGithub;
let acme: FakeInstallation;
let umbrella: FakeInstallation;
let pets: FakeRepository;
let cats: FakeRepository;

beforeAll(async () => {
  github = await createFakeGithub({ now: clock.now });
  acme = await github.addInstallation({ account: 'acme' });
  umbrella = await github.addInstallation({ account: 'umbrella', permissions: { metadata: 'read' } });
  pets = await github.addRepository(acme, { name: 'pets' });
  cats = await github.addRepository(acme, { name: 'cats' });
  await pets.commit({ 'ame.yaml': 'name: pets\n' });
});

afterAll(async () => {
  await github[Symbol.asyncDispose]();
  assertClean(github);
});

const seconds = (): number => clock.now().getTime() / 1_000;

describe('the App proves itself', () => {
  test.each([
    ['a good token', {}, 200],
    ['the client id as issuer', { iss: 'Iv23liFakeClient' }, 200],
    ['the id as a number', { iss: 4711 }, 200],
    ['another App', { iss: '12' }, 404],
    ['issued in two minutes', { iat: seconds() + 120 }, 401],
    ['over since a minute', { exp: seconds() - 60 }, 401],
    ['good for eleven minutes', { exp: seconds() + 660 }, 401],
    ['without an end', { exp: null }, 401],
  ])('%s', async (_name, claims, status) => {
    expect(await ask(github, jwtOf(github, claims), 'GET /app')).toMatchObject({ status });
  });

  test('with its own key, and not at all without a token', async () => {
    const [head, claims] = jwtOf(github).split('.');
    expect(await ask(github, `${head}.${claims}.AAAA`, 'GET /app')).toMatchObject({ status: 401 });
    expect(await ask(github, null, 'GET /app')).toMatchObject({ status: 401 });
    expect(await ask(github, await tokenFor(github, acme), 'GET /app')).toMatchObject({ status: 401 });
    expect((await ask(github, jwtOf(github), 'GET /app')).headers.get('date')).toBe(
      'Fri, 01 May 2026 12:00:00 GMT',
    );
  });

  test('sees its installations, page by page', async () => {
    const first = await ask(github, jwtOf(github), 'GET /app/installations?per_page=1');
    expect(first.body).toMatchObject([{ id: acme.id, account: { login: 'acme' } }]);
    expect(first.headers.get('link')).toContain(`${github.url}/app/installations?per_page=1&page=2`);
    const one = await ask(github, jwtOf(github), `GET /app/installations/${umbrella.id}`);
    expect(one.body).toMatchObject({ id: umbrella.id, permissions: { metadata: 'read' } });
    expect(await ask(github, jwtOf(github), 'GET /app/installations/1')).toMatchObject({ status: 404 });
  });
});

describe('tokens of an installation', () => {
  const mint = (installation: FakeInstallation, wish: object) =>
    ask(github, jwtOf(github), `POST /app/installations/${installation.id}/access_tokens`, wish);

  test('are for an hour, for the repositories and permissions that were asked for', async () => {
    const { status, body } = await mint(acme, {
      repository_ids: [pets.id],
      permissions: { contents: 'read' },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      expires_at: '2026-05-01T13:00:00Z',
      permissions: { contents: 'read', metadata: 'read' },
      repository_selection: 'selected',
      repositories: [{ id: pets.id }],
    });
  });

  test.each([
    ['a repository of others', () => ({ repository_ids: [1] }), 422],
    ['a permission that was not granted', () => ({ permissions: { contents: 'write' } }), 422],
    ['one that nobody granted', () => ({ permissions: { issues: 'read' } }), 422],
    ['a field that is none', () => ({ repository_id: pets.id }), 422],
  ])('are refused for %s', async (_name, wish, status) => {
    expect(await mint(acme, wish())).toMatchObject({ status });
    // The one with a field that is none is remembered.
    github.world.violations.length = 0;
  });

  test('see no other repository, and nothing beyond their permissions', async () => {
    const token = await tokenFor(github, acme, {
      repository_ids: [pets.id],
      permissions: { contents: 'read' },
    });
    const status = async (route: string, body?: unknown) => (await ask(github, token, route, body)).status;
    expect(await status('GET /repos/acme/pets')).toBe(200);
    expect(await status('GET /repos/acme/cats')).toBe(404);
    expect(await status('GET /repos/acme/none')).toBe(404);
    expect(await status('GET /repos/acme/pets/contents/ame.yaml')).toBe(200);
    expect(await status('GET /repos/acme/pets/pulls')).toBe(403);
    const refused = await ask(github, token, 'POST /repos/acme/pets/check-runs', {
      name: 'a',
      head_sha: 'b',
    });
    expect(refused).toMatchObject({
      status: 403,
      body: { message: 'Resource not accessible by integration' },
    });
    expect(refused.headers.get('x-accepted-github-permissions')).toBe('checks=write');
    const list = await ask(github, token, 'GET /installation/repositories');
    expect(list.body).toMatchObject({ total_count: 1, repositories: [{ full_name: 'acme/pets' }] });
  });

  test('are over after an hour, and stop with the installation', async () => {
    const token = await tokenFor(github, umbrella);
    const status = async () => (await ask(github, token, 'GET /installation/repositories')).status;
    expect(await status()).toBe(200);
    await github.suspend(umbrella);
    expect(await status()).toBe(403);
    expect(await mint(umbrella, {})).toMatchObject({ status: 403 });
    await github.unsuspend(umbrella);
    expect(await status()).toBe(200);
    clock.advance(3_600);
    expect(await status()).toBe(401);
    await github.remove(umbrella);
    expect(await mint(umbrella, {})).toMatchObject({ status: 404 });
  });
});

test('a repository is found by its former names, and its answer may be kept', async () => {
  const token = await tokenFor(github, acme);
  await github.rename(cats, 'felines');
  const moved = await ask(github, token, 'GET /repos/acme/cats?x=1');
  expect(moved.status).toBe(301);
  expect(moved.headers.get('location')).toBe(`${github.url}/repositories/${cats.id}?x=1`);
  const below = await ask(github, token, 'GET /repos/acme/cats/pulls');
  expect(below.headers.get('location')).toBe(`${github.url}/repositories/${cats.id}/pulls`);
  const there = await ask(github, token, `GET /repositories/${cats.id}`);
  expect(there.body).toMatchObject({ id: cats.id, full_name: 'acme/felines' });

  const left = Number(there.headers.get('x-ratelimit-remaining'));
  const etag = there.headers.get('etag') ?? '';
  const same = await ask(github, token, 'GET /repos/acme/felines', undefined, { 'if-none-match': etag });
  expect(same.status).toBe(304);
  expect(Number(same.headers.get('x-ratelimit-remaining'))).toBe(left);
  await github.archive(cats);
  const again = await ask(github, token, 'GET /repos/acme/felines', undefined, { 'if-none-match': etag });
  expect(again).toMatchObject({ status: 200, body: { archived: true } });
});

test('a permission is told with its role, and 404 for a name that nobody has', async () => {
  const token = await tokenFor(github, acme);
  github.setPermission(pets, 'Ada', 'maintain');
  github.setPermission(cats, 'ada', 'none');
  const told = (repository: string, login: string) =>
    ask(github, token, `GET /repos/acme/${repository}/collaborators/${login}/permission`);
  expect(await told('pets', 'ada')).toMatchObject({ body: { permission: 'write', role_name: 'maintain' } });
  expect(await told('felines', 'ada')).toMatchObject({ body: { permission: 'none' } });
  expect(await told('pets', 'nobody')).toMatchObject({ status: 404 });
});

test('calls are counted for each installation', async () => {
  const other = await github.addInstallation({ account: 'initech' });
  const token = await tokenFor(github, acme);
  const theirs = await tokenFor(github, other);
  const resetAt = new Date(clock.now().getTime() + 600_000);
  github.rateLimit(acme, { remaining: 1, resetAt });
  expect(await ask(github, token, 'GET /repos/acme/pets')).toMatchObject({ status: 200 });
  const over = await ask(github, token, 'GET /repos/acme/pets');
  expect(over.status).toBe(403);
  expect(over.headers.get('x-ratelimit-remaining')).toBe('0');
  expect(over.headers.get('x-ratelimit-reset')).toBe(String(resetAt.getTime() / 1_000));
  expect(await ask(github, token, 'GET /rate_limit')).toMatchObject({ body: { rate: { remaining: 0 } } });
  expect(await ask(github, theirs, 'GET /installation/repositories')).toMatchObject({ status: 200 });
  clock.advance(601);
  expect(await ask(github, token, 'GET /repos/acme/pets')).toMatchObject({ status: 200 });

  github.rateLimit(acme, { secondary: true, retryAfter: 30, status: 429 });
  const hasty = await ask(github, token, 'GET /repos/acme/pets');
  expect(hasty.status).toBe(429);
  expect(hasty.headers.get('retry-after')).toBe('30');
  expect(hasty.headers.get('x-ratelimit-remaining')).toBe('5000');
  clock.advance(31);
  expect(await ask(github, token, 'GET /repos/acme/pets')).toMatchObject({ status: 200 });
});

test('what is no request of GitHub is refused and remembered', async () => {
  const token = await tokenFor(github, acme);
  const before = github.violations.length;
  expect(await ask(github, token, 'GET /repos/acme/pets/contents/ame.yaml?rev=main')).toMatchObject({
    status: 422,
  });
  expect(await ask(github, token, 'GET /repos/acme/pets/issues')).toMatchObject({ status: 404 });
  expect(await ask(github, token, 'POST /repos/acme/pets/check-runs', '{')).toMatchObject({ status: 400 });
  expect(github.world.violations.splice(before)).toEqual([
    'repos/get-content, request: ?rev is unknown',
    'GET /repos/acme/pets/issues is not in the description',
  ]);
});
