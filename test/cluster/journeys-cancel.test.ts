import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PlacedRun } from '../../src/db/runs.ts';
import type { Files } from '../journeys/pusher.ts';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { attemptOf, lacks, openCluster, type Cluster } from './cluster.ts';
import { openRelayedStore, type RelayedStore } from './relayed-store.ts';
import { readSettings } from './settings.ts';

/** Cancels of what does not run yet and of what runs no more; those of a command that runs stand with the endings. */
const { agentHost } = readSettings();
const hasStore = !lacks(process.env['AME_TEST_S3'] ?? null, 'cancels in restore and upload', 'AME_TEST_S3');

const owned = new AsyncDisposableStack();
let cluster: Cluster;
let store: RelayedStore | null = null;
let ame: ClusterAme;
beforeAll(async () => {
  cluster = owned.use(await openCluster());
  if (agentHost !== null) store = await openRelayedStore(agentHost, `cancel-${process.pid}`);
  if (store !== null) owned.use(store);
  ame = owned.use(await startClusterAme(cluster, store?.env));
});
afterAll(() => owned.disposeAsync());

type Named = { readonly owner: string; readonly name: string };

async function push(on: ClusterAme, main: string, files: Files = {}): Promise<Named> {
  const repository = await on.repository();
  const file = `projectname: cancels\non: push\ntasks:\n  main: ${main}\n`;
  expect((await repository.push({ 'ame.yaml': file, ...files })).code).toBe(0);
  return repository;
}

async function cancel(on: ClusterAme, of: Named): Promise<PlacedRun> {
  const run = await on.watch(async () => (await on.read.runs(of)).at(-1));
  expect((await on.api('POST', `/runs/${run.id}/cancel`)).status).toBe(202);
  return on.ended(of);
}

/** The pod of a repository's only attempt, once it is as it should be. */
async function podOf(of: Named, is: (waiting: string | undefined) => boolean = () => true): Promise<string> {
  const run = await ame.watch(async () => (await ame.read.runs(of)).at(-1));
  const { id } = await ame.read.attempt(run, 'main');
  const pod = await cluster.pods((pods) =>
    pods.find(
      (each) =>
        attemptOf(each) === id &&
        is(each.status?.containerStatuses?.find(({ name }) => name === 'task')?.state?.waiting?.reason),
    ),
  );
  return pod.metadata?.name ?? '';
}

/** Seconds until a pod is gone. */
async function goneAfter(name: string): Promise<string> {
  const since = performance.now();
  await cluster.pods((pods) => (pods.some(({ metadata }) => metadata?.name === name) ? undefined : true));
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`;
}

describe('a cancel', () => {
  test('of what waits for a quota: no Job was ever made', async () => {
    await using full = await openCluster();
    await full.core.createNamespacedResourceQuota({
      namespace: full.namespace,
      body: { metadata: { name: 'none' }, spec: { hard: { 'count/jobs.batch': '0' } } },
    });
    await using other = await startClusterAme(full);
    const repository = await push(other, 'echo never');
    await other.watch(async () => {
      const run = (await other.read.runs(repository)).at(-1);
      return run && (await other.read.attempt(run, 'main')).pendingWhy?.includes('none') ? true : undefined;
    });
    expect(await cancel(other, repository)).toMatchObject({ state: 'cancelled', class: 'cancelled' });
    expect((await full.batch.listNamespacedJob({ namespace: full.namespace })).items).toEqual([]);
  });

  test('of what no node has room for', async () => {
    const repository = await push(ame, '{resources: {cpu: 900}, runcommand: echo never}');
    const pod = await podOf(repository);
    expect(await cancel(ame, repository)).toMatchObject({ state: 'cancelled', class: 'cancelled' });
    console.log(`while it is to be placed: the pod is gone after ${await goneAfter(pod)}`);
  });

  test.skipIf(lacks(agentHost, 'a cancel while an image is pulled', 'AME_TEST_AGENT_HOST'))(
    'while its image is pulled from a registry that never answers',
    async () => {
      await using registry = await silentServer();
      const repository = await push(
        ame,
        `{image: "${agentHost}:${registry.port}/never/answers:1", runcommand: echo never}`,
      );
      await registry.asked;
      const pod = await podOf(repository);
      expect(await cancel(ame, repository)).toMatchObject({ state: 'cancelled', class: 'cancelled' });
      console.log(`while its image is pulled: the pod is gone after ${await goneAfter(pod)}`);
    },
  );

  test.skipIf(!hasStore)('in the middle of a restore', async () => {
    const isStalled = store?.relay.stall();
    const large = randomBytes(3_000_000);
    const repository = await push(ame, 'echo never', { large });
    await isStalled;
    const pod = await podOf(repository);
    const run = await cancel(ame, repository);
    console.log(`in a restore: the pod is gone after ${await goneAfter(pod)}`);
    store?.relay.free();
    expect(run).toMatchObject({ state: 'cancelled', class: 'cancelled' });
    expect(await ame.read.log(run, 'main')).toBe('');
  });

  test.skipIf(!hasStore)('in the middle of an upload', async () => {
    const script = ['head -c 3000000 /dev/urandom > large', 'echo up', 'sleep 4', 'echo made'];
    const repository = await push(ame, JSON.stringify(script));
    await ame.watch(async () => {
      const run = (await ame.read.runs(repository)).at(-1);
      return run && (await ame.read.log(run, 'main')) === 'up\n' ? true : undefined;
    });
    await store?.relay.stall();
    const name = await podOf(repository);
    const isCancelled = cancel(ame, repository);
    await cluster.pods((pods) =>
      pods.find(({ metadata }) => metadata?.name === name && metadata.deletionTimestamp !== undefined),
    );
    // What its agent has in hand it is given the time to store: the pod's grace, ten minutes.
    store?.relay.free();
    const run = await isCancelled;
    console.log(`in an upload: the pod is gone after ${await goneAfter(name)}`);
    expect(run).toMatchObject({ state: 'cancelled', class: 'cancelled' });
    expect(await ame.read.log(run, 'main')).toBe('up\nmade\n');
  });

  test('leaves nothing on the cluster', async () => {
    expect(await cluster.jobs((jobs) => (jobs.length === 0 ? 'nothing' : undefined))).toBe('nothing');
  });
});

/** Takes connections and says nothing. */
async function silentServer(): Promise<
  AsyncDisposable & { readonly port: number; readonly asked: Promise<void> }
> {
  const sockets = new Set<Socket>();
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    resolve();
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  // What a listening TCP server answers with; only one on a pipe has a text.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    asked,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
