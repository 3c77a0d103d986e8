import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ask, assertClean, jwtOf, stoppedClock, tokenFor } from './asking.ts';
import { createFakeGithub, type FakeGithub } from './github.ts';
import { createHookReceiver, type HookReceiver } from './hook-receiver.ts';
import { pingPayload } from './github/payloads.ts';
import type { FakeInstallation } from './github/world.ts';

const clock = stoppedClock();
let github: FakeGithub;
let receiver: HookReceiver;
let acme: FakeInstallation;

beforeAll(async () => {
  github = await createFakeGithub({ now: clock.now });
  receiver = await createHookReceiver(() => github.app.webhookSecret);
  acme = await github.addInstallation({ account: 'acme' });
});

beforeEach(() => {
  github.hookUrl = receiver.url;
  receiver.received.length = 0;
  receiver.answer = 202;
});

afterEach(() => assertClean(github));

afterAll(async () => {
  await github[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const told = (): readonly string[] =>
  receiver.received.map(({ event, action }) => (action === null ? event : `${event}.${action}`));

describe('what people do is told in payloads that GitHub would send', () => {
  test('pushes of every kind', async () => {
    const repository = await github.addRepository(acme, { name: 'pushed', deliver: false });
    const first = await github.push(repository, { 'ame.yaml': 'a' });
    const forced = await github.push(repository, { 'ame.yaml': 'b' }, { force: true, from: null });
    await github.deliverPush(repository, await repository.branch('topic', first.after));
    await github.deliverPush(repository, await repository.tag('v1', first.after, { message: 'one' }));
    await github.deliverPush(repository, await repository.deleteRef('refs/heads/topic'));
    const pushes = receiver.received.map(({ payload }) => payload);
    const none = '0'.repeat(40);
    expect(pushes).toMatchObject([
      {
        ref: 'refs/heads/main',
        before: none,
        created: true,
        forced: false,
        commits: [{ added: ['ame.yaml'] }],
      },
      { before: first.after, after: forced.after, forced: true },
      { ref: 'refs/heads/topic', created: true },
      { ref: 'refs/tags/v1', commits: [], head_commit: { id: first.after } },
      { ref: 'refs/heads/topic', after: none, deleted: true, head_commit: null },
    ]);
    expect(pushes[0]).toMatchObject({
      installation: { id: acme.id },
      repository: { id: repository.id, owner: { login: 'acme' } },
    });
    expect(receiver.received.every(({ signed }) => signed)).toBe(true);
  });

  test('the life of a pull request from a fork', async () => {
    const repository = await github.addRepository(acme, { name: 'pulled', deliver: false });
    await repository.commit({ 'ame.yaml': 'a' });
    await repository.branch('stable', (await repository.read('refs/heads/main')) ?? '');
    const fork = await github.fork(repository, { owner: 'mallory' });
    const opened = await fork.commit({ x: '1' }, { branch: 'evil' });
    const pull = await github.openPullRequest(repository, {
      head: 'evil',
      headRepository: fork,
      draft: true,
    });
    const pushed = await fork.commit({ x: '2' }, { branch: 'evil' });
    await github.updatePullRequest(pull, { base: 'stable', draft: false });
    await github.updatePullRequest(pull, { state: 'closed' });
    await github.updatePullRequest(pull, { state: 'open' });
    await github.updatePullRequest(pull, { merged: true });
    expect(told()).toEqual(
      ['opened', 'synchronize', 'edited', 'ready_for_review', 'closed', 'reopened', 'closed'].map(
        (action) => `pull_request.${action}`,
      ),
    );
    expect(receiver.received[1]?.payload).toMatchObject({ before: opened.after, after: pushed.after });
    expect(receiver.received[2]?.payload).toMatchObject({ changes: { base: { ref: { from: 'main' } } } });
    expect(receiver.received.at(-1)?.payload).toMatchObject({ pull_request: { merged: true } });
  });

  test('installations, repositories, merge groups and presses on a check', async () => {
    const other = await github.addInstallation({ account: 'initech', repositorySelection: 'selected' });
    const repository = await github.addRepository(acme, { name: 'named' });
    const { after } = await repository.commit({ 'ame.yaml': 'a' });
    const token = await tokenFor(github, acme);
    await ask(github, token, 'POST /repos/acme/named/check-runs', { name: 'ame', head_sha: after });
    const [run] = github.checkRuns(repository);
    if (!run) throw new Error('no check run');
    await github.pressRerun(run, 'ada');
    await github.pressAction(run, 'cancel', 'ada');
    await github.pressRerunSuite(repository, after, 'ada');
    await github.destroyMergeGroup(repository, await github.mergeGroup(repository, { head: after }));
    await github.rename(repository, 'renamed');
    await github.archive(repository);
    await github.archive(repository, false);
    await github.setVisibility(repository, 'public');
    await github.setDefaultBranch(repository, 'trunk');
    await github.transfer(repository, 'initech');
    await github.setSelection(other, [repository]);
    await github.suspend(other);
    await github.unsuspend(other);
    await github.setPermissions(other, { metadata: 'read' });
    await github.deleteRepository(repository);
    await github.remove(other);
    expect(told()).toEqual([
      'installation.created',
      'repository.created',
      'installation_repositories.added',
      'check_run.rerequested',
      'check_run.requested_action',
      'check_suite.rerequested',
      'merge_group.checks_requested',
      'merge_group.destroyed',
      'repository.renamed',
      'repository.archived',
      'repository.unarchived',
      'repository.publicized',
      'repository.edited',
      'installation_repositories.removed',
      'installation_repositories.added',
      'installation.suspend',
      'installation.unsuspend',
      'installation.new_permissions_accepted',
      'repository.deleted',
      'installation.deleted',
    ]);
  });
});

test('what GitHub says of itself, and what an App hears', async () => {
  await using own = await createFakeGithub({ noise: true });
  own.hookUrl = receiver.url;
  const installation = await own.addInstallation({ account: 'acme', events: ['push'], deliver: false });
  const repository = await own.addRepository(installation, { name: 'pets', deliver: false });
  const { after } = await own.push(repository, { 'ame.yaml': 'a' });
  const token = await tokenFor(own, installation);
  const body = { name: 'ame', head_sha: after, conclusion: 'success' };
  await ask(own, token, 'POST /repos/acme/pets/check-runs', body);
  await own.archive(repository);
  await own.suspend(installation);
  await own.push(repository, { more: 'a' });
  expect(told()).toEqual([
    'push',
    'check_suite.requested',
    'check_run.created',
    'check_run.completed',
    'installation.suspend',
  ]);
  assertClean(own);
});

describe("the list of the App's deliveries", () => {
  type Line = { readonly id: number; readonly guid: string; readonly status_code: number };
  const list = async (query = '') => {
    const { body, headers } = await ask(github, jwtOf(github), `GET /app/hook/deliveries${query}`);
    const next = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
    return { lines: body as readonly Line[], next: next?.slice(github.url.length) };
  };
  const ping = () => github.deliver('ping', pingPayload(github.world));

  beforeEach(() => clock.advance(4 * 24 * 3_600));

  test('is newest first, in pages, and forgets after three days', async () => {
    const sent = [await ping(), await ping(), await ping()].map((one) => one?.id);
    const first = await list('?per_page=2');
    expect(first.lines.map(({ id }) => id)).toEqual([sent[2], sent[1]]);
    const second = await ask(github, jwtOf(github), `GET ${first.next}`);
    expect(second.body).toMatchObject([{ id: sent[0], event: 'ping', redelivery: false }]);
    expect(second.headers.get('link')).toBeNull();
    clock.advance(3 * 24 * 3_600 + 1);
    expect((await list()).lines).toEqual([]);
  });

  test('says how each went, and sends one again with its GUID', async () => {
    receiver.answer = 401;
    const refused = await ping();
    receiver.answer = 202;
    github.dropDeliveries(1);
    github.dropDeliveries(1, 'answered');
    github.dropDeliveries(1, 'unrecorded');
    await ping();
    await ping();
    await ping();
    expect(receiver.received).toHaveLength(1);
    expect((await list()).lines.map((line) => line.status_code)).toEqual([202, 502, 401]);
    expect((await list('?status=failure')).lines).toHaveLength(2);
    expect(
      await ask(github, jwtOf(github), `POST /app/hook/deliveries/${refused?.id}/attempts`),
    ).toMatchObject({ status: 202 });
    expect(receiver.received.map(({ guid }) => guid)).toEqual([refused?.guid, refused?.guid]);
    const [again] = (await list()).lines;
    expect(again).toMatchObject({ guid: refused?.guid, redelivery: true, status_code: 202 });
    expect(await ask(github, jwtOf(github), `GET /app/hook/deliveries/${again?.id}`)).toMatchObject({
      body: { request: { payload: { hook_id: 1 } } },
    });
    expect(await ask(github, jwtOf(github), 'POST /app/hook/deliveries/1/attempts')).toMatchObject({
      status: 404,
    });
  });

  test('has a place that the App may change', async () => {
    const secret = github.app.webhookSecret;
    expect(await ask(github, jwtOf(github), 'GET /app/hook/config')).toMatchObject({
      body: { url: receiver.url, secret: '********', content_type: 'json' },
    });
    const changed = { url: 'http://127.0.0.1:1/away', secret: 'another' };
    expect(await ask(github, jwtOf(github), 'PATCH /app/hook/config', changed)).toMatchObject({
      status: 200,
    });
    expect(await ping()).toMatchObject({ statusCode: 502, status: 'failed to connect to host' });
    github.hookUrl = null;
    expect(await ping()).toBeNull();
    github.app.webhookSecret = secret;
  });
});

describe('faults', () => {
  test('fail, wait, or lose the answer after the work', async () => {
    github.hookUrl = null;
    const repository = await github.addRepository(acme, { name: 'faulty' });
    const { after } = await repository.commit({ 'ame.yaml': 'a' });
    const token = await tokenFor(github, acme);
    const create = () =>
      ask(github, token, 'POST /repos/acme/faulty/check-runs', { name: 'ame', head_sha: after });

    github.failNext('checks/create', { status: 502, headers: { 'retry-after': '3' } });
    const failed = await create();
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([502, '3']);
    expect(github.checkRuns(repository)).toEqual([]);

    github.loseAnswerNext('checks/create');
    await expect(create()).rejects.toThrow('fetch failed');
    expect(github.checkRuns(repository)).toHaveLength(1);

    const gate = Promise.withResolvers<void>();
    github.slowNext(({ path }) => path === '/repos/acme/faulty', gate.promise);
    const order: string[] = [];
    const slow = ask(github, token, 'GET /repos/acme/faulty').then(() => order.push('slow'));
    await create().then(() => order.push('quick'));
    gate.resolve();
    await slow;
    expect(order).toEqual(['quick', 'slow']);
    expect(
      github.requests.filter(({ path }) => path.includes('/faulty/check-runs')).map(({ status }) => status),
    ).toEqual([502, 201, 201]);
  });
});

test('a manifest that was confirmed becomes the App, once and within the hour', async () => {
  await using own = await createFakeGithub({ now: clock.now, enterprise: true });
  const manifest = {
    name: 'AME of Acme',
    url: 'https://ame.example.com',
    hook_attributes: { url: receiver.url },
    default_permissions: { contents: 'read' as const },
    default_events: ['push'],
  };
  const late = own.confirmManifest(manifest);
  clock.advance(3_601);
  expect(await ask(own, null, `POST /app-manifests/${late}/conversions`)).toMatchObject({ status: 404 });
  const code = own.confirmManifest(JSON.stringify(manifest), { organization: 'acme' });
  const made = await ask(own, null, `POST /app-manifests/${code}/conversions`);
  expect(made).toMatchObject({
    status: 201,
    body: {
      slug: 'ame-of-acme',
      owner: { login: 'acme' },
      pem: expect.stringContaining('RSA PRIVATE KEY'),
      webhook_secret: own.app.webhookSecret,
    },
  });
  expect(await ask(own, null, `POST /app-manifests/${code}/conversions`)).toMatchObject({ status: 404 });
  expect(await ask(own, jwtOf(own), 'GET /app')).toMatchObject({
    status: 200,
    body: { permissions: { contents: 'read', metadata: 'read' }, events: ['push'] },
  });
  expect(own.url).toBe(`${own.webUrl}/api/v3`);
  expect(own.hookUrl).toBe(receiver.url);
  expect(own.violations).toEqual([]);
});
