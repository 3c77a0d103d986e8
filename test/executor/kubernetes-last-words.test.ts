import { afterEach, expect, test } from 'vitest';
import { systemClock, type Clock } from '../../src/agent/clock.ts';
import { connectCluster } from '../../src/executor/kubernetes/client.ts';
import { createKubernetesExecutor } from '../../src/executor/kubernetes/kubernetes-executor.ts';
import type { Executor } from '../../src/executor/executor.ts';
import { createLog } from '../../src/log.ts';
import { createManualClock } from '../agent/manual-clock.ts';
import { startFakeKubernetes, type FakeKubernetes } from '../fakes/kubernetes/server.ts';
import { instance, ownKey, plainSettings } from './kubernetes-orders.ts';

const owned: AsyncDisposableStack[] = [];
afterEach(async () => {
  for (const stack of owned.splice(0)) await stack.disposeAsync();
});

const secret = 'hf_a-secret-of-some-length';

async function tryExecutor(
  clock: Clock = systemClock,
): Promise<{ fake: FakeKubernetes; executor: Executor }> {
  const stack = new AsyncDisposableStack();
  owned.push(stack);
  const fake = stack.use(await startFakeKubernetes());
  const cluster = await connectCluster({ kubeconfig: fake.kubeconfig, namespace: null });
  const executor = createKubernetesExecutor({
    cluster,
    settings: plainSettings,
    agentUrl: () => 'http://ame:8081',
    ownKey,
    tokenOf: (attempt) => `${attempt}.the-token-of-it`,
    secretsOf: (project) => Promise.resolve(project === 5 ? [{ name: 'KEY', value: secret }] : []),
    projectsOf: (ids) => Promise.resolve(new Set(ids)),
    isOver: () => Promise.resolve(new Set()),
    unschedulableAfterSeconds: 900,
    watch: false,
    log: createLog('silent'),
    clock,
  });
  stack.defer(() => executor.close());
  return { fake, executor };
}

const ended = (exitCode: number, ran = true) => ({
  terminated: {
    exitCode,
    startedAt: ran ? '2026-01-01T00:00:01Z' : '1970-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:00:02Z',
  },
});

