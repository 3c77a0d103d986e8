import { afterAll, beforeAll, expect, test } from 'vitest';
import { apiUrlOf } from '../../src/github/api-url.ts';
import { readApp, readHookConfig } from '../../src/github/app.ts';
import { checkApp, type Finding } from '../../src/github/check-app.ts';
import { connectGithub } from '../../src/github/connect.ts';
import type { Github } from '../../src/github/connection.ts';
import { GithubGoneError } from '../../src/github/errors.ts';
import { listHookDeliveries, redeliver, type HookDelivery } from '../../src/github/hook-deliveries.ts';
import { listInstallations, listRepositories, readInstallation } from '../../src/github/installations.ts';
import { convertManifest, manifestOf, newAppUrl } from '../../src/github/manifest.ts';
import { eventNeeds, neededPermissions } from '../../src/github/permissions.ts';
import { createFakeGithub } from '../fakes/github.ts';
import { connectScripted, createScriptedHost, scriptedKey } from './scripted-host.ts';

type Fake = Awaited<ReturnType<typeof createFakeGithub>>;

let now = new Date('2026-03-01T12:00:00Z');
const clock = (): Date => now;
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
let fake: Fake;

beforeAll(async () => {
  fake = await createFakeGithub({ now: clock });
});

afterAll(async () => {
  await fake[Symbol.asyncDispose]();
});

function connect(to: Fake, options: { privateKey?: string; id?: string; clock?: () => Date } = {}): Github {
  const { id, privateKey } = { ...to.app, ...options };
  return connectGithub({
    app: { id, privateKey },
    apiUrl: to.url,
    webUrl: to.webUrl,
    clock: options.clock ?? clock,
  });
}

/** A new App made by our own manifest on a fake of its own. */
async function fresh(publicUrl = 'http://127.0.0.1:1') {
  const host = await createFakeGithub({ now: clock });
  const code = host.confirmManifest(manifestOf({ publicUrl, name: 'AME' }), { organization: 'acme' });
  const app = await convertManifest({ apiUrl: host.url, code });
  return { host, app, github: connect(host, { id: app.id, privateKey: app.privateKey }), publicUrl };
}

const wrongOf = (findings: readonly Finding[]): readonly string[] =>
  findings.filter(({ ok }) => !ok).map(({ what, message }) => `${what}: ${message}`);

test.each([
  ['https://github.com', 'https://api.github.com'],
  ['https://www.github.com/', 'https://api.github.com'],
  ['https://acme.ghe.com', 'https://api.acme.ghe.com'],
  ['https://git.acme.example', 'https://git.acme.example/api/v3'],
  ['http://127.0.0.1:3000/', 'http://127.0.0.1:3000/api/v3'],
])('the API of %s is at %s', (webUrl, apiUrl) => {
  expect(apiUrlOf(webUrl)).toBe(apiUrl);
});

test('a manifest becomes an App that asks for exactly the table', async () => {
  const { host, app, github } = await fresh();
  expect(app).toMatchObject({ owner: 'acme', privateKey: expect.stringContaining('BEGIN') });
  expect(app.webhookSecret.length).toBeGreaterThan(10);
  const read = await readApp(github);
  expect(read).toMatchObject({ id: app.id, slug: app.slug, owner: 'acme', ownerType: 'Organization' });
  expect(read.permissions).toEqual(neededPermissions());
  expect([...read.events].sort()).toEqual(eventNeeds.map(({ event }) => event).sort());
  expect(await readHookConfig(github)).toEqual({
    url: 'http://127.0.0.1:1/webhooks/github',
    contentType: 'json',
    hasSecret: true,
    verifiesCertificate: true,
  });
  expect(wrongOf(await checkApp(github, { publicUrl: 'http://127.0.0.1:1' }))).toEqual([]);
  expect(host.violations).toEqual([]);
  await host[Symbol.asyncDispose]();
});

test('a code that is over or was used makes no App', async () => {
  await expect(convertManifest({ apiUrl: fake.url, code: 'unknown' })).rejects.toThrow(GithubGoneError);
});

test('the page of a new App belongs to a person or an organisation', () => {
  expect(newAppUrl('https://github.com', null, 'a b')).toBe(
    'https://github.com/settings/apps/new?state=a%20b',
  );
  expect(newAppUrl('https://github.com/', 'acme', 's')).toBe(
    'https://github.com/organizations/acme/settings/apps/new?state=s',
  );
});

