import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Env } from '../../src/config.ts';
import { outcomes, type OutcomeClass } from '../../src/core/outcome/classes.ts';
import { freePort, startClusterAme } from './ame-on-cluster.ts';
import { attemptOf, lacks, openCluster } from './cluster.ts';
import { firstOfSeveral, pushTasks, running, tries } from './pushes.ts';
import { openRelayedStore } from './relayed-store.ts';
import { readSettings } from './settings.ts';
import { within } from './within.ts';

const { agentHost } = readSettings();
const hasStore = !lacks(process.env['AME_TEST_S3'] ?? null, 'an eviction in an upload', 'AME_TEST_S3');

/** Settings that are wrong, each of an AME of its own: nobody can ever start its tasks. */
const wrongSettings: readonly {
  readonly env: Env;
  readonly class: OutcomeClass;
  readonly says: RegExp;
}[] = [
  {
    env: { AME_IMAGE: 'registry.invalid/No-Such:1' },
    class: 'start_failed',
    says: /AME's own image could not be fetched; an administrator names it with AME_IMAGE/,
  },
  {
    env: { AME_K8S_PRIORITY_CLASS: 'no-such-class' },
    class: 'bad_config',
    says: /priority class or runtime class that AME is set to does not exist: .*no-such-class/,
  },
];

/** Endings of what cannot reach AME, cannot store what it has, or cannot be started; each with an AME of its own. */
export function awayStories(): void {
  test('an address at which no pod reaches AME: the error says what to set', async () => {
    await using cluster = await openCluster();
    const wrong = `http://${agentHost ?? '127.0.0.1'}:${await freePort()}`;
    await using ame = await startClusterAme(cluster, { AME_AGENT_URL: wrong, AME_REACH_PATIENCE: '2' });
    const repository = await pushTasks(ame, 'main: echo never');
    const run = await ame.ended(repository);
    expect(run).toMatchObject({ state: 'failed', class: 'door_unreachable' });
    expect(run.reason).toContain('AME_AGENT_URL');
    expect(run.reason).toContain(wrong);
    expect(await tries(ame, run)).toEqual([1, 2, 3, 4].map((number) => `${number} door_unreachable`));
    expect(outcomes.door_unreachable).toMatchObject({ blame: 'cluster', retry: 'infrastructure' });
    const check = JSON.stringify((await ame.read.check(run.commit, run)).says);
    expect(check).toContain('AME_AGENT_URL');
  });

  test('a store that takes nothing: what the command left is tried again, and its machine let go', async () => {
    await using cluster = await openCluster();
    await using ame = await startClusterAme(cluster, { AME_STORE_PATIENCE: '3' });
    const wait = 'until [ -e /tmp/go ]; do sleep 0.1; done';
    const repository = await pushTasks(ame, `main: '${wait}; echo done; date > made.txt'`);
    const { id } = await running(ame, repository);
    // What is to be written there from now on finds no directory.
    const incoming = join(ame.server.directory, 'content', 'incoming');
    await rename(incoming, `${incoming}-before`);
    await writeFile(incoming, '');
    await within(cluster, id, 'task', 'touch /tmp/go');
    const first = await firstOfSeveral(ame, repository);
    expect(first.class).toBe('store_failed');
    expect(first.reason).toMatch(/was not stored within 3 s/);
    expect(outcomes.store_failed).toMatchObject({ blame: 'us', retry: 'infrastructure' });
    // What it printed did not need the store.
    expect(await ame.read.logOf(first.id)).toBe('done\n');
  });

  test.skipIf(!hasStore || lacks(agentHost, 'an eviction in an upload', 'AME_TEST_AGENT_HOST'))(
    'an eviction in the middle of an upload takes nothing from what the command did',
    async () => {
      await using undo = new AsyncDisposableStack();
      const cluster = undo.use(await openCluster());
      const store = await openRelayedStore(agentHost ?? '', `evict-${process.pid}`);
      if (store === null) throw new Error('AME_TEST_S3 names no server');
      undo.use(store);
      const ame = undo.use(await startClusterAme(cluster, store.env));
      const script = ['head -c 3000000 /dev/urandom > large', 'echo up', 'sleep 4', 'echo made'];
      const repository = await pushTasks(ame, `main: ${JSON.stringify(script)}`);
      const { id } = await ame.watch(async () => {
        const run = (await ame.read.runs(repository)).at(-1);
        const up = run && (await ame.read.log(run, 'main')) === 'up\n';
        return up ? await ame.read.attempt(run, 'main') : undefined;
      });
      // Resolves with the first part of the upload, when the command has ended.
      await store.relay.stall();
      const { namespace } = cluster;
      const pod = await cluster.pods((pods) => pods.find((each) => attemptOf(each) === id));
      const name = pod.metadata?.name ?? '';
      await cluster.core.createNamespacedPodEviction({
        namespace,
        name,
        body: { metadata: { name, namespace } },
      });
      const leaving = await cluster.pods((pods) =>
        pods.find(({ metadata }) => metadata?.name === name && metadata.deletionTimestamp !== undefined),
      );
      expect(leaving.status?.conditions).toContainEqual(
        expect.objectContaining({ type: 'DisruptionTarget', reason: 'EvictionByEvictionAPI' }),
      );
      store.relay.free();
      const run = await ame.ended(repository);
      expect([run.state, run.reason]).toEqual(['succeeded', null]);
      expect(await tries(ame, run)).toEqual(['1 succeeded']);
      expect(await ame.read.log(run, 'main')).toBe('up\nmade\n');
      const artifacts = await ame.read.artifacts(run, 'main');
      expect(artifacts.map(({ path, size }) => [path, size])).toEqual([['large', 3_000_000]]);
    },
  );

  test('settings with which nothing can start: the error names the setting', async () => {
    const ends = wrongSettings.map(async (row) => {
      await using cluster = await openCluster();
      await using ame = await startClusterAme(cluster, row.env);
      return { row, first: await firstOfSeveral(ame, await pushTasks(ame, 'main: echo never')) };
    });
    for (const { row, first } of await Promise.all(ends)) {
      expect(first.class).toBe(row.class);
      expect(first.reason).toMatch(row.says);
      expect(outcomes[row.class].retry).toBe('infrastructure');
    }
  });
}
