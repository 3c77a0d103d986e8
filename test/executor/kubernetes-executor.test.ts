import { afterEach, describe, expect, test } from 'vitest';
import type { AttemptOrder, Observation } from '../../src/core/attempt.ts';
import { ExecutorAwayError, type Executor } from '../../src/executor/executor.ts';
import { connectCluster } from '../../src/executor/kubernetes/client.ts';
import {
  createKubernetesExecutor,
  type KubernetesExecutorOptions,
} from '../../src/executor/kubernetes/kubernetes-executor.ts';
import { createLog } from '../../src/log.ts';
import { createManualClock, type ManualClock } from '../agent/manual-clock.ts';
import { startFakeKubernetes, type FakeKubernetes } from '../fakes/kubernetes/server.ts';
import { instance, orderOf, ownKey, plainSettings } from './kubernetes-orders.ts';

type Tried = {
  readonly fake: FakeKubernetes;
  readonly executor: Executor;
  readonly clock: ManualClock;
  readonly woken: number[];
  readonly seen: (attempt: number) => Promise<Observation | undefined>;
};

const owned: AsyncDisposableStack[] = [];
afterEach(async () => {
  for (const stack of owned.splice(0)) await stack.disposeAsync();
});

async function tryExecutor(
  more: Partial<KubernetesExecutorOptions> = {},
  given?: FakeKubernetes,
): Promise<Tried> {
  const stack = new AsyncDisposableStack();
  owned.push(stack);
  const fake = given ?? stack.use(await startFakeKubernetes());
  const clock = createManualClock();
  const cluster = await connectCluster({ kubeconfig: fake.kubeconfig, namespace: null });
  const executor = createKubernetesExecutor({
    cluster,
    settings: plainSettings,
    agentUrl: () => 'http://ame:8081',
    ownKey,
    tokenOf: (attempt) => `${attempt}.token`,
    secretsOf: () => Promise.resolve([{ name: 'KEY', value: 'a value' }]),
    projectsOf: (ids) => Promise.resolve(new Set(ids)),
    isOver: () => Promise.resolve(new Set()),
    unschedulableAfterSeconds: 900,
    watch: false,
    log: createLog('silent'),
    clock,
    ...more,
  });
  const woken: number[] = [];
  executor.watch((attempt) => woken.push(attempt));
  stack.defer(() => executor.close());
  const seen = async (id: number): Promise<Observation | undefined> =>
    (await executor.observe([{ id, host: null }])).get(id);
  return { fake, executor, clock, woken, seen };
}

const labelsOf = (attempt: number): Readonly<Record<string, string>> => ({
  'ame.dev/instance': instance,
  'ame.dev/attempt': String(attempt),
});

/** What was written, in order. */
function writes({ asked }: FakeKubernetes): readonly string[] {
  return asked.map(({ what }) => what).filter((what) => !/^(GET|WATCH)/.test(what));
}

test('an attempt costs three writes: its Job, its token, its end', async () => {
  const { fake, executor } = await tryExecutor();
  await executor.start(orderOf(41));
  const job = fake.store.find('jobs', 'ame-attempt-41');
  const secret = fake.store.find('secrets', 'ame-attempt-41');
  expect(secret).toMatchObject({
    immutable: true,
    stringData: { token: '41.token' },
    metadata: { ownerReferences: [{ kind: 'Job', name: 'ame-attempt-41', uid: job?.metadata.uid }] },
  });
  for (let time = 0; time < 3; time += 1) await executor.stop(41);
  expect(writes(fake)).toEqual(['POST jobs', 'POST secrets', 'DELETE jobs/ame-attempt-41']);
});

test('a stop that comes while a start is on its way is made good by the next one', async () => {
  const { fake, executor } = await tryExecutor();
  const stops: Promise<void>[] = [];
  const { executor: slow } = await tryExecutor(
    // Asked for between the decision to start and the create.
    {
      agentUrl: async () => {
        stops.push(slow.stop(41));
        await Promise.all(stops);
        return 'http://ame:8081';
      },
    },
    fake,
  );
  await slow.start(orderOf(41));
  expect(fake.store.all('jobs')).toHaveLength(1);
  await slow.stop(41);
  expect(fake.store.all('jobs')).toHaveLength(0);
  await executor.close();
});