test('an installation and what it grants are read', async () => {
  const installation = await fake.addInstallation({ account: 'many' });
  for (const name of ['r0', 'r1']) {
    await fake.addRepository(installation, { owner: 'many', name, private: name === 'r0' });
  }
  const github = connect(fake);
  const id = String(installation.id);
  const repositories = await Array.fromAsync(listRepositories(github, id));
  expect(repositories.map(({ name }) => name)).toEqual(['r0', 'r1']);
  expect(repositories[0]).toEqual({
    hostId: expect.stringMatching(/^\d+$/),
    owner: 'many',
    name: 'r0',
    defaultBranch: 'main',
    archived: false,
    isPrivate: true,
    disabled: false,
    fork: false,
  });
  expect(github.counts.get(id)).toEqual({ requests: 1, notModified: 0, tokens: 1 });
  const one = await readInstallation(github, id);
  expect(one).toMatchObject({ id, account: { login: 'many', type: 'Organization' }, suspendedAt: null });
  expect((await listInstallations(github)).find((listed) => listed.id === id)).toEqual(one);
  await fake.suspend(installation);
  expect((await readInstallation(github, id)).suspendedAt).toEqual(now);
  await fake.remove(installation);
  await expect(readInstallation(github, id)).rejects.toThrow(GithubGoneError);
});

