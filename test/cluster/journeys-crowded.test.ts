import { PatchStrategy, SchedulingV1Api, setHeaderOptions } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { text } from '../journeys/text.ts';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { openCluster, type Cluster } from './cluster.ts';

type Repository = Awaited<ReturnType<ClusterAme['repository']>>;

async function push(ame: ClusterAme, main: string): Promise<Repository> {
  const repository = await ame.repository();
  const file = `projectname: crowded\non: push\ntasks:\n${text`${main}`.replaceAll(/^/gm, '  ')}\n`;
  expect((await repository.push({ 'ame.yaml': file })).code).toBe(0);
  return repository;
}

const tries = async (ame: ClusterAme, run: { readonly id: number }): Promise<readonly string[]> =>
  (await ame.read.attempts(run)).map((row) => `${row.number} ${row.class}`);

test('a quota: what is more than all of it ends in words, what only has to wait is run', async () => {
  await using cluster = await openCluster();
  await cluster.core.createNamespacedResourceQuota({
    namespace: cluster.namespace,
    // One pod of AME at a time: 128Mi for the agent, 128Mi for the task.
    body: { metadata: { name: 'small' }, spec: { hard: { 'requests.memory': '300Mi' } } },
  });
  await using ame = await startClusterAme(cluster);
  const [large, small] = [
    await push(ame, `main: {resources: {memory: 1Gi}, runcommand: echo never}`),
    await push(
      ame,
      text`
        main:
          pipeline:
            a: sleep 1
            b: {needs: [], runcommand: sleep 1}
      `,
    ),
  ];
  const ended = await ame.ended(large);
  expect(ended).toMatchObject({ state: 'failed', class: 'quota' });
  expect(ended.reason).toMatch(/quota/);
  expect(await ame.ended(small)).toMatchObject({ state: 'succeeded', reason: null });
});

test('a preemption by priority moves the attempt and costs it nothing', async () => {
  await using undo = new AsyncDisposableStack();
  const cluster = undo.use(await openCluster());
  const { core, namespace, config } = cluster;
  // A thing of which one node has one: whoever asks for it with more priority sends the other away, and nobody else.
  const thing = `ame.test/${namespace}`;
  const node = await readyNode(cluster);
  await setCapacity(cluster, node, thing, '1');
  undo.defer(() => setCapacity(cluster, node, thing, null));
  const priorities = config.makeApiClient(SchedulingV1Api);
  await priorities.createPriorityClass({ body: { metadata: { name: namespace }, value: 1_000 } });
  undo.defer(async () => {
    await priorities.deletePriorityClass({ name: namespace });
  });
  const ame = undo.use(await startClusterAme(cluster, { AME_K8S_GPU_RESOURCE: thing }));
  const repository = await push(
    ame,
    text`
      main:
        resources: {gpus: 1}
        runcommand: 'if [ $AME_ATTEMPT = 1 ]; then echo up; sleep 1000; fi; echo again'
    `,
  );
  await ame.watch(async () => {
    const run = (await ame.read.runs(repository)).at(-1);
    return run && (await ame.read.attempts(run))[0]?.state === 'running' ? true : undefined;
  });
  await core.createNamespacedPod({ namespace, body: important(cluster, thing) });
  await cluster.pods((pods) =>
    pods.some(({ metadata, status }) => metadata?.name === 'important' && status?.phase === 'Running')
      ? true
      : undefined,
  );
  await ame.watch(async () => {
    const run = await ame.read.run(repository);
    return (await ame.read.attempts(run)).length === 2 ? true : undefined;
  });
  await core.deleteNamespacedPod({ namespace, name: 'important' });
  const run = await ame.ended(repository);
  expect(await tries(ame, run)).toEqual(['1 preempted', '2 succeeded']);
  expect(await ame.read.log(run, 'main')).toBe('again\n');
});

async function readyNode({ core }: Cluster): Promise<string> {
  const { items } = await core.listNode();
  const free = items.find(
    ({ spec, status }) =>
      !spec?.unschedulable &&
      !spec?.taints?.length &&
      status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  );
  return free?.metadata?.name ?? '';
}

/** Gives a node so many of a thing that nobody else knows; `null` takes it away. */
async function setCapacity(
  { core }: Cluster,
  name: string,
  thing: string,
  count: string | null,
): Promise<void> {
  const amounts = { [thing]: count };
  await core.patchNodeStatus(
    { name, body: { status: { capacity: amounts, allocatable: amounts } } },
    setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
  );
}

function important({ settings, namespace }: Cluster, thing: string) {
  return {
    metadata: { name: 'important' },
    spec: {
      priorityClassName: namespace,
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'important',
          image: settings.smallImage,
          command: ['sleep', '1000'],
          resources: { requests: { [thing]: '1' }, limits: { [thing]: '1' } },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}
