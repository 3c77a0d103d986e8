import { afterAll, beforeAll, expect, test } from 'vitest';
import { pushSample, sampleRepository } from '../../src/sample/push-sample.ts';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { writesOf } from './audit.ts';
import { lacks, openCluster, type Cluster } from './cluster.ts';
import { readSettings } from './settings.ts';

let cluster: Cluster;
let ame: ClusterAme;
beforeAll(async () => {
  cluster = await openCluster();
  ame = await startClusterAme(cluster);
});
afterAll(async () => {
  await ame?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

test('the sample pipeline is green, and nothing of it stays on the cluster', async () => {
  const { server, read } = ame;
  const commit = await pushSample({ ...server, signal: AbortSignal.timeout(200_000) }, () => {});
  // Its schedule ticks every minute meanwhile.
  const run = await ame.watch(async () =>
    (await read.runs(sampleRepository)).find((row) => row.trigger === 'push' && row.finishedAt),
  );
  expect([run.state, run.reason]).toEqual(['succeeded', null]);
  const states = await read.states(run);
  expect(states.length).toBeGreaterThan(2);
  for (const state of states) expect(state).toMatch(/ succeeded$/);
  expect((await read.check(commit, run)).says).toMatchObject({ status: 'completed', conclusion: 'success' });
  // The Job of each attempt is deleted once its end is stored, and takes pod and token along.
  await cluster.jobs((jobs) => (jobs.length === 0 ? true : undefined));
  await cluster.pods((pods) => (pods.length === 0 ? true : undefined));
  const { items } = await cluster.core.listNamespacedSecret({ namespace: cluster.namespace });
  expect(items.map(({ metadata }) => metadata?.name)).toEqual([]);
});

const { auditLog } = readSettings();

test.skipIf(lacks(auditLog, 'the count of writes', 'AME_TEST_AUDIT_LOG'))(
  'it cost the API server three writes an attempt, and none besides',
  async () => {
    const first = (await ame.read.runs(sampleRepository)).find((row) => row.trigger === 'push');
    const attempts = await ame.read.attempts({ id: first?.id ?? 0 });
    expect(attempts.length).toBeGreaterThan(2);
    const written = await writesOf(auditLog ?? '', cluster.namespace);
    for (const { id } of attempts)
      expect(written.get(`ame-attempt-${id}`)).toEqual(['create jobs', 'create secrets', 'delete jobs']);
    // What the schedule made meanwhile may not be over yet.
    for (const [name, writes] of written) {
      expect(name).toMatch(/^ame-attempt-\d+$/);
      expect(writes.length).toBeLessThanOrEqual(3);
    }
  },
);