test('what an installation grants goes beyond a page, and no address of a header is called', async () => {
  await using host = await createScriptedHost();
  const page = (name: string, headers: Record<string, string>) => ({
    status: 200,
    headers,
    body: { total_count: 2, repositories: [{ id: 1, name, owner: { login: 'acme' } }] },
  });
  host.answers = [page('a', { link: '<http://elsewhere.example/?page=9>; rel="next"' }), page('b', {})];
  const found = await Array.fromAsync(listRepositories(connectScripted(host), '7'));
  expect(found.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(host.asked.map(({ path }) => path)).toEqual([
    '/installation/repositories?per_page=100&page=1',
    '/installation/repositories?per_page=100&page=2',
  ]);
});

test('a list of installations goes beyond a page', async () => {
  await using host = await createFakeGithub({ now: clock });
  for (let index = 0; index < 101; index += 1) await host.addInstallation({ account: `account-${index}` });
  expect(new Set((await listInstallations(connect(host))).map(({ id }) => id)).size).toBe(101);
});

test('deliveries are listed newest first until a time, and asked for again by their number', async () => {
  await using host = await createFakeGithub({ now: clock });
  const github = connect(host);
  const installation = await host.addInstallation({ account: 'acme' });
  const repository = await host.addRepository(installation, { owner: 'acme', name: 'pets' });
  host.hookUrl = 'http://127.0.0.1:1/webhooks/github';
  const begin = now;
  for (let index = 0; index < 120; index += 1) {
    now = later(1);
    host.dropDeliveries(1);
    await host.deliver('push', { ref: `refs/heads/${index}` }, { installation, repository });
  }
  const list = async (since: Date): Promise<readonly HookDelivery[]> =>
    await Array.fromAsync(listHookDeliveries(github, { since }));
  const all = (await list(begin)).filter(({ event }) => event === 'push');
  expect(all).toHaveLength(120);
  const times = all.map(({ deliveredAt }) => deliveredAt.getTime());
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  expect(all[0]).toMatchObject({
    event: 'push',
    action: null,
    redelivery: false,
    installationId: String(installation.id),
    repositoryId: String(repository.id),
  });
  const asked = host.requests.length;
  expect(await list(later(-2))).toHaveLength(3);
  expect(host.requests.length - asked).toBe(1);
  const [newest] = all;
  await redeliver(github, newest?.id ?? '');
  const again = (await list(later(-2))).filter(({ guid }) => guid === newest?.guid);
  expect(again.map(({ redelivery }) => redelivery)).toEqual([true, false]);
  await expect(redeliver(github, '../1')).rejects.toThrow(RangeError);
});

test.each([
  ['the key', { privateKey: scriptedKey }, /^key: /],
  ['no key', { privateKey: 'none' }, /^key: .*no PEM/],
  ['the id', { id: '999' }, /^key: /],
  ['the clock', { clock: () => later(900) }, /^clock: .*900 s ahead/],
] as const)('check tells alone what stops all the rest: %s', async (_, options, text) => {
  const wrong = await checkApp(connect(fake, options), { publicUrl: null });
  expect(wrong).toHaveLength(1);
  expect(wrongOf(wrong)[0]).toMatch(text);
  expect(wrong[0]?.remedy).not.toBeNull();
});

test('check tells that GitHub is away', async () => {
  fake.failNext('apps/get-authenticated', { status: 503 });
  expect(wrongOf(await checkApp(connect(fake), { publicUrl: null }))[0]).toMatch(/^github: /);
});

test('check tells a clock that is a little off', async () => {
  const findings = await checkApp(connect(fake, { clock: () => later(-45) }), { publicUrl: null });
  expect(wrongOf(findings).find((text) => text.startsWith('clock'))).toContain('45 s behind');
});

test('check tells what the App does not ask for and an installation does not grant', async () => {
  const { host, github, publicUrl } = await fresh();
  host.app.permissions = { metadata: 'read', contents: 'read', checks: 'read' };
  host.app.events = ['push'];
  host.dropDeliveries(5, 'answered');
  const installation = await host.addInstallation({ account: 'acme', permissions: { metadata: 'read' } });
  const other = await host.addInstallation({ account: 'umbrella', permissions: neededPermissions() });
  await host.suspend(other);
  const findings = await checkApp(github, { publicUrl });
  const wrong = wrongOf(findings);
  expect(wrong).toEqual([
    expect.stringMatching(/^permissions: .*checks: write/),
    expect.stringMatching(/^permissions: .*pull_requests: read/),
    expect.stringMatching(/^permissions: .*merge_queues: read/),
    expect.stringMatching(/^permissions: .*on acme does not grant contents: read, checks: write/),
    expect.stringMatching(/^permissions: .*on umbrella is suspended/),
    expect.stringMatching(/^events: .*pull_request, merge_group, check_run, check_suite, repository/),
  ]);
  const remedies = findings.map(({ remedy }) => remedy);
  expect(remedies).toContain(
    `An owner of acme accepts them at ${host.webUrl}/organizations/acme/settings/installations/${installation.id}`,
  );
  await host[Symbol.asyncDispose]();
});

test('check tells where GitHub delivers to instead, and that there is no public address', async () => {
  const { host, github } = await fresh('https://old.example.com');
  expect(wrongOf(await checkApp(github, { publicUrl: 'https://new.example.com' }))).toEqual([
    'address: GitHub delivers to https://old.example.com/webhooks/github, not to https://new.example.com/webhooks/github',
  ]);
  expect(wrongOf(await checkApp(github, { publicUrl: null }))[0]).toMatch(
    /^address: AME_PUBLIC_URL is not set/,
  );
  await host[Symbol.asyncDispose]();
});

test.each([
  ['form', { content_type: 'form', secret: '********' }, /^webhook: .*form/],
  [
    'no certificate',
    { content_type: 'json', insecure_ssl: '1', secret: '********' },
    /^webhook: .*certificate/,
  ],
  ['no secret', { content_type: 'json', insecure_ssl: '0' }, /^secret: /],
])('check tells a webhook with %s', async (_, config, text) => {
  const { host, github, publicUrl } = await fresh();
  host.failNext('apps/get-webhook-config-for-app', {
    status: 200,
    body: { url: `${publicUrl}/webhooks/github`, ...config },
  });
  expect(wrongOf(await checkApp(github, { publicUrl }))).toEqual([expect.stringMatching(text)]);
  await host[Symbol.asyncDispose]();
});

test.each([
  [401, 'Invalid HTTP Response: 401', /^secret: .*401/],
  [503, 'Invalid HTTP Response: 503', /^webhook: .*no secret or no database/],
  [0, 'failed to connect to host', /^address: .*failed to connect/],
  [502, 'Invalid HTTP Response: 502', /^address: .*502/],
  [404, 'Invalid HTTP Response: 404', /^webhook: .*404/],
])('check tells of deliveries that ended with %i', async (statusCode, status, text) => {
  const { host, github, publicUrl } = await fresh();
  const delivery = {
    id: 1,
    guid: 'f8a3e0b0-0000-4000-8000-000000000000',
    delivered_at: now.toISOString(),
    redelivery: false,
    duration: 0.1,
    status,
    status_code: statusCode,
    event: 'push',
    action: null,
    installation_id: null,
    repository_id: null,
  };
  const good = { ...delivery, status: 'OK', status_code: 202 };
  const answer = async (body: readonly object[]): Promise<readonly string[]> => {
    host.failNext('apps/list-webhook-deliveries', { status: 200, body });
    return wrongOf(await checkApp(github, { publicUrl }));
  };
  expect(await answer([delivery, delivery, good])).toEqual([expect.stringMatching(text)]);
  expect(await answer([good, delivery])).toEqual([]);
  expect(await answer([{ ...delivery, delivered_at: later(-100_000).toISOString() }])).toEqual([]);
  await host[Symbol.asyncDispose]();
});

test('nothing that was said on either side broke the description of GitHub', () => {
  // Octokit's copy of it wants each account of the list to be a user and an enterprise at once; for a single
  // installation it says "or", as GitHub's own does.
  const listed = 'apps/list-installations, answer: /0/account must have';
  expect(fake.violations.filter((violation) => !violation.startsWith(listed))).toEqual([]);
});
