import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AppsV1Api } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ame } from '../cli/fake-terminal.ts';
import { createClone } from '../journeys/pusher.ts';
import { text } from '../journeys/text.ts';
import { attemptOf, lacks, openCluster, type Cluster } from './cluster.ts';
import {
  create,
  createDisk,
  forward,
  hasKubectl,
  isDeployment,
  isStatefulSet,
  manifestsOf,
  secretText,
} from './installed.ts';
import { awaitObjects } from './objects.ts';
import { readSettings } from './settings.ts';

const settings = readSettings();
const without = (test: string): boolean => lacks(kubectl, test, 'PATH with kubectl');
const kubectl = (await hasKubectl()) ? 'kubectl' : null;

let cluster: Cluster;
let work: Cluster;
beforeAll(async () => {
  [cluster, work] = await Promise.all([openCluster(), openCluster()]);
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await work?.[Symbol.asyncDispose]();
});

const own = () => ({ service: cluster.namespace, work: work.namespace });

test.skipIf(without('manifests')).each(['base', 'try'])(
  'the API server takes every manifest of %s',
  async (directory) => {
    const objects = await manifestsOf(directory, own());
    expect(objects.length).toBeGreaterThan(8);
    await create(objects, 'dryRun');
  },
);

test.skipIf(without('misspelt manifests'))('a misspelt field of a manifest is refused', async () => {
  const objects = (await manifestsOf('base', own())).filter(isDeployment);
  for (const { spec } of objects)
    for (const container of spec?.template.spec?.containers ?? [])
      Object.assign(container, { readinesProbe: container.readinessProbe });
  await expect(create(objects, 'dryRun')).rejects.toThrow(/unknown field "\S*readinesProbe"/);
});

const upgrade = 'an upgrade in the cluster';
const cannot =
  without(upgrade) ||
  lacks(settings.image, upgrade, 'AME_TEST_IMAGE') ||
  lacks(settings.postgresImage, upgrade, 'AME_TEST_POSTGRES_IMAGE') ||
  lacks(settings.disk, upgrade, 'AME_TEST_DISK');

test.skipIf(cannot)('an upgrade while a task runs loses nothing', async () => {
  if (settings.imageBefore === null)
    console.log('upgraded from this very version, because AME_TEST_IMAGE_BEFORE is not set');
  await using undo = new AsyncDisposableStack();
  const { namespace, config, core } = cluster;
  const token = secretText();
  await install(undo, token);
  await available(2);

  const first = undo.use(await forward(namespace));
  const directory = await mkdtemp(join(tmpdir(), 'ame-deploy-'));
  undo.defer(() => rm(directory, { recursive: true, force: true }));
  const urlAt = (address: string): string =>
    `${address.replace('//', `//ame:${token}@`)}/git/team/deployed.git`;
  const clone = await createClone(directory, urlAt(first.address), (push) => push);
  const pushed = await clone.push({
    'ame.yaml': text`
      projectname: deployed
      on: push
      tasks:
        main:
          pipeline:
            long: "echo left > left; for n in $(seq 60); do echo $n; sleep 0.5; done"
            next: [cat left, echo $AME_ATTEMPT]
    `,
  });
  expect(pushed.code, pushed.text).toBe(0);
  expect(pushed.text).toContain('success: Runs main');
  // Its command runs from here on: under the version before.
  const startedBefore = await work.jobs((jobs) => (jobs.length > 0 ? jobs.map(attemptOf) : undefined));
  await work.pods((pods) =>
    pods.some(({ status }) => status?.containerStatuses?.some(({ state }) => state?.running))
      ? true
      : undefined,
  );

  const apps = config.makeApiClient(AppsV1Api);
  const deployment = await apps.readNamespacedDeployment({ namespace, name: 'ame' });
  for (const container of deployment.spec?.template.spec?.containers ?? [])
    container.image = settings.image ?? '';
  // The same image is an upgrade too, as far as who runs is concerned.
  deployment.spec?.template.spec?.containers[0]?.env?.push({ name: 'AME_LOG_LEVEL', value: 'debug' });
  const { metadata } = await apps.replaceNamespacedDeployment({ namespace, name: 'ame', body: deployment });
  await available(2, metadata?.generation ?? 0);

  const second = undo.use(await forward(namespace));
  const env = { AME_URL: second.address, AME_TOKEN: token };
  const followed = await ame(['logs', 'deployed#1', '--follow'], { env });
  expect(followed.err).toBe('');
  const shown = await ame(['runs', 'show', 'deployed#1', '--json'], { env });
  expect(JSON.parse(shown.out)).toMatchObject({ state: 'succeeded', number: 1 });
  const log = await ame(['logs', 'deployed#1', 'long'], { env });
  expect(log.out).toBe(Array.from({ length: 60 }, (_, index) => `${index + 1}\n`).join(''));
  expect((await ame(['logs', 'deployed#1', 'next'], { env })).out).toBe('left\n1\n');

  // What was pushed before is still there, and another push is answered.
  await clone.git('remote', 'set-url', 'origin', urlAt(second.address));
  expect(
    (await clone.push({ 'ame.yaml': 'projectname: deployed\non: push\ntasks: {main: echo again}\n' })).code,
  ).toBe(0);
  expect((await ame(['logs', 'deployed#2', '--follow'], { env })).out).toContain('again');

  // Neither what the version before started nor anything since is left.
  expect(startedBefore).toHaveLength(1);
  expect(await work.jobs((jobs) => (jobs.length === 0 ? 'nothing' : undefined))).toBe('nothing');

  // From within, with the rights of its account alone.
  const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app.kubernetes.io/name=ame' });
  const pod = items.find((each) => each.metadata?.deletionTimestamp === undefined)?.metadata?.name ?? '';
  const args = ['--namespace', namespace, 'exec', pod, '--', 'ame', 'doctor'];
  const { stdout } = await promisify(execFile)('kubectl', args);
  expect(stdout.split('\n').filter((line) => line.startsWith('wrong'))).toEqual([]);
  expect(stdout).toMatch(/^good {3}door .*ame-agent/m);
});

