import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { outcomes } from '../../src/core/outcome/classes.ts';
import { deleteSecret, saveSecret } from '../../src/db/secrets.ts';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { attemptOf, openCluster, type Cluster } from './cluster.ts';
import type { BadRegistry } from './endings/registry.ts';
import { addNode, onFakeNodes } from './nodes.ts';
import {
  attemptOnce,
  cancelRun,
  firstOfSeveral,
  pushTasks,
  running,
  runOf,
  tries,
  type Named,
} from './pushes.ts';
import { openBadRegistry } from './refusing-registry.ts';
import { within } from './within.ts';

/** Endings for which something is taken away while a run is under way, with every setting as it is by default. */
const owned = new AsyncDisposableStack();
let cluster: Cluster;
let ame: ClusterAme;
let registry: BadRegistry | null = null;
beforeAll(async () => {
  cluster = owned.use(await openCluster());
  const opened = await openBadRegistry(cluster, 'a secret that goes while an image is fetched');
  registry = opened === null ? null : owned.use(opened);
  ame = owned.use(await startClusterAme(cluster));
});
afterAll(() => owned.disposeAsync());

async function setSecret(of: Named, value: string | null): Promise<number> {
  const { projectId } = await runOf(ame, of);
  const { db, secretKey } = ame.server.context;
  if (value === null) await deleteSecret(db, projectId, 'TOKEN');
  else await saveSecret(db, secretKey, { projectId, name: 'TOKEN', value });
  return projectId;
}