test('a start that is repeated starts once, by whichever replica', async () => {
  const { fake, executor } = await tryExecutor();
  const other = await tryExecutor({}, fake);
  await executor.start(orderOf(41));
  await executor.start(orderOf(41));
  await other.executor.start(orderOf(41));
  expect(fake.store.all('jobs')).toHaveLength(1);
  expect(fake.store.all('secrets')).toHaveLength(1);
});

test('an attempt whose Job somebody deleted is not left with the token of that one', async () => {
  const { fake, executor } = await tryExecutor();
  await executor.start(orderOf(41));
  // A cluster removes what belonged to it only some time later.
  fake.store.remove('jobs', 'ame-attempt-41');
  await expect(executor.start(orderOf(41))).rejects.toBeInstanceOf(ExecutorAwayError);
  fake.store.remove('secrets', 'ame-attempt-41');
  await executor.start(orderOf(41));
  const uid = fake.store.find('jobs', 'ame-attempt-41')?.metadata.uid;
  expect(fake.store.find('secrets', 'ame-attempt-41')).toMatchObject({
    metadata: { ownerReferences: [{ uid }] },
  });
});

test('a create at which the server failed is done by the next start', async () => {
  const { fake, executor, seen } = await tryExecutor();
  fake.fail('POST secrets', { status: 500 });
  await expect(executor.start(orderOf(41))).rejects.toBeInstanceOf(ExecutorAwayError);
  expect(await seen(41)).toMatchObject({ kind: 'pending' });
  await executor.start(orderOf(41));
  expect(fake.store.all('secrets')).toHaveLength(1);
});

const secrets = [{ name: 'KEY', secret: 'KEY' }];
const unheard: readonly (readonly [string, string, Partial<AttemptOrder>])[] = [
  ['Job', 'POST jobs', {}],
  ['token', 'POST secrets', {}],
  // It is written before the token.
  ["project's secrets", 'POST secrets', { secrets }],
];

describe.each(unheard)("a create whose answer was lost: an attempt's %s", (_, what, order) => {
  test.each([
    ['is asked for again at once', 1],
    ['is found by the next start', 2],
  ])('%s, and is there once', async (_name, times) => {
    const { fake, executor, seen } = await tryExecutor();
    fake.fail(what, 'done, then broken', times);
    const first = executor.start(orderOf(41, order));
    if (times === 2) await expect(first).rejects.toBeInstanceOf(ExecutorAwayError);
    else await first;
    const uids = (): readonly string[] =>
      ['jobs', 'secrets'].flatMap((kind) => fake.store.all(kind)).map(({ metadata }) => metadata.uid);
    const before = uids();
    expect(before.length).toBeGreaterThan(0);
    await executor.start(orderOf(41, order));
    // What was made without an answer is what is there still.
    expect(uids()).toEqual(expect.arrayContaining([...before]));
    const [job] = fake.store.all('jobs');
    expect(fake.store.all('jobs')).toHaveLength(1);
    const tokens = fake.store.all('secrets').filter(({ metadata }) => metadata.name === 'ame-attempt-41');
    expect(tokens).toHaveLength(1);
    expect(tokens).toMatchObject([{ metadata: { ownerReferences: [{ uid: job?.metadata.uid }] } }]);
    expect(fake.store.all('secrets')).toHaveLength(order.secrets ? 2 : 1);
    expect(await seen(41)).toMatchObject({ kind: 'pending' });
  });
});

test('a Job of somebody else under our name is an alarm, and is left alone', async () => {
  const lines: unknown[] = [];
  const log = createLog('error', { write: (line) => void lines.push(JSON.parse(line)) });
  const { fake, executor, seen, woken } = await tryExecutor({ log });
  fake.store.put('jobs', 'ame-attempt-41', { metadata: { labels: { 'ame.dev/instance': 'another' } } });
  await executor.start(orderOf(41));
  const ending = { class: 'start_failed', exitCode: null, signal: null };
  expect(await seen(41)).toMatchObject({ kind: 'over', ending });
  expect(woken).toEqual([41]);
  const alarm = {
    level: 50,
    attempt: 41,
    job: 'work/ame-attempt-41',
    msg: expect.stringContaining('not ours'),
  };
  expect(lines).toEqual([expect.objectContaining(alarm)]);
  await executor.stop(41);
  expect(fake.store.all('jobs')).toHaveLength(1);
  // Another process, which has tried to start nothing, sees it as well.
  expect(await (await tryExecutor({}, fake)).seen(41)).toMatchObject({ kind: 'over', ending });
});

