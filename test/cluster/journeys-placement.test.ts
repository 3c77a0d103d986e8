import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { attemptOf, openCluster, type Cluster } from './cluster.ts';
import { addNode, onFakeNodes, type FakeNode } from './nodes.ts';
import { attemptOnce, cancelRun, pushTasks, runOf, type Named } from './pushes.ts';

/** Where pods go, and what is said of nodes, on nodes that are entries and no machines: nothing begins there. */
const owned = new AsyncDisposableStack();
let cluster: Cluster;
let ame: ClusterAme;
let small: FakeNode;
let large: FakeNode;
beforeAll(async () => {
  cluster = owned.use(await openCluster());
  const gpus = (vram: string) => ({
    labels: { 'nvidia.com/gpu.memory': vram },
    has: { 'nvidia.com/gpu': '2' },
  });
  small = owned.use(await addNode(cluster, 'small', gpus('16384')));
  large = owned.use(await addNode(cluster, 'large', gpus('40960')));
  ame = owned.use(await startClusterAme(cluster, onFakeNodes(cluster)));
});
afterAll(() => owned.disposeAsync());

/** The node that a repository's only attempt is placed on, and its pod's name. */
async function placeOf(of: Named): Promise<{ readonly node: string; readonly pod: string }> {
  const run = await runOf(ame, of);
  const { id } = await ame.read.attempt(run, 'main');
  return cluster.pods((pods) => {
    const found = pods.find((pod) => attemptOf(pod) === id && pod.spec?.nodeName !== undefined);
    return found && { node: found.spec?.nodeName ?? '', pod: found.metadata?.name ?? '' };
  });
}

/** Cancels, and does what the kubelet of a machine would: nobody else lets go of a pod that has a node. */
async function cancelPlaced(of: Named, pod: string): Promise<void> {
  const cancelled = cancelRun(ame, of);
  const { namespace } = cluster;
  await cluster.pods((pods) =>
    pods.find(({ metadata }) => metadata?.name === pod && metadata.deletionTimestamp !== undefined),
  );
  await cluster.core.deleteNamespacedPod({ namespace, name: pod, gracePeriodSeconds: 0 });
  expect(await cancelled).toMatchObject({ state: 'cancelled', class: 'cancelled' });
}

const asks = (resources: string): string => `main: {resources: ${resources}, runcommand: echo never}`;

test('GPUs go where there are some with enough memory, and what finds them all taken waits', async () => {
  const first = await pushTasks(ame, asks('{gpus: 1, vram: 24Gi}'));
  const one = await placeOf(first);
  expect(one.node).toBe(large.name);
  const second = await pushTasks(ame, asks('{gpus: 1, vram: 24Gi}'));
  const two = await placeOf(second);
  expect(two.node).toBe(large.name);
  // The other node has two that are free, of too little memory.
  const third = await pushTasks(ame, asks('{gpus: 1, vram: 24Gi}'));
  const { pendingWhy } = await attemptOnce(ame, third, (row) => /scheduler says/.test(row.pendingWhy ?? ''));
  expect(pendingWhy).toMatch(/^Every node that could hold it is busy or closed\./);
  const fourth = await pushTasks(ame, asks('{gpus: 2}'));
  const four = await placeOf(fourth);
  expect(four.node).toBe(small.name);
  const fifth = await pushTasks(ame, asks('{gpus: 1, vram: 48Gi}'));
  const never = await attemptOnce(ame, fifth, (row) => /largest/.test(row.pendingWhy ?? ''));
  expect(never.pendingWhy).toMatch(/asks for 1 GPU with 48 GiB, and the largest has 40 GiB/);

  expect(await cancelRun(ame, third)).toMatchObject({ state: 'cancelled' });
  expect(await cancelRun(ame, fifth)).toMatchObject({ state: 'cancelled' });
  await cancelPlaced(first, one.pod);
  await cancelPlaced(second, two.pod);
  await cancelPlaced(fourth, four.pod);
});

describe('of a node', { concurrent: true }, () => {
  test('that is closed to it, which it never tolerates', async () => {
    const taints = [{ key: 'ame.test/closed', value: 'yes', effect: 'NoSchedule' }];
    await using own = await openCluster();
    await using closed = await addNode(own, 'closed', { taints });
    await using other = await startClusterAme(own, {
      AME_K8S_NODE_SELECTOR: JSON.stringify({ 'kubernetes.io/hostname': closed.name }),
      AME_K8S_UNSCHEDULABLE_AFTER: '1',
    });
    const run = await other.ended(await pushTasks(other, 'main: echo never'));
    expect(run).toMatchObject({ state: 'failed', class: 'unschedulable' });
    expect(run.reason).toContain('The cluster has no node that takes the pods of tasks.');
  });

  test('that the administrator’s affinity wants, and nobody is', async () => {
    const matchExpressions = [{ key: 'ame.test/pool', operator: 'In', values: ['none'] }];
    await using own = await openCluster();
    await using other = await startClusterAme(own, {
      AME_K8S_AFFINITY: JSON.stringify({
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
        },
      }),
      AME_K8S_UNSCHEDULABLE_AFTER: '1',
    });
    const run = await other.ended(await pushTasks(other, 'main: echo never'));
    expect(run).toMatchObject({ state: 'failed', class: 'unschedulable' });
    expect(run.reason).toContain('The cluster has no node that takes the pods of tasks.');
  });
});
