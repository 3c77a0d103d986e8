import { afterEach, expect, test } from 'vitest';
import type { Cluster } from '../../src/executor/kubernetes/client.ts';
import { connectCluster } from '../../src/executor/kubernetes/client.ts';
import { jobsPath, type JobObject } from '../../src/executor/kubernetes/jobs.ts';
import { createSeen, type Seen } from '../../src/executor/kubernetes/sightings.ts';
import { watchObjects, type Watch } from '../../src/executor/kubernetes/watch.ts';
import { createLog } from '../../src/log.ts';
import { createManualClock, type ManualClock } from '../agent/manual-clock.ts';
import { startFakeKubernetes, type FakeKubernetes } from '../fakes/kubernetes/server.ts';

type Tried = {
  readonly fake: FakeKubernetes;
  readonly clock: ManualClock;
  readonly seen: Seen;
  readonly watch: Watch;
  /** Resolves once so many changes were told, all in all. */
  readonly told: (times: number) => Promise<void>;
  readonly changes: () => number;
};

const owned: AsyncDisposableStack[] = [];
afterEach(async () => {
  for (const stack of owned.splice(0)) await stack.disposeAsync();
});

/** A watch on Jobs of a fake server, in a time that stands still unless it is moved. */
async function tryWatch(
  prepare: (fake: FakeKubernetes) => void = () => {},
  through: (cluster: Cluster) => Cluster = (cluster) => cluster,
): Promise<Tried> {
  const stack = new AsyncDisposableStack();
  owned.push(stack);
  const fake = stack.use(await startFakeKubernetes());
  prepare(fake);
  const clock = createManualClock();
  const cluster = through(
    await connectCluster({ kubeconfig: fake.kubeconfig, namespace: null, now: () => clock.now() }),
  );
  let count = 0;
  let listeners: (() => void)[] = [];
  const seen = createSeen(() => {
    count += 1;
    for (const listener of listeners) listener();
  });
  const closing = new AbortController();
  const watch = watchObjects<JobObject>(
    {
      cluster,
      path: jobsPath(cluster),
      selector: 'ame.dev/instance=us',
      into: seen.jobs,
      clock,
      random: () => 1,
      log: createLog('silent'),
    },
    closing.signal,
  );
  stack.defer(async () => {
    closing.abort();
    await watch.ended;
    cluster.close();
  });
  const told = (times: number): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (count < times) return;
        listeners = listeners.filter((listener) => listener !== check);
        resolve();
      };
      listeners.push(check);
      check();
    });
  return { fake, clock, seen, watch, told, changes: () => count };
}

function putJob(fake: FakeKubernetes, attempt: number, status: object = {}): void {
  fake.store.put('jobs', `ame-attempt-${attempt}`, {
    metadata: { labels: { 'ame.dev/instance': 'us', 'ame.dev/attempt': String(attempt) } },
    status,
  });
}

const failed = {
  conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: '' }],
};

/** Its pauses in order, at their longest: the first failure is followed by a second of it. */
const pauses = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];

test('what is there is listed page by page, and what changes is told', async () => {
  const { fake, seen, watch, told } = await tryWatch((before) => {
    for (let attempt = 1; attempt <= 1_200; attempt += 1) putJob(before, attempt);
    before.store.put('jobs', 'foreign', { metadata: { labels: { 'ame.dev/attempt': '5000' } } });
  });
  await watch.listed;
  expect(fake.count('GET jobs')).toBe(3);
  expect(seen.attempts()).toHaveLength(1_200);
  expect(watch.isLive()).toBe(true);
  putJob(fake, 7, failed);
  await told(1_201);
  expect(seen.of(7).job?.facts.failed?.reason).toBe('BackoffLimitExceeded');
  fake.store.remove('jobs', 'ame-attempt-7');
  await told(1_202);
  expect(seen.of(7)).toEqual({ job: null, pods: [] });
});

test('a change of what is not looked at wakes nobody', async () => {
  const { fake, watch, told, changes } = await tryWatch((before) => putJob(before, 1));
  await watch.listed;
  putJob(fake, 1, { active: 1 });
  putJob(fake, 1, { active: 0, uncountedTerminatedPods: {} });
  putJob(fake, 2);
  // One for the list, one for the second Job: each change is told in the order in which it comes.
  await told(2);
  expect(changes()).toBe(2);
});

test('a stream that ends is resumed from where it was, without a new list', async () => {
  const { fake, clock, watch, told, seen } = await tryWatch((before) => putJob(before, 1));
  await watch.listed;
  putJob(fake, 2);
  await told(2);
  const version = fake.store.version();
  clock.advance(30_000);
  fake.end('jobs', 'well');
  await clock.armed(500);
  fake.held.is = true;
  putJob(fake, 3);
  fake.held.is = false;
  clock.advance(500);
  await fake.until('WATCH jobs', 2);
  expect(fake.count('GET jobs')).toBe(1);
  expect(fake.asked.at(-1)?.query.get('resourceVersion')).toBe(version);
  expect(seen.attempts()).toEqual([1, 2]);
});

test('a bookmark moves on where it is resumed from', async () => {
  const { fake, clock, watch, told } = await tryWatch();
  await watch.listed;
  fake.say('jobs', JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '7777' } } }));
  putJob(fake, 1);
  await told(1);
  fake.say('jobs', JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '8888' } } }));
  fake.end('jobs', 'well');
  await clock.armed(1_000);
  clock.advance(1_000);
  await fake.until('WATCH jobs', 2);
  expect(fake.asked.at(-1)?.query.get('resourceVersion')).toBe('8888');
});