test('a pod that waits for a token that nobody gave it is given one, once', async () => {
  const fake = await startFakeKubernetes();
  const { seen } = await tryExecutor({}, fake);
  fake.store.put('jobs', 'ame-attempt-41', { metadata: { labels: labelsOf(41) } });
  const pod = { metadata: { labels: labelsOf(41) }, status: { phase: 'Pending' } };
  fake.store.put('pods', 'ame-attempt-41-abcde', pod);
  await seen(41);
  expect(writes(fake)).toEqual([]);
  fake.store.put('pods', 'ame-attempt-41-abcde', { ...pod, spec: { nodeName: 'node-1' } });
  await seen(41);
  await seen(41);
  expect(writes(fake)).toEqual(['POST secrets']);
  await fake[Symbol.asyncDispose]();
});

test('a quota that is used up is waited for', async () => {
  const { fake, executor, clock, seen } = await tryExecutor();
  const message =
    'jobs.batch "ame-attempt-41" is forbidden: exceeded quota: few, requested: count/jobs.batch=1';
  fake.fail('POST jobs', { status: 403, message }, 2);
  await executor.start(orderOf(41));
  expect(await seen(41)).toEqual({ kind: 'pending', why: expect.stringContaining('exceeded quota: few') });
  expect(fake.count('POST jobs')).toBe(1);
  clock.advance(5_000);
  expect(await seen(41)).toMatchObject({ kind: 'pending' });
  clock.advance(5_000);
  await seen(41);
  expect(fake.count('POST jobs')).toBe(2);
  clock.advance(5_000);
  await seen(41);
  expect(fake.store.all('jobs')).toHaveLength(1);
});

const refusals: readonly (readonly [number, string, string])[] = [
  [422, 'Job.batch "x" is invalid: spec.template.spec.containers[0].image: Required value', 'start_failed'],
  [403, 'admission webhook "images.example.com" denied the request: no such registry', 'admission_refused'],
  [422, "ValidatingAdmissionPolicy 'images' with binding 'all' denied request: no", 'admission_refused'],
];

test.each(refusals)('%i %s ends the attempt in the words of the server', async (status, message, name) => {
  const { fake, executor, seen } = await tryExecutor();
  fake.fail('POST jobs', { status, message });
  await executor.start(orderOf(41));
  const ending = { class: name, reason: expect.stringContaining(message) };
  expect(await seen(41)).toMatchObject({ kind: 'over', ending });
});

const helpless: readonly (readonly [number, string])[] = [
  [403, 'jobs.batch is forbidden: User "x" cannot create resource "jobs"'],
  [404, 'namespaces "work" not found'],
];

test.each(helpless)('%i %s is told to who waits, until somebody has helped', async (status, message) => {
  const { fake, executor, clock, seen } = await tryExecutor();
  fake.fail('POST jobs', { status, message });
  await executor.start(orderOf(41));
  const why = expect.stringMatching(/an administrator has to look/);
  expect(await seen(41)).toEqual({ kind: 'pending', why });
  expect(await seen(41)).toMatchObject({ why: expect.stringContaining(message) });
  clock.advance(5_000);
  await seen(41);
  expect(fake.store.all('jobs')).toHaveLength(1);
});

const away: readonly (readonly [number, string])[] = [
  [429, 'too many requests'],
  [500, 'failed calling webhook'],
  [503, 'etcd leader changed'],
];

test.each(away)('%i %s is a world that is away', async (status, message) => {
  const { fake, executor, seen } = await tryExecutor();
  fake.fail('POST jobs', { status, message });
  await expect(executor.start(orderOf(41))).rejects.toThrow(message);
  expect(await seen(41)).toEqual({ kind: 'absent' });
});