/** The overlay for trying out, with two replicas and disks of this machine; the version before, where there is one. */
async function install(undo: AsyncDisposableStack, token: string): Promise<void> {
  const { namespace, core } = cluster;
  const password = secretText();
  const [shared, data] = await Promise.all([
    createDisk(cluster, settings.disk ?? '', 'ame-shared'),
    createDisk(cluster, settings.disk ?? '', 'data-postgres-0'),
  ]);
  undo.use(shared);
  undo.use(data);
  const secret = (name: string, stringData: Record<string, string>) =>
    core.createNamespacedSecret({ namespace, body: { metadata: { name }, stringData } });
  await secret('ame-postgres', { password });
  await secret('ame', {
    AME_TOKEN: token,
    AME_SECRET_KEY: secretText(),
    DATABASE_URL: `postgres://ame:${password}@postgres.${namespace}.svc:5432/ame`,
    AME_IMAGE: settings.image ?? '',
    AME_DEFAULT_IMAGE: settings.taskImage,
    AME_DEFAULT_CPU: '100m',
    AME_DEFAULT_MEMORY: '128Mi',
    AME_GRACE: '2',
  });
  const objects = await manifestsOf('try', own());
  for (const object of objects) {
    if (isDeployment(object) && object.spec) {
      object.spec.replicas = 2;
      object.spec.strategy = { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
      for (const container of object.spec.template.spec?.containers ?? []) {
        container.image = settings.imageBefore ?? settings.image ?? '';
        container.env = [];
      }
    }
    if (isStatefulSet(object) && object.spec) {
      for (const container of object.spec.template.spec?.containers ?? [])
        container.image = settings.postgresImage ?? '';
      for (const { spec } of object.spec.volumeClaimTemplates ?? [])
        if (spec) [spec.storageClassName, spec.volumeName] = ['', data.name];
    }
    if (object.kind === 'PersistentVolumeClaim')
      Object.assign(object, {
        spec: {
          accessModes: ['ReadWriteMany'],
          storageClassName: '',
          volumeName: shared.name,
          resources: { requests: { storage: '1Gi' } },
        },
      });
  }
  await create(objects);
}

/** Waits until so many replicas of the newest kind are ready, and no older one is left, also none that is on its way out. */
async function available(replicas: number, generation = 0): Promise<void> {
  await awaitObjects(cluster.config, 'deployments', cluster.namespace, ([deployment]) => {
    const {
      observedGeneration = 0,
      updatedReplicas,
      availableReplicas,
      replicas: all,
    } = deployment?.status ?? {};
    return observedGeneration >= generation &&
      [updatedReplicas, availableReplicas, all].every((count) => count === replicas)
      ? true
      : undefined;
  });
  await cluster.pods((pods) =>
    pods.filter(({ metadata }) => metadata?.labels?.['app.kubernetes.io/name'] === 'ame').length === replicas
      ? true
      : undefined,
  );
}
