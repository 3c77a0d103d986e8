import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { attemptOf, openCluster, type Cluster } from './cluster.ts';
import { cancelRun, heldOnce, pushTasks, running, tries } from './pushes.ts';

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

describe('with nothing watched every run ends all the same', { concurrent: true }, () => {
  test('by its agent’s report, and by what the cluster says when it is asked', async () => {
    const repository = await pushTasks(
      ame,
      `
      main:
        pipeline:
          good: echo done >made.txt
          large:
            needs: good
            resources: {cpu: 900}
            runcommand: cat made.txt
      `,
    );
    const run = await ame.ended(repository);
    expect(await ame.read.states(run)).toEqual(['good succeeded', 'large failed unschedulable']);
    expect(run.reason).toMatch(/900/);
  });

  test('by a cancel, while its command runs and while its image is fetched', async () => {
    const both = [
      await pushTasks(ame, `main: "trap 'echo bye; exit 0' TERM; echo up; sleep 1000 & wait"`),
      await pushTasks(ame, `main: {image: "missing.invalid/image:1", runcommand: echo never}`),
    ] as const;
    await running(ame, both[0]);
    const [run, other] = await Promise.all(both.map((of) => cancelRun(ame, of)));
    expect([run?.class, other?.class]).toEqual(['cancelled', 'cancelled']);
    expect(await ame.read.log(run ?? { id: 0 }, 'main')).toBe('up\nbye\n');
  });

  test('by the want of memory, at twice of which it is well', async () => {
    const repository = await pushTasks(ame, `main: python3 -c 'b = bytearray(180 * 2**20); print(len(b))'`);
    expect(await tries(ame, await ame.ended(repository))).toEqual(['1 out_of_memory', '2 succeeded']);
  });

  test('by somebody who deletes its pod', async () => {
    const repository = await pushTasks(ame, `main: '${heldOnce}'`);
    const { id } = await running(ame, repository);
    const pod = await cluster.pods((pods) => pods.find((each) => attemptOf(each) === id));
    const { namespace } = cluster;
    await cluster.core.deleteNamespacedPod({ namespace, name: pod.metadata?.name ?? '' });
    expect(await tries(ame, await ame.ended(repository))).toEqual(['1 deleted', '2 succeeded']);
  });

  test('by an image that is not there', async () => {
    const named = cluster.settings.image ?? cluster.settings.taskImage;
    const missing = `${named.replace(/:[^/:]*$/, '')}:no-such-tag`;
    const run = await ame.ended(await pushTasks(ame, `main: {image: "${missing}", runcommand: echo never}`));
    expect(run).toMatchObject({ state: 'failed', class: 'image_missing' });
    expect(run.reason).toContain('no-such-tag');
  });
});

test('afterwards nothing is left on the cluster', async () => {
  expect(await cluster.jobs((jobs) => (jobs.length === 0 ? 'nothing' : undefined))).toBe('nothing');
});
