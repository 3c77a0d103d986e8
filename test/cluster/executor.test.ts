import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Observation } from '../../src/core/attempt.ts';
import type { Executor } from '../../src/executor/executor.ts';
import { connectCluster } from '../../src/executor/kubernetes/client.ts';
import { jobsPath } from '../../src/executor/kubernetes/jobs.ts';
import {
  createKubernetesExecutor,
  type KubernetesExecutorOptions,
} from '../../src/executor/kubernetes/kubernetes-executor.ts';
import { jobOf } from '../../src/executor/kubernetes/manifest.ts';
import { createLog } from '../../src/log.ts';
import { instance, orderOf, ownKey, plainSettings } from '../executor/kubernetes-orders.ts';
import { openCluster, type Cluster } from './cluster.ts';
import { awaitObjects } from './objects.ts';

/** The executor alone, against a real API server; whole runs stand in the journeys. */
let cluster: Cluster;
const owned = new AsyncDisposableStack();

beforeAll(async () => {
  cluster = owned.use(await openCluster());
});
afterAll(() => owned.disposeAsync());

type Tried = {
  readonly executor: Executor;
  /** Looks at an attempt, at each wake of any, until it is what is looked for. */
  readonly until: (attempt: number, is: (observation: Observation) => boolean) => Promise<Observation>;
};

async function tryExecutor(more: Partial<KubernetesExecutorOptions> = {}): Promise<Tried> {
  const { settings, namespace } = cluster;
  const executor = createKubernetesExecutor({
    cluster: await connectCluster({ kubeconfig: settings.kubeconfig, namespace }),
    // No agent is needed here: the small image stands for it, and has no `node`.
    settings: { ...plainSettings, image: settings.smallImage, defaultImage: settings.smallImage },
    agentUrl: () => 'http://ame.invalid:8081',
    ownKey,
    tokenOf: (attempt) => `${attempt}.token`,
    secretsOf: () => Promise.resolve([{ name: 'KEY', value: 'a value' }]),
    projectsOf: (ids) => Promise.resolve(new Set(ids)),
    isOver: () => Promise.resolve(new Set()),
    unschedulableAfterSeconds: 0,
    watch: true,
    log: createLog('silent'),
    ...more,
  });
  owned.defer(() => executor.close());
  const listeners = new Set<() => void>();
  executor.watch(() => {
    for (const listener of listeners) listener();
  });
  const until: Tried['until'] = async (attempt, is) => {
    for (;;) {
      const { promise: woken, resolve } = Promise.withResolvers<void>();
      listeners.add(resolve);
      const seen = (await executor.observe([{ id: attempt, host: null }])).get(attempt);
      if (seen !== undefined && is(seen)) return seen;
      await woken;
      listeners.delete(resolve);
    }
  };
  return { executor, until };
}

const isOver = ({ kind }: Observation): boolean => kind === 'over';

test('the API server knows every field of the manifest, with all of the settings', async () => {
  const { settings, namespace } = cluster;
  const wire = await connectCluster({ kubeconfig: settings.kubeconfig, namespace });
  const order = orderOf(1, {
    env: [{ name: 'A', value: '$(B)' }],
    secrets: [{ name: 'KEY', secret: 'KEY' }],
    asked: { ...orderOf(1).asked, gpus: 1, vramMib: 1_000, cpu: { millis: 10, limited: true } },
  });
  const body = jobOf(order, {
    ...plainSettings,
    namespace,
    instance,
    agentUrl: 'http://ame:8081',
    nodeSelector: { pool: 'gpu' },
    tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
    affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
    annotations: { team: 'ml' },
    runtimeClass: 'gvisor',
    imagePullSecrets: ['registry'],
    queue: 'research',
  });
  const query = { dryRun: 'All', fieldValidation: 'Strict' };
  const made = await wire.ask({ method: 'POST', path: jobsPath(wire), query, body });
  wire.close();
  expect(made).toMatchObject({ metadata: { name: 'ame-attempt-1' } });
});

test('an attempt is one Job with a token, made once by two replicas, and gone with all that is its own', async () => {
  const one = await tryExecutor();
  const two = await tryExecutor({ watch: false });
  const order = orderOf(11, { secrets: [{ name: 'KEY', secret: 'KEY' }] });
  await Promise.all([one.executor.start(order), two.executor.start(order)]);
  // Its agent has no program, so that it ends and is started again: what matters is that its pod was let in.
  const pod = await cluster.pods((pods) =>
    pods.find(({ metadata }) => metadata?.labels?.['ame.dev/attempt'] === '11'),
  );
  expect(pod.spec?.volumes?.map(({ name }) => name)).toEqual(['workspace', 'io', 'state', 'token']);
  const { namespace, core } = cluster;
  const secrets = await core.listNamespacedSecret({ namespace });
  const names = secrets.items
    .map(({ metadata }) => metadata?.name ?? '')
    .toSorted((a, b) => (a < b ? -1 : 1));
  expect(names).toEqual(['ame-attempt-11', 'ame-project-5']);
  await one.executor.stop(11);
  await cluster.pods((pods) => (pods.length === 0 ? true : undefined));
  expect(await one.until(11, ({ kind }) => kind === 'absent')).toEqual({ kind: 'absent' });
  expect((await two.executor.observe([{ id: 11, host: null }])).get(11)).toEqual({ kind: 'absent' });
});

