import { afterAll, beforeAll, expect, test } from 'vitest';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { openCluster, type Cluster } from './cluster.ts';

let cluster: Cluster;
let ame: ClusterAme;
beforeAll(async () => {
  cluster = await openCluster();
  ame = await startClusterAme(cluster, {
    AME_K8S_WATCH: 'off',
    AME_K8S_UNSCHEDULABLE_AFTER: '0',
  });
});
afterAll(async () => {
  await ame?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

test('with nothing watched every run ends all the same', async () => {
  const repository = await ame.repository();
  await repository.push({
    'ame.yaml': `projectname: unwatched
on: push
tasks:
  main:
    pipeline:
      good: echo done >made.txt
      large:
        needs: good
        resources: {cpu: 900}
        runcommand: cat made.txt
`,
  });
  const run = await ame.ended(repository);
  // The one by its agent's report, the other by what the cluster says when it is asked.
  expect(await ame.read.states(run)).toEqual(['good succeeded', 'large failed unschedulable']);
  expect(run.reason).toMatch(/900/);
  await cluster.jobs((jobs) => (jobs.length === 0 ? true : undefined));
});
