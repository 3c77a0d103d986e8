import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { text } from '../journeys/text.ts';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { createApiRelay, type ApiRelay, type Asked } from './api-relay.ts';
import { atNode, lacks, openCluster, type Cluster } from './cluster.ts';
import { readSettings } from './settings.ts';

const { freezeApi, thawApi, killApi, startApi, heavy } = readSettings();

const owned = new AsyncDisposableStack();
let cluster: Cluster;
let api: ApiRelay;
let ame: ClusterAme;
beforeAll(async () => {
  cluster = owned.use(await openCluster());
  const directory = await mkdtemp(join(tmpdir(), 'ame-api-'));
  owned.defer(() => rm(directory, { recursive: true, force: true }));
  api = owned.use(await createApiRelay(cluster.config, join(directory, 'kubeconfig')));
  ame = owned.use(await startClusterAme(cluster, { KUBECONFIG: api.kubeconfig }));
});
afterAll(() => owned.disposeAsync());

/** A run whose first task ends while the API server is away, and another that lives through it. */
const file = (seconds: number): string => text`
  projectname: away
  on: push
  tasks:
    main:
      pipeline:
        first: [echo up, sleep 10, echo first > first]
        next: [cat first]
        long: {needs: [], runcommand: [echo up, sleep ${String(seconds + 15)}, echo still]}
`;

/** Answers with what became of each try. */
async function liveThrough(
  seconds: number,
  away: string | null,
  back: string | null,
): Promise<readonly string[]> {
  const repository = await ame.repository();
  expect((await repository.push({ 'ame.yaml': file(seconds) })).code).toBe(0);
  const found = await ame.watch(async () => {
    const run = (await ame.read.runs(repository)).at(-1);
    if (!run) return undefined;
    const logs = await Promise.all(['first', 'long'].map((task) => ame.read.log(run, task)));
    return logs.every((log) => log === 'up\n') ? run : undefined;
  });
  const before = api.asked.length;
  await atNode(away ?? '', '');
  try {
    // This is what is tried: how long it is away.
    const isOver = delay(seconds * 1_000);
    // The agent's word needs no API server.
    await ame.watch(async () =>
      (await ame.read.attempt(found, 'first')).state === 'succeeded' ? true : undefined,
    );
    await isOver;
    expect(await ame.read.states(found)).toEqual([
      'first succeeded',
      expect.stringMatching(/^next (waiting|queued)$/),
      'long running',
    ]);
  } finally {
    await atNode(back ?? '', '');
  }
  const during = api.asked.slice(before);
  const run = await ame.ended(repository);
  const after = api.asked.slice(before + during.length);
  console.log(`away for ${seconds} s: ${countsOf(during)}; then to the end: ${countsOf(after)}`);
  expect([run.state, run.reason]).toEqual(['succeeded', null]);
  const attempts = await ame.read.attempts(run);
  expect(await ame.read.log(run, 'long')).toBe('up\nstill\n');
  // Three calls that are tried again after growing pauses: a storm would be thousands.
  expect(during.length).toBeLessThan(20 + 2 * seconds);
  expect(after.length).toBeLessThan(60);
  await cluster.jobs((jobs) => (jobs.length === 0 ? true : undefined));
  const created = api.asked
    .slice(before)
    .filter(({ method, resource, status }) => method === 'POST' && resource === 'jobs' && status === 201);
  expect(created).toHaveLength(1);
  return attempts.map((row) => `${row.task} ${row.number} ${row.class}`);
}

/** Nothing was believed to be gone because nobody could see it. */
const whole = ['first 1 succeeded', 'next 1 succeeded', 'long 1 succeeded'];

/** Such as `GET pods 200: 2`. */
function countsOf(asked: readonly Asked[]): string {
  const kinds = Map.groupBy(asked, ({ method, resource, status }) => `${method} ${resource} ${status}`);
  return [`${asked.length} questions`, ...kinds.entries().map(([kind, of]) => `${kind}: ${of.length}`)].join(
    ', ',
  );
}

const minutes = lacks(heavy, 'an API server that is away for ten minutes', 'AME_TEST_HEAVY') ? 1 : 10;
const patience = { timeout: (minutes + 4) * 60_000 };

test.skipIf(
  lacks(freezeApi, 'a frozen API server', 'AME_TEST_FREEZE_API') ||
    lacks(thawApi, 'a frozen API server', 'AME_TEST_THAW_API'),
)('an API server that takes calls and says nothing is waited for, without a storm', patience, async () => {
  expect(await liveThrough(minutes * 60, freezeApi, thawApi)).toEqual(whole);
});

// A cluster takes some minutes to come to itself after that, which is too long for every day.
test.skipIf(
  lacks(heavy, 'a killed API server', 'AME_TEST_HEAVY') ||
    lacks(killApi, 'a killed API server', 'AME_TEST_KILL_API') ||
    lacks(startApi, 'a killed API server', 'AME_TEST_START_API'),
)('so is one that is killed and started again', patience, async () => {
  expect(await liveThrough(minutes * 60, killApi, startApi)).toEqual(whole);
});
