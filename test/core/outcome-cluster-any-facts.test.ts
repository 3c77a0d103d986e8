import fc from 'fast-check';
import { expect, test } from 'vitest';
import { outcomes } from '../../src/core/outcome/classes.ts';
import { observeCluster, seeCluster } from '../../src/core/outcome/cluster.ts';
import type { ClusterCircumstances } from '../../src/core/outcome/cluster/rule.ts';
import type { ClusterFacts, ContainerEnd, ContainerFacts } from '../../src/core/outcome/cluster-facts.ts';
import { fixtureCircumstances, fixtureFacts, readClusterFixtures } from './cluster-fixtures.ts';

const recorded = [...readClusterFixtures().values()].map((fixture) => ({
  facts: fixtureFacts(fixture),
  known: fixtureCircumstances(fixture),
}));

/** Every word that the fixtures have, so that rules do hold, and some that nobody knows. */
const words = fc.oneof(
  fc.constantFrom(
    ...new Set(
      recorded.flatMap(({ facts: { pod, job, events } }) =>
        [
          pod?.reason,
          pod?.message,
          pod?.disruption?.reason,
          pod?.unscheduled?.reason,
          job?.failed?.reason,
          ...[pod?.agent, pod?.task].flatMap((container) =>
            container && container.state !== 'running' ? [container.reason, container.message] : [],
          ),
          ...events.flatMap(({ reason, message }) => [reason, message]),
        ].filter((word) => word !== null && word !== undefined),
      ),
    ),
  ),
  fc.string({ unit: 'binary', maxLength: 2000 }),
);
const date = fc.date({ min: new Date(0), max: new Date('2099-01-01'), noInvalidDate: true });
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null });

const end: fc.Arbitrary<ContainerEnd> = fc.record({
  reason: maybe(words),
  message: maybe(words),
  exitCode: fc.oneof(fc.constantFrom(0, 1, 7, 125, 126, 127, 128, 137, 139, 143, 255), fc.integer()),
  signal: maybe(fc.nat(64)),
  startedAt: maybe(date),
  finishedAt: maybe(date),
});
const container: fc.Arbitrary<ContainerFacts> = fc.oneof(
  fc.record({
    state: fc.constant('waiting' as const),
    reason: maybe(words),
    message: maybe(words),
    restarts: fc.nat(20),
    last: maybe(end),
  }),
  fc.record({
    state: fc.constant('running' as const),
    startedAt: date,
    restarts: fc.nat(20),
    last: maybe(end),
  }),
  fc
    .tuple(end, fc.nat(20))
    .map(([ended, restarts]) => ({ state: 'terminated' as const, restarts, ...ended })),
);
const cause = fc.record({ reason: words, message: words });
const facts: fc.Arbitrary<ClusterFacts> = fc.record({
  job: maybe(
    fc.record({
      createdAt: date,
      deleting: fc.boolean(),
      suspended: fc.boolean(),
      failed: maybe(cause),
      complete: fc.boolean(),
    }),
  ),
  pod: maybe(
    fc
      .record({
        phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
        reason: maybe(words),
        message: maybe(words),
        createdAt: date,
        deletedAt: maybe(date),
        goneBy: maybe(date),
        node: maybe(fc.constantFrom('node-1', '`|*')),
        unscheduled: maybe(cause),
        disruption: maybe(cause),
        nodeUnreachable: fc.boolean(),
        agent: maybe(container),
        task: maybe(container),
      })
      .map((pod) => ({ ...pod, deleting: pod.goneBy !== null })),
  ),
  events: fc.array(cause, { maxLength: 4 }),
});
const known: fc.Arbitrary<ClusterCircumstances> = fc.record({
  asked: fc.record({
    cpu: fc.record({ millis: fc.nat(), limited: fc.boolean() }),
    memory: fc.record({ bytes: fc.nat(), ceilingBytes: fc.nat() }),
    storageBytes: fc.nat(),
    gpus: fc.nat(16),
    vramMib: maybe(fc.nat(200_000)),
  }),
  image: fc.oneof(fc.constant('python:3.12'), fc.string({ unit: 'binary', maxLength: 400 })),
  room: maybe(
    fc.record({
      nodes: fc.nat(3),
      largest: fc.record({
        cpuMillis: fc.nat(),
        memoryBytes: fc.nat(),
        storageBytes: fc.nat(),
        gpus: fc.nat(16),
        vramMib: maybe(fc.nat(200_000)),
      }),
      fits: fc.boolean(),
    }),
  ),
  now: date,
  unschedulableAfterSeconds: fc.nat(3600),
  knownSecrets: fc.array(fc.constantFrom('HUB_TOKEN', 'KEY'), { maxLength: 2 }),
});

test('whatever a cluster shows has a meaning, and none is a success', () => {
  fc.assert(
    fc.property(facts, known, (facts, known) => {
      const before = structuredClone({ facts, known });
      const { observation } = seeCluster(facts, known);
      expect({ facts, known }).toEqual(before);
      expect(observation.kind === 'absent').toBe(facts.job === null && facts.pod === null);
      expect(observation.kind).not.toBe('ended');
      const over = facts.pod?.phase === 'Succeeded' || facts.pod?.phase === 'Failed';
      if (over) expect(observation.kind).toBe('over');
      if (observation.kind === 'running') {
        expect(observation.startedAt.getTime()).toBeLessThanOrEqual(known.now.getTime());
        expect(facts.pod?.task?.state).not.toBe('waiting');
      }
      const ending =
        observation.kind === 'over'
          ? observation.ending
          : observation.kind === 'running'
            ? observation.taken
            : undefined;
      if (ending) expect(outcomes[ending.class].state).toBe('failed');
      const said = ending?.reason ?? (observation.kind === 'pending' ? observation.why : undefined);
      // One line, a sentence, and bounded, whatever was quoted.
      if (said !== undefined) {
        expect(said).toMatch(/^[^\n\r]{10,}[.…)]$/u);
        expect(said.length).toBeLessThan(1500);
      }
    }),
    { numRuns: 1500 },
  );
});

test('a pod that is over stays what it was, however late anybody looks', () => {
  for (const { facts, known } of recorded.filter(({ facts }) => facts.pod?.phase === 'Failed')) {
    const first = observeCluster(facts, known);
    const late = observeCluster(facts, { ...known, now: new Date(known.now.getTime() + 1e9) });
    expect(late).toEqual(first);
  }
});

test('who took a pod away explains whatever its containers then said', () => {
  const disruptions = [
    ['PreemptionByScheduler', 'preempted'],
    ['EvictionByEvictionAPI', 'drained'],
    ['DeletionByTaintManager', 'drained'],
    ['DeletionByPodGC', 'node_lost'],
  ] as const;
  const begun = recorded.filter(({ facts: { pod } }) => pod?.phase === 'Failed' && pod.reason === null);
  expect(begun.length).toBeGreaterThan(10);
  for (const { facts, known } of begun) {
    for (const [reason, name] of disruptions) {
      const pod = facts.pod && { ...facts.pod, disruption: { reason, message: '' } };
      const observation = observeCluster({ ...facts, pod }, known);
      expect(observation.kind === 'over' && observation.ending.class).toBe(name);
    }
  }
});

test('a Job that a watch has not told of yet proves nothing about its pod', () => {
  for (const { facts, known } of recorded.filter(({ facts: { job, pod } }) => job !== null && pod !== null)) {
    if (facts.job?.deleting || facts.job?.suspended || facts.job?.failed || facts.pod?.deleting) continue;
    expect(observeCluster({ ...facts, job: null }, known)).toEqual(observeCluster(facts, known));
  }
});
