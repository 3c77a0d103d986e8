import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { JobObject, PodObject } from '../../src/executor/kubernetes/jobs.ts';
import {
  eventFactsOf,
  factsOf,
  jobFactsOf,
  podFactsOf,
  type KubernetesPod,
} from '../../src/executor/kubernetes/observe.ts';
import { createSeen } from '../../src/executor/kubernetes/sightings.ts';
import { readClusterFixtures, type ClusterFixture } from '../core/cluster-fixtures.ts';

const fixtures = readClusterFixtures();

function fixture(row: string): ClusterFixture {
  const found = fixtures.get(row);
  if (found === undefined) throw new Error(`there is no fixture ${row}`);
  return found;
}

function podOf(row: string): KubernetesPod {
  const pod = fixture(row).pods[0];
  if (pod === undefined) throw new Error(`${row} has no pod`);
  return pod;
}

test('a node that does not answer is told from a pod that is not ready', () => {
  const unreachable = [...fixtures].filter(([, { pods }]) =>
    pods.some((pod) => podFactsOf(pod).nodeUnreachable),
  );
  expect(unreachable.map(([row]) => row)).toEqual(['node-lost-job-failed', 'node-lost', 'node-not-ready']);
});

test('a pod that is deleted says since when, and by when it is to be gone', () => {
  const { deleting, deletedAt, goneBy, disruption } = podFactsOf(podOf('node-lost'));
  expect(deleting).toBe(true);
  expect(goneBy?.toISOString()).toBe(
    new Date(String(podOf('node-lost').metadata?.deletionTimestamp)).toISOString(),
  );
  expect((goneBy?.getTime() ?? 0) - (deletedAt?.getTime() ?? 0)).toBe(10_000);
  expect(disruption?.reason).toBe('DeletionByTaintManager');
  expect(podFactsOf(podOf('runs'))).toMatchObject({ deleting: false, goneBy: null, disruption: null });
});

test('what never ran is not said to have run in 1970', () => {
  const { task } = podFactsOf(podOf('no-shell'));
  expect(task).toMatchObject({ state: 'terminated', reason: 'StartError', exitCode: 128, startedAt: null });
  expect(podFactsOf(podOf('command-failed')).task).toMatchObject({
    exitCode: 7,
    startedAt: expect.any(Date),
  });
});

test('the end of a container that was started again is kept', () => {
  const { agent } = podFactsOf(podOf('agent-ends-again'));
  expect(agent?.restarts).toBeGreaterThanOrEqual(6);
  const { status } = podOf('agent-restarts-while-task-runs');
  const back = {
    status: {
      ...status,
      initContainerStatuses: [
        {
          name: 'agent',
          restartCount: 1,
          state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
          lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
        },
      ],
    },
  };
  expect(podFactsOf(back).agent).toMatchObject({
    state: 'running',
    last: { reason: 'OOMKilled', exitCode: 137 },
  });
});

test('a Job says that it failed as soon as it is decided', () => {
  const { job } = fixture('node-lost-job-failed');
  if (job === null) throw new Error('it has no Job');
  expect(jobFactsOf(job)).toMatchObject({ complete: false, failed: { reason: 'BackoffLimitExceeded' } });
  expect(
    jobFactsOf({ status: { conditions: [{ type: 'SuccessCriteriaMet', status: 'True' }] } }).complete,
  ).toBe(true);
  expect(jobFactsOf({ status: { conditions: [{ type: 'Failed', status: 'False' }] } }).failed).toBeNull();
  expect(jobFactsOf({ spec: { suspend: true } }).suspended).toBe(true);
});

test("a watch's plain JSON and a client's objects with dates mean the same", () => {
  const time = '2026-11-21T18:00:00Z';
  const pod = (at: Date | string): KubernetesPod => ({
    metadata: { creationTimestamp: at, deletionTimestamp: at },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'task', restartCount: 0, state: { running: { startedAt: at } } }],
    },
  });
  expect(podFactsOf(pod(time))).toEqual(podFactsOf(pod(new Date(time))));
  expect(podFactsOf(pod(time)).task).toMatchObject({ startedAt: new Date(time) });
});

test('of several pods the newest counts', () => {
  const old = { metadata: { creationTimestamp: '2026-01-01T00:00:00Z' }, spec: { nodeName: 'old' } };
  const young = { metadata: { creationTimestamp: '2026-01-01T00:00:01Z' }, spec: { nodeName: 'young' } };
  expect(factsOf(null, [old, young], []).pod?.node).toBe('young');
  expect(factsOf(null, [young, old], []).pod?.node).toBe('young');
  expect(factsOf(null, [], [])).toEqual({ job: null, pod: null, events: [] });
});