test('a right that AME has not is no failure of a run', async () => {
  const { fake, executor, seen } = await tryExecutor();
  fake.fail('GET pods', { status: 403, message: 'pods is forbidden' });
  await expect(seen(41)).rejects.toBeInstanceOf(ExecutorAwayError);
  await executor.start(orderOf(41));
  fake.fail('DELETE jobs', { status: 403, message: 'jobs.batch is forbidden' });
  await expect(executor.stop(41)).rejects.toBeInstanceOf(ExecutorAwayError);
  await executor.stop(41);
  expect(fake.store.all('jobs')).toHaveLength(0);
});

test('a server that is away is told with the time at which to come again', async () => {
  const { fake, executor } = await tryExecutor();
  fake.fail('POST jobs', { status: 429, headers: { 'retry-after': '30' } });
  const error: unknown = await executor.start(orderOf(41)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ExecutorAwayError);
  expect(error).toMatchObject({ retryAt: expect.any(Date) });
});

test('that a Job is not there is only said when it was asked for by its name', async () => {
  const { fake, executor, seen } = await tryExecutor({ watch: true });
  await executor.start(orderOf(41));
  await fake.until('open jobs');
  await fake.until('open pods');
  fake.held.is = true;
  const other = await tryExecutor({}, fake);
  await other.executor.start(orderOf(42));
  fake.held.is = false;
  expect(await seen(42)).toMatchObject({ kind: 'pending' });
  expect(fake.count('GET jobs/ame-attempt-42')).toBe(1);
  expect(await seen(43)).toEqual({ kind: 'absent' });
});

test('a live watch answers without a question', async () => {
  const { fake, executor, seen, woken } = await tryExecutor({ watch: true });
  await fake.until('open jobs');
  await fake.until('open pods');
  await executor.start(orderOf(41));
  // The streams are open on the server's side; on ours they are a moment later.
  let before: number;
  do {
    before = fake.asked.length;
    expect(await seen(41)).toMatchObject({ kind: 'pending' });
  } while (fake.asked.length > before);
  expect(woken).toContain(41);
});

test('a frozen server does not hold up the end', async () => {
  const { fake, executor, seen } = await tryExecutor({ watch: true });
  await fake.until('open jobs');
  await fake.until('open pods');
  fake.fail('GET jobs', 'frozen');
  const asked = seen(41);
  // After the list of the watch, whether the executor has heard already that its streams are open or not.
  await fake.until('GET jobs', 2);
  await Promise.all([executor.close(), expect(asked).rejects.toBeInstanceOf(ExecutorAwayError)]);
});

test('what is over or unknown is removed, and nothing else', async () => {
  const fake = await startFakeKubernetes();
  for (const attempt of [1, 2, 3])
    fake.store.put('jobs', `ame-attempt-${attempt}`, { metadata: { labels: labelsOf(attempt) } });
  fake.store.put('jobs', 'ame-attempt-4', {
    metadata: { labels: { ...labelsOf(4), 'ame.dev/instance': 'another' } },
  });
  const asked: (readonly number[])[] = [];
  await tryExecutor({ isOver: (attempts) => (asked.push(attempts), Promise.resolve(new Set([1, 3]))) }, fake);
  await fake.until('DELETE jobs', 2);
  expect(asked).toEqual([[1, 2, 3]]);
  expect(writes(fake)).toEqual(['DELETE jobs/ame-attempt-1', 'DELETE jobs/ame-attempt-3']);
  await fake[Symbol.asyncDispose]();
});