/** A pod whose agent crashed, seen once by the executor. */
async function crash(
  { fake, executor }: { fake: FakeKubernetes; executor: Executor },
  attempt: number,
  { ran = true, conditions = [] as readonly object[] } = {},
): Promise<void> {
  const labels = {
    'ame.dev/instance': instance,
    'ame.dev/attempt': String(attempt),
    'ame.dev/project': '5',
  };
  fake.store.put('jobs', `ame-attempt-${attempt}`, { metadata: { labels } });
  fake.store.put('pods', `pod-${attempt}`, {
    metadata: { labels, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { nodeName: 'node-1' },
    status: {
      phase: 'Failed',
      conditions,
      initContainerStatuses: [{ name: 'agent', restartCount: 0, state: ended(3) }],
      containerStatuses: [{ name: 'task', restartCount: 0, state: ended(128, ran) }],
    },
  });
  const seen = await executor.observe([{ id: attempt, host: null }]);
  expect(seen.get(attempt)?.kind).toBe('over');
}

test('what both containers said is read once, masked, for a question each and no write', async () => {
  const here = await tryExecutor();
  const { fake, executor } = here;
  fake.logs.set('pod-41/agent', `cannot go on with ${secret}\n`);
  fake.logs.set('pod-41/task', 'ame: 41.the-token-of-it\n');
  await crash(here, 41);
  const words = await executor.lastWords?.([41]);
  expect(words?.get(41)).toEqual({
    said: [
      { container: 'agent', text: 'cannot go on with ***' },
      { container: 'task', text: 'ame: ***' },
    ],
    unread: null,
  });
  expect(await executor.lastWords?.([41])).toEqual(words);
  const asked = fake.asked.filter(({ what }) => what.includes('/log'));
  expect(asked.map(({ what }) => what)).toEqual(['GET pods/pod-41/log', 'GET pods/pod-41/log']);
  expect(asked[0]?.query.get('tailLines')).toBe('20');
  expect(asked[0]?.query.get('limitBytes')).toBe('16384');
  expect(fake.asked.filter(({ what }) => !/^(GET|WATCH)/.test(what))).toEqual([]);
});

test('half of a secret at the place where the log was cut is not shown', async () => {
  const here = await tryExecutor();
  const half = secret.slice(0, 12);
  // As the API cuts: the first so many bytes of the last lines.
  const text = 'x\n'.repeat(8_192).slice(0, 16_384 - half.length) + half;
  here.fake.logs.set('pod-41/agent', text);
  here.fake.logs.set('pod-41/task', '');
  await crash(here, 41);
  const words = await here.executor.lastWords?.([41]);
  expect(words?.get(41)?.said[0]?.text).toMatch(/^(x\n)+x$/);
});

test('a container that never ran is not asked for, and neither is the pod of an attempt that is not over', async () => {
  const here = await tryExecutor();
  here.fake.logs.set('pod-41/agent', 'all is said\n');
  await crash(here, 41, { ran: false });
  const words = await here.executor.lastWords?.([41, 42]);
  expect([...(words ?? [])]).toEqual([
    [41, { said: [{ container: 'agent', text: 'all is said' }], unread: null }],
  ]);
  expect(here.fake.count('GET pods/pod-41/log')).toBe(1);
});

test.each([
  ['it is gone', { status: 404, message: 'pods "pod-41" not found' }, /^it was removed/],
  ['AME may not', { status: 403, message: 'cannot get resource "pods/log"' }, /^AME may not read it/],
  [
    'the kubelet does not answer',
    {
      status: 500,
      message: 'Get "https://192.0.2.1:10250/containerLogs/a": dial tcp 192.0.2.1:10250: i/o timeout',
    },
    /^its node does not answer: dial tcp/,
  ],
  ['the connection breaks', 'broken', /^the cluster answers: the API server did not answer/],
] as const)('where %s, that is said, and the API server is not held to be away', async (_, fault, why) => {
  const here = await tryExecutor();
  await crash(here, 41);
  // A connection that breaks is tried once more by every call.
  here.fake.fail('GET pods/pod-41/log', fault, 4);
  expect((await here.executor.lastWords?.([41]))?.get(41)).toEqual({
    said: [],
    unread: expect.stringMatching(why),
  });
  expect(here.executor.awaySince?.()).toBeNull();
});

test('a node that is frozen is waited for three seconds, and after three such runs others hardly wait', async () => {
  const clock = createManualClock();
  const here = await tryExecutor(clock);
  const late = { said: [], unread: 'its node did not answer in time.' };
  const attempts = [41, 42, 43, 44];
  for (const attempt of attempts) {
    await crash(here, attempt);
    here.fake.fail(`GET pods/pod-${attempt}/log`, 'frozen', 2);
  }
  const answers = attempts.map((attempt) => here.executor.lastWords?.([attempt]));
  await clock.armed(300);
  await here.fake.until('GET pods/pod-44/log', 2);
  clock.advance(300);
  expect((await answers[3])?.get(44)).toEqual(late);
  clock.advance(2_699);
  await here.fake.until('GET pods/pod-43/log', 2);
  clock.advance(1);
  for (const [at, attempt] of attempts.entries()) expect((await answers[at])?.get(attempt)).toEqual(late);
});

test('a node that is known to be silent is not asked', async () => {
  const here = await tryExecutor();
  const conditions = [
    { type: 'Ready', status: 'False' },
    { type: 'ContainersReady', status: 'True' },
  ];
  await crash(here, 41, { conditions });
  expect((await here.executor.lastWords?.([41]))?.get(41)).toEqual({
    said: [],
    unread: 'its node does not answer: the node node-1 is silent.',
  });
  expect(here.fake.count('GET pods/pod-41/log')).toBe(0);
});

test('an executor that closes waits for no answer, and blames no node for that', async () => {
  const here = await tryExecutor();
  await crash(here, 41);
  here.fake.fail('GET pods/pod-41/log', 'frozen', 2);
  const answer = here.executor.lastWords?.([41]);
  await here.fake.until('GET pods/pod-41/log', 2);
  await here.executor.close();
  expect(await answer).toEqual(new Map());
});