describe('made to happen', { concurrent: true }, () => {
  test('a node that is removed from the cluster', async () => {
    await using own = await openCluster();
    await using gone = await addNode(own, 'gone', {});
    await using other = await startClusterAme(own, onFakeNodes(own));
    const repository = await pushTasks(other, 'main: echo never');
    const run = await runOf(other, repository);
    await own.pods((pods) => pods.find((pod) => pod.spec?.nodeName === gone.name));
    await gone[Symbol.asyncDispose]();
    const ended = await attemptOnce(other, repository, ({ number }) => number === 2);
    expect(ended.class).toBe(null);
    const [first] = await other.read.attempts(run);
    expect(first).toMatchObject({ number: 1, class: 'node_lost' });
    expect(first?.reason).toContain(gone.name);
    await cancelRun(other, repository);
    expect(await tries(other, run)).toEqual(['1 node_lost', '2 cancelled']);
  });

  test('what no node can hold is told at once, in the cluster’s own amounts, and waits for a larger node', async () => {
    const repository = await pushTasks(ame, 'main: {resources: {cpu: 900}, runcommand: echo never}');
    const { pendingWhy, state } = await attemptOnce(ame, repository, (row) =>
      /largest/.test(row.pendingWhy ?? ''),
    );
    expect(state).toBe('queued');
    expect(pendingWhy).toMatch(
      /^No node can hold it: it asks for 900 cores, and the largest has [\d.]+ cores?\. It ends as unschedulable after 15 minutes/,
    );
    expect(await cancelRun(ame, repository)).toMatchObject({ state: 'cancelled' });
  });

  test('content that is gone from the store: what comes after it cannot be restored', async () => {
    const repository = await pushTasks(
      ame,
      `
      main:
        pipeline:
          make: echo made > made.txt
          hold: until [ -e /tmp/go ]; do sleep 0.1; done
          use: cat made.txt
      `,
    );
    const { id } = await running(ame, repository, 'hold');
    const run = await runOf(ame, repository);
    const made = await ame.read.artifacts(run, 'make');
    const digest = made.find(({ path }) => path === 'made.txt')?.digest ?? '';
    expect(digest).not.toBe('');
    await rm(join(ame.server.directory, 'content', 'blobs', digest.slice(0, 2), digest));
    await within(cluster, id, 'task', 'touch /tmp/go');
    const first = await firstOfSeveral(ame, repository, 'use');
    expect(first.class).toBe('restore_failed');
    expect(first.reason).toContain(digest);
    expect(outcomes.restore_failed).toMatchObject({ blame: 'us', retry: 'infrastructure' });
  });

  test('a secret that somebody takes out of its mirror comes back', async () => {
    const repository = await pushTasks(ame, 'main: {secrets: [TOKEN], runcommand: "test $TOKEN = first"}');
    const first = await ame.ended(repository);
    expect(first.class).toBe('secret_missing');
    const projectId = await setSecret(repository, 'first');
    await repository.push({ 'a.txt': 'again\n' });
    expect(await ended(repository, 2)).toMatchObject({ state: 'succeeded', reason: null });
    const name = `ame-project-${projectId}`;
    await cluster.core.patchNamespacedSecret(
      { namespace: cluster.namespace, name, body: { data: { TOKEN: null } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    await repository.push({ 'b.txt': 'again\n' });
    const third = await ended(repository, 3);
    expect([third.state, third.reason]).toEqual(['succeeded', null]);
    expect(await tries(ame, third)).toEqual(['1 succeeded']);
  });

  test('a secret that is deleted after its agent had it, and before its container is made', async ({
    skip,
  }) => {
    if (registry === null) return skip('no registry that the nodes reach');
    const repository = await pushTasks(ame, 'main: {secrets: [TOKEN], runcommand: echo never}');
    expect((await ame.ended(repository)).class).toBe('secret_missing');
    await setSecret(repository, 'short-lived');
    const image = `${registry.host}/held/image:1`;
    const file = `projectname: ends\non: push\ntasks:\n  main: {secrets: [TOKEN], image: "${image}", runcommand: echo never}\n`;
    await repository.push({ 'ame.yaml': file });
    await registry.asked;
    const { id } = await attemptOnce(ame, repository, ({ state }) => state === 'queued');
    // Once it has restored the workspace, it was told the secret before that.
    await within(cluster, id, 'agent', 'until grep -aq root /ame/state/progress; do sleep 0.1; done');
    const projectId = await setSecret(repository, null);
    await cluster.core.deleteNamespacedSecret({
      namespace: cluster.namespace,
      name: `ame-project-${projectId}`,
    });
    registry.free();
    const run = await ended(repository, 2);
    expect(run).toMatchObject({ state: 'failed', class: 'secret_missing' });
    // In the cluster's words, not in those of its agent.
    expect(run.reason).toContain('The secret `TOKEN` is not there: `ame secret set TOKEN`.');
    expect(await tries(ame, run)).toEqual(['1 secret_missing']);
  });

  test('an agent that the kernel ends for want of memory is started again, and nothing is lost', async () => {
    const repository = await pushTasks(
      ame,
      `main: 'echo before; until [ -e /tmp/go ]; do sleep 0.1; done; echo after'`,
    );
    const { id } = await running(ame, repository);
    // The kernel takes the largest: many small ones beside it, of which none is as large as it is.
    const eat = 'for n in $(seq 60); do node -e "setInterval(() => {}, 1e6)" & done; wait';
    await within(cluster, id, 'agent', `echo 1000 >/proc/1/oom_score_adj; ${eat}`);
    const killed = await cluster.pods((pods) => {
      const pod = pods.find((each) => attemptOf(each) === id);
      const agent = pod?.status?.initContainerStatuses?.[0];
      return agent?.state?.running && agent.restartCount > 0 ? agent : undefined;
    });
    expect(killed.lastState?.terminated?.reason).toBe('OOMKilled');
    await within(cluster, id, 'task', 'touch /tmp/go');
    const run = await ame.ended(repository);
    expect([run.state, run.reason]).toEqual(['succeeded', null]);
    expect(await tries(ame, run)).toEqual(['1 succeeded']);
    expect(await ame.read.log(run, 'main')).toBe('before\nafter\n');
  });
});

/** The end of a repository's run of this number, counted from 1. */
function ended(of: Named, number: number) {
  return ame.watch(async () => {
    const run = (await ame.read.runs(of)).at(number - 1);
    return run?.finishedAt ? run : undefined;
  });
}

test('afterwards nothing is left on the cluster', async () => {
  expect(await cluster.jobs((jobs) => (jobs.length === 0 ? 'nothing' : undefined))).toBe('nothing');
  expect(await cluster.pods((pods) => (pods.length === 0 ? 'nothing' : undefined))).toBe('nothing');
});