test('a disk that no node has is said, with what was asked and what there is', async () => {
  const { fake, executor, seen } = await tryExecutor();
  const allocatable = { cpu: '4', memory: '8Gi', 'ephemeral-storage': '100Gi' };
  fake.store.put('nodes', 'a', { metadata: { labels: {} }, spec: {}, status: { allocatable } });
  const storage = (gibibytes: number): Partial<AttemptOrder> => ({
    resources: { ...orderOf(1).resources, storage: `${gibibytes}Gi` },
    asked: { ...orderOf(1).asked, storageBytes: gibibytes * 2 ** 30 },
  });
  const waiting = async (attempt: number, more: Partial<AttemptOrder>): Promise<Observation | undefined> => {
    await executor.start(orderOf(attempt, more));
    fake.store.put('pods', `ame-attempt-${attempt}-x`, {
      metadata: { labels: labelsOf(attempt) },
      status: {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no' }],
      },
    });
    return seen(attempt);
  };
  const reason = expect.stringMatching(/asks for 200 GiB of storage, and the largest has 99\.94 GiB/);
  expect(await waiting(41, storage(200))).toMatchObject({ ending: { class: 'unschedulable', reason } });
  expect(await waiting(42, storage(50))).toMatchObject({ why: expect.stringMatching(/busy or closed/) });
  // What may be written without a word of the file is not asked of the node.
  const unsaid = { asked: storage(200).asked ?? orderOf(1).asked };
  expect(await waiting(43, unsaid)).toMatchObject({ why: expect.stringMatching(/busy or closed/) });
});

test('attempts of a large run are looked at in few questions', async () => {
  const { fake, executor } = await tryExecutor();
  const ids = Array.from({ length: 300 }, (_, at) => at + 1);
  for (const attempt of ids)
    fake.store.put('jobs', `ame-attempt-${attempt}`, { metadata: { labels: labelsOf(attempt) } });
  const seen = await executor.observe(ids.map((id) => ({ id, host: null })));
  expect(seen.size).toBe(300);
  expect(fake.count('GET jobs') + fake.count('GET pods')).toBe(5);
});

test('a secret that was set after its pod was made reaches it, and one that nobody set does not wait', async () => {
  const values = [{ name: 'OTHER', value: 'x' }];
  const { fake, executor, seen } = await tryExecutor({ secretsOf: () => Promise.resolve([...values]) });
  await executor.start(orderOf(41, { secrets: [{ name: 'KEY', secret: 'KEY' }] }));
  const message = "couldn't find key KEY in Secret work/ame-project-5";
  const waiting = { waiting: { reason: 'CreateContainerConfigError', message } };
  fake.store.put('pods', 'ame-attempt-41-abcde', {
    metadata: { labels: labelsOf(41), creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { nodeName: 'node-1' },
    status: { phase: 'Pending', containerStatuses: [{ name: 'task', restartCount: 0, state: waiting }] },
  });
  expect(await seen(41)).toMatchObject({ kind: 'over', ending: { class: 'secret_missing' } });
  fake.store.put('pods', 'ame-attempt-41-abcde', {
    metadata: { labels: labelsOf(41), creationTimestamp: new Date().toISOString() },
    spec: { nodeName: 'node-1' },
    status: { phase: 'Pending', containerStatuses: [{ name: 'task', restartCount: 0, state: waiting }] },
  });
  values.push({ name: 'KEY', value: 'late' });
  expect(await seen(41)).toMatchObject({ kind: 'pending', why: expect.stringContaining('on its way') });
  expect(fake.store.find('secrets', 'ame-project-5')?.['data']).toMatchObject({
    KEY: Buffer.from('late').toString('base64'),
  });
});

test('what was seen in the cluster is said to exist, and what the cluster has not taken is not', async () => {
  const { fake, executor, seen } = await tryExecutor();
  await executor.start(orderOf(41));
  expect(await seen(41)).toMatchObject({ kind: 'pending', exists: true });
  fake.store.remove('jobs', 'ame-attempt-41');
  expect(await seen(41)).toEqual({ kind: 'absent' });
  fake.fail('POST jobs', { status: 404, message: 'namespaces "work" not found' });
  await executor.start(orderOf(42));
  expect(await seen(42)).not.toHaveProperty('exists');
});

test('it says since when the API server is away, and a refusal is an answer', async () => {
  const { fake, executor } = await tryExecutor();
  expect(executor.awaySince?.()).toBeNull();
  fake.fail('POST jobs', { status: 503 });
  await expect(executor.start(orderOf(41))).rejects.toBeInstanceOf(ExecutorAwayError);
  expect(executor.awaySince?.()).toBeInstanceOf(Date);
  fake.fail('POST jobs', { status: 404, message: 'namespaces "work" not found' });
  await executor.start(orderOf(41));
  expect(executor.awaySince?.()).toBeNull();
});