const gone = { kind: 'Status', code: 410, message: 'too old resource version' };

/** How the server says so, and the pauses until there is a new list. */
const forgets: readonly (readonly [string, (fake: FakeKubernetes) => void, readonly number[]])[] = [
  ['as an event', (fake) => fake.say('jobs', JSON.stringify({ type: 'ERROR', object: gone })), [1_000]],
  [
    'as the answer to a watch',
    (fake) => {
      fake.fail('WATCH jobs', { status: 410, message: gone.message });
      fake.end('jobs', 'well');
    },
    [1_000, 2_000],
  ],
];

test.each(forgets)('410 %s lists anew, and what is gone meanwhile goes', async (_, forget, waits) => {
  const { fake, clock, watch, seen, told } = await tryWatch((before) => {
    putJob(before, 1);
    putJob(before, 2);
  });
  await watch.listed;
  fake.held.is = true;
  fake.store.remove('jobs', 'ame-attempt-1');
  putJob(fake, 3);
  fake.held.is = false;
  forget(fake);
  for (const wait of waits) {
    await clock.armed(wait);
    clock.advance(wait);
  }
  await told(4);
  expect(seen.attempts()).toEqual([2, 3]);
  expect(fake.count('GET jobs')).toBe(2);
});

test('a stream that falls silent is half open: it is given up and resumed', async () => {
  const { fake, clock, watch } = await tryWatch();
  await watch.listed;
  await clock.armed(100_000);
  clock.advance(100_000);
  await clock.armed(500);
  expect(watch.isLive()).toBe(false);
  clock.advance(500);
  await fake.until('WATCH jobs', 2);
  expect(fake.count('GET jobs')).toBe(1);
});

const breaks: readonly (readonly [string, (fake: FakeKubernetes) => void])[] = [
  ['a broken connection', (fake) => fake.end('jobs', 'broken')],
  ['half an event', (fake) => (fake.say('jobs', '{"type":"ADDED","obj'), fake.end('jobs', 'well'))],
  ['an event that is no JSON', (fake) => fake.say('jobs', '<html>gateway</html>')],
  [
    'an error event',
    (fake) => fake.say('jobs', JSON.stringify({ type: 'ERROR', object: { code: 500, message: 'etcd' } })),
  ],
];

test.each(breaks)('after %s it goes on without a new list', async (_, harm) => {
  const { fake, clock, watch, seen, told } = await tryWatch((before) => putJob(before, 1));
  await watch.listed;
  harm(fake);
  await clock.armed(1_000);
  expect(watch.isLive()).toBe(false);
  clock.advance(1_000);
  await fake.until('open jobs');
  await fake.until('WATCH jobs', 2);
  putJob(fake, 2);
  await told(2);
  expect(seen.attempts()).toEqual([1, 2]);
  expect(fake.count('GET jobs')).toBe(1);
});

test('429 waits for as long as the server says', async () => {
  const { fake, clock, watch } = await tryWatch((before) =>
    before.fail('GET jobs', { status: 429, headers: { 'retry-after': '60' } }),
  );
  await fake.until('GET jobs');
  await clock.armed(60_000);
  clock.advance(60_000);
  await watch.listed;
  expect(fake.count('GET jobs')).toBe(2);
});

test('a server that is away for ten minutes is asked seldom, and found again', async () => {
  const { fake, clock, watch, seen } = await tryWatch((before) => {
    putJob(before, 1);
    before.fail('GET jobs', 'broken', Infinity);
  });
  let passed = 0;
  let tries = 0;
  while (passed < 600_000) {
    const pause = pauses[Math.min(tries, pauses.length - 1)] ?? 0;
    await clock.armed(pause);
    tries += 1;
    expect(watch.isLive()).toBe(false);
    // A connection that breaks is tried once more at once: it may be an old one.
    expect(fake.count('GET jobs')).toBe(2 * tries);
    passed += pause;
    if (passed >= 600_000) fake.mend();
    clock.advance(pause);
  }
  expect(tries).toBe(24);
  await watch.listed;
  expect(watch.isLive()).toBe(true);
  expect(seen.attempts()).toEqual([1]);
  expect(fake.count('GET jobs')).toBe(2 * tries + 1);
  expect(fake.count('WATCH jobs')).toBe(1);
});

test('a frozen server is asked one thing at a time', async () => {
  let asked = 0;
  const { fake, clock, watch } = await tryWatch(
    (before) => before.fail('GET jobs', 'frozen', 3),
    // What is answered has all the time: a busy machine takes longer than that for it.
    (cluster) => ({
      ...cluster,
      ask: (question) => cluster.ask((asked += 1) <= 3 ? { ...question, timeoutMs: 20 } : question),
    }),
  );
  for (const pause of pauses.slice(0, 3)) {
    await clock.armed(pause);
    clock.advance(pause);
  }
  await watch.listed;
  expect(fake.count('GET jobs')).toBe(4);
});

test('a server that ends every stream at once is not asked in a circle', async () => {
  const { fake, clock, watch } = await tryWatch();
  await watch.listed;
  for (const [at, pause] of pauses.entries()) {
    await fake.until('open jobs');
    fake.end('jobs', 'well');
    await clock.armed(pause);
    expect(fake.count('WATCH jobs')).toBe(at + 1);
    clock.advance(pause);
    await fake.until('WATCH jobs', at + 2);
  }
  expect(fake.count('GET jobs')).toBe(1);
});