test('the Secret of a project is written when its values change, and by a key of ours alone', async () => {
  const { namespace, core } = cluster;
  let value = 'first value';
  const { executor } = await tryExecutor({ secretsOf: () => Promise.resolve([{ name: 'KEY', value }]) });
  const mirrored = async (attempt: number): Promise<readonly (string | undefined)[]> => {
    const order = orderOf(attempt, { projectId: 77, secrets: [{ name: 'KEY', secret: 'KEY' }] });
    await executor.start(order);
    await executor.stop(attempt);
    const { data, metadata } = await core.readNamespacedSecret({ namespace, name: 'ame-project-77' });
    return [Buffer.from(data?.['KEY'] ?? '', 'base64').toString(), metadata?.resourceVersion];
  };
  const [first, version] = await mirrored(21);
  expect(first).toBe('first value');
  expect(await mirrored(22)).toEqual([first, version]);
  value = 'second value';
  expect(await mirrored(23)).toEqual(['second value', expect.not.stringMatching(`^${version}$`)]);
});

test('what no node can ever hold is said, with what was asked and what there is', async () => {
  const { executor, until } = await tryExecutor();
  const asked = { ...orderOf(31).asked, cpu: { millis: 900_000, limited: true } };
  await executor.start(orderOf(31, { asked, resources: { ...orderOf(31).resources, cpu: '900' } }));
  const seen = await until(31, isOver);
  await executor.stop(31);
  expect(seen).toMatchObject({ ending: { class: 'unschedulable', reason: expect.stringMatching(/900/) } });
});

test('a quota that is used up is waited for in its words', async () => {
  const { namespace, core } = cluster;
  const body = { metadata: { name: 'few' }, spec: { hard: { 'count/jobs.batch': '0' } } };
  await core.createNamespacedResourceQuota({ namespace, body });
  const { executor, until } = await tryExecutor({ watch: false });
  // A quota counts once its controller has looked at it.
  await awaitObjects(cluster.config, 'resourcequotas', namespace, (quotas) =>
    quotas.every(({ status }) => status?.hard !== undefined) ? true : undefined,
  );
  try {
    await executor.start(orderOf(41));
    const seen = await until(41, ({ kind }) => kind === 'pending');
    expect(seen).toMatchObject({ why: expect.stringContaining('few') });
  } finally {
    await core.deleteNamespacedResourceQuota({ namespace, name: 'few' });
  }
});

test('a Job of somebody else under our name is left alone', async () => {
  const { namespace, batch } = cluster;
  const { executor, until } = await tryExecutor();
  const settings = { ...plainSettings, namespace, instance: 'somebodyelse', agentUrl: 'http://ame:8081' };
  await batch.createNamespacedJob({ namespace, body: jobOf(orderOf(51), settings) });
  await executor.start(orderOf(51));
  expect(await until(51, isOver)).toMatchObject({ ending: { class: 'start_failed' } });
  await executor.stop(51);
  const left = await batch.readNamespacedJob({ namespace, name: 'ame-attempt-51' });
  expect(left.metadata?.deletionTimestamp).toBeUndefined();
  await batch.deleteNamespacedJob({ namespace, name: 'ame-attempt-51', propagationPolicy: 'Background' });
});

test('a Job that somebody deletes is seen to be taken away, or as gone', async () => {
  const { namespace, batch } = cluster;
  const { executor, until } = await tryExecutor();
  await executor.start(orderOf(61));
  await until(61, ({ kind }) => kind === 'pending');
  await batch.deleteNamespacedJob({ namespace, name: 'ame-attempt-61', propagationPolicy: 'Background' });
  const isPlain = (seen: Observation): boolean =>
    seen.kind === 'pending' || (seen.kind === 'running' && seen.taken === undefined);
  const seen = await until(61, (each) => !isPlain(each));
  const deleted = expect.objectContaining({ class: 'deleted' });
  expect([
    { kind: 'absent' },
    { kind: 'over', ending: deleted },
    expect.objectContaining({ kind: 'running', taken: deleted }),
  ]).toContainEqual(seen);
});

test('what is left behind by attempts that are over is removed at the start', async () => {
  const before = await tryExecutor({ watch: false });
  await before.executor.start(orderOf(71));
  await before.executor.start(orderOf(72));
  await tryExecutor({ isOver: (ids) => Promise.resolve(new Set(ids.filter((id) => id !== 72))) });
  const left = await cluster.jobs((jobs) =>
    jobs.every(({ metadata }) => metadata?.labels?.['ame.dev/attempt'] !== '71') ? jobs : undefined,
  );
  expect(left.map(({ metadata }) => metadata?.name)).toContain('ame-attempt-72');
  await before.executor.stop(72);
});