test('events are warnings alone, the newest last, whichever of their four times they carry', () => {
  const event = (reason: string, times: object, type = 'Warning') => ({
    type,
    reason,
    message: reason,
    ...times,
  });
  const seen = eventFactsOf([
    event('fourth', {
      series: { lastObservedTime: '2026-01-01T00:04:00Z' },
      eventTime: '2026-01-01T00:00:00Z',
    }),
    event('second', { lastTimestamp: '2026-01-01T00:02:00Z', firstTimestamp: '2026-01-01T00:00:00Z' }),
    event('normal', { lastTimestamp: '2026-01-01T00:05:00Z' }, 'Normal'),
    event('third', { eventTime: '2026-01-01T00:03:00.123456Z', lastTimestamp: null }),
    event('first', { firstTimestamp: '2026-01-01T00:01:00Z', lastTimestamp: null, eventTime: null }),
  ]);
  expect(seen.map(({ reason }) => reason)).toEqual(['first', 'second', 'third', 'fourth']);
});

test('an object of which hardly anything is there yet has facts all the same', () => {
  expect(podFactsOf({})).toMatchObject({
    phase: 'Pending',
    node: null,
    agent: null,
    task: null,
    unscheduled: null,
  });
  expect(podFactsOf({ status: { phase: 'Later' } }).phase).toBe('Unknown');
  expect(podFactsOf({ metadata: { creationTimestamp: 'soon' } }).createdAt).toEqual(new Date(0));
  expect(jobFactsOf({})).toMatchObject({ deleting: false, suspended: false, failed: null, complete: false });
  expect(
    podFactsOf({
      status: {
        containerStatuses: [
          { name: 'task', restartCount: 0 },
          { name: 'x', restartCount: 9 },
        ],
      },
    }).task,
  ).toEqual({ state: 'waiting', reason: null, message: null, restarts: 0, last: null });
});

test('a message of any length takes a bounded place', () => {
  const { message } = podFactsOf({ status: { message: 'x'.repeat(1_000_000) } });
  expect(message?.length).toBeLessThan(2000);
});

/** What every object carries beside what the fixtures have kept of it, in bytes: `written.ts` says what that is. */
const unreadBytes = 8_192;

/** Attempts as a watch brings them, each a text of its own. */
function* attemptTexts(count: number): Generator<string> {
  const unread = 'x'.repeat(unreadBytes);
  const recorded = [...fixtures.values()].filter(({ job, pods }) => job !== null && pods.length > 0);
  for (let attempt = 1; attempt <= count; attempt += 1) {
    const { job, pods } = recorded[attempt % recorded.length] ?? fixture('runs');
    const labels = { 'ame.dev/instance': 'us', 'ame.dev/attempt': String(attempt) };
    const metadata = { labels, managedFields: unread };
    yield JSON.stringify({
      job: { ...job, metadata: { ...job?.metadata, ...metadata, uid: `job-${attempt}` } },
      pod: { ...pods[0], metadata: { ...pods[0]?.metadata, ...metadata, uid: `pod-${attempt}` } },
    });
  }
}

/** What lives on this thread's heap once all that is garbage is gone. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

test('ten thousand attempts are kept as the little that is looked at', () => {
  const count = 10_000;
  const before = heapBytes();
  let told = 0;
  let came = 0;
  const seen = createSeen(() => (told += 1));
  for (const text of attemptTexts(count)) {
    came += text.length;
    const { job, pod } = JSON.parse(text) as { job: JobObject; pod: PodObject };
    seen.jobs.put(job);
    seen.pods.put(pod);
  }
  const kept = heapBytes() - before;
  console.log(`${count} attempts: ${came} bytes came, ${kept} are kept`);
  expect(seen.attempts()).toHaveLength(count);
  expect(told).toBe(2 * count);
  expect(came).toBeGreaterThan(count * 2 * unreadBytes);
  expect(kept).toBeLessThan(count * 5_000);
});

test('the facts of one attempt are a few kilobytes', () => {
  const sizes = [...fixtures.values()].map(({ job, pods }) => JSON.stringify(factsOf(job, pods, [])).length);
  expect(Math.max(...sizes)).toBeLessThan(4096);
});
