import { afterAll, beforeAll, expect, test } from 'vitest';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { openCluster, type Cluster } from './cluster.ts';

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

test(
  'a tick of the real clock becomes a run once its minute has come, and ends well as a Job',
  { timeout: 240_000 },
  async () => {
    const { read } = ame;
    const repository = await ame.repository();
    const { commit } = await repository.push({
      'ame.yaml':
        'projectname: clock\ntasks:\n  main: date\nrecurring_tasks:\n  minutely: {taskref: main, schedule: "* * * * *"}\n',
    });
    const run = await ame.watch(async () => (await read.runs(repository)).find((row) => row.finishedAt));
    expect(run).toMatchObject({ trigger: 'tick', commit, state: 'succeeded' });
    const nominal = Date.parse(run.causeKey.slice('tick:minutely:'.length));
    expect(nominal % 60_000).toBe(0);
    expect(run.createdAt.getTime()).toBeGreaterThanOrEqual(nominal);
    console.log(`its run was made ${run.createdAt.getTime() - nominal} ms after its minute`);
    expect((await read.check(commit, run)).says).toMatchObject({
      status: 'completed',
      conclusion: 'success',
    });
    await cluster.jobs((jobs) => (jobs.length === 0 ? true : undefined));
  },
);
