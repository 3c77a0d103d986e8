import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Attempt } from '../../src/db/attempts.ts';
import type { PlacedRun } from '../../src/db/runs.ts';
import { text } from '../journeys/text.ts';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { expectFewWrites } from './audit.ts';
import { attemptOf, lacks, openCluster, type Cluster } from './cluster.ts';
import { readSettings } from './settings.ts';

let cluster: Cluster;
let ame: ClusterAme;
beforeAll(async () => {
  cluster = await openCluster();
  ame = await startClusterAme(cluster, { AME_K8S_UNSCHEDULABLE_AFTER: '1' });
});
afterAll(async () => {
  await ame?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

type Named = { readonly owner: string; readonly name: string };

/** Pushes a file whose `main` is this to a repository of its own. */
async function push(main: string): Promise<Named & { readonly again: () => Promise<PlacedRun> }> {
  const repository = await ame.repository();
  const files = {
    'ame.yaml': `projectname: ends\non: push\ntasks:\n${text`${main}`.replaceAll(/^/gm, '  ')}\n`,
  };
  expect((await repository.push(files)).code).toBe(0);
  return {
    ...repository,
    async again() {
      const { commit } = await repository.push({ 'other.txt': 'again\n' });
      return ame.watch(async () =>
        (await ame.read.runs(repository)).find((run) => run.commit === commit && run.finishedAt !== null),
      );
    },
  };
}

/** Waits for the last attempt of a task to be as `look` wants it. */
async function attempt(of: Named, look: (attempt: Attempt) => boolean): Promise<Attempt> {
  return ame.watch(async () => {
    const run = (await ame.read.runs(of)).at(-1);
    const last = run && (await ame.read.attempts(run)).at(-1);
    return last && look(last) ? last : undefined;
  });
}

const running = (of: Named): Promise<Attempt> => attempt(of, ({ state }) => state === 'running');

/** What became of each try of `main`, in order. */
async function tries(run: PlacedRun): Promise<readonly string[]> {
  return (await ame.read.attempts(run)).map((row) => `${row.number} ${row.class}`);
}

/** Holds the first try until somebody ends it; the second is quick. */
const held = "main: 'if [ $AME_ATTEMPT = 1 ]; then echo up; sleep 1000; fi; echo again'";

describe('made to happen', { concurrent: true }, () => {
  test('out of memory raises the memory, tries again, and is remembered', async () => {
    const repository = await push(`main: python3 -c 'b = bytearray(180 * 2**20); print(len(b))'`);
    const run = await ame.ended(repository);
    expect(await tries(run)).toEqual(['1 out_of_memory', '2 succeeded']);
    const attempts = await ame.read.attempts(run);
    expect(attempts.map(({ resources }) => resources?.memory.bytes)).toEqual([128 * 2 ** 20, 256 * 2 ** 20]);
    expect(JSON.stringify((await ame.read.check(run.commit, run)).says)).toContain('memory: 256Mi..1Gi');
    const next = await repository.again();
    expect(await tries(next)).toEqual(['1 succeeded']);
    expect((await ame.read.attempts(next))[0]?.resources?.memory.bytes).toBe(256 * 2 ** 20);
    const told = (await ame.read.check(next.commit, next)).says.lines;
    expect(told.filter((line) => line.includes('`main` starts with 256Mi'))).toEqual([
      expect.stringContaining('`memory: 256Mi..1Gi`'),
    ]);
  });

  test('memory that never is enough ends at the ceiling', async () => {
    const repository = await push(text`
      main:
        resources: {memory: 96Mi..128Mi}
        runcommand: python3 -c 'b = bytearray(300 * 2**20)'
    `);
    const run = await ame.ended(repository);
    expect(await tries(run)).toEqual(['1 out_of_memory', '2 out_of_memory']);
    expect(run).toMatchObject({ state: 'failed', class: 'out_of_memory' });
  });

  test('a full workspace', async () => {
    const repository = await push(text`
      main:
        resources: {storage: 32Mi}
        runcommand: head -c 1300000000 /dev/zero > big; sleep 1000
    `);
    const run = await ame.ended(repository);
    expect(run).toMatchObject({ state: 'failed', class: 'storage_full' });
  });

  test('an image that is not there', async () => {
    const named = cluster.settings.image ?? cluster.settings.taskImage;
    const missing = `${named.replace(/:[^/:]*$/, '')}:no-such-tag`;
    const run = await ame.ended(await push(`main: {image: "${missing}", runcommand: echo never}`));
    expect(run).toMatchObject({ state: 'failed', class: 'image_missing' });
    expect(run.reason).toContain('no-such-tag');
  });

  test('an image with another sh', async () => {
    const run = await ame.ended(
      await push(`main: {image: "${cluster.settings.smallImage}", runcommand: "busybox | head -n 1; id -u"}`),
    );
    expect([run.state, run.reason]).toEqual(['succeeded', null]);
    expect(await ame.read.log(run, 'main')).toMatch(/^BusyBox .*\n1000\n$/);
  });

  test('an exit code, and a time limit', async () => {
    const [code, limit] = await Promise.all([
      push(`main: exit 3`),
      push(`main: {timeout: 2s, runcommand: sleep 1000}`),
    ]);
    expect(await ame.ended(code)).toMatchObject({ state: 'failed', class: 'exit' });
    expect(await ame.ended(limit)).toMatchObject({ state: 'failed', class: 'timeout' });
  });

  test('what no node can hold is said in words', async () => {
    const run = await ame.ended(await push(`main: {resources: {cpu: 900}, runcommand: echo never}`));
    expect(run).toMatchObject({ state: 'failed', class: 'unschedulable' });
    expect(run.reason).toMatch(/900.*largest/s);
  });

  test('a pod deleted by hand is tried again', async () => {
    const repository = await push(held);
    const { id } = await running(repository);
    const { namespace } = cluster;
    const pod = await cluster.pods((pods) => pods.find((each) => attemptOf(each) === id));
    await cluster.core.deleteNamespacedPod({ namespace, name: pod.metadata?.name ?? '' });
    const run = await ame.ended(repository);
    expect(await tries(run)).toEqual(['1 deleted', '2 succeeded']);
  });

  test('a Job deleted by hand is tried again', async () => {
    const repository = await push(held);
    const { id } = await running(repository);
    const { namespace } = cluster;
    await cluster.batch.deleteNamespacedJob({
      namespace,
      name: `ame-attempt-${id}`,
      propagationPolicy: 'Background',
    });
    const run = await ame.ended(repository);
    expect(run.state).toBe('succeeded');
    expect(await tries(run)).toEqual(['1 deleted', '2 succeeded']);
  });

  test('a drain moves it to another place', async () => {
    const repository = await push(held);
    const { id } = await running(repository);
    const { namespace } = cluster;
    const pod = await cluster.pods((pods) => pods.find((each) => attemptOf(each) === id));
    const name = pod.metadata?.name ?? '';
    await cluster.core.createNamespacedPodEviction({
      namespace,
      name,
      body: { metadata: { name, namespace } },
    });
    const run = await ame.ended(repository);
    expect(await tries(run)).toEqual(['1 drained', '2 succeeded']);
  });
});

describe('a cancel', { concurrent: true }, () => {
  const cancel = async (of: Named): Promise<PlacedRun> => {
    const run = await ame.watch(async () => (await ame.read.runs(of)).at(-1));
    expect((await ame.api('POST', `/runs/${run.id}/cancel`)).status).toBe(202);
    return ame.ended(of);
  };

  test('right after the push', async () => {
    const repository = await push('main: sleep 1000');
    expect(await cancel(repository)).toMatchObject({ state: 'cancelled', class: 'cancelled' });
  });

  test('while the command runs, which hears TERM and is kept to its grace', async () => {
    const repository = await push(`main: "trap 'echo bye; exit 0' TERM; echo up; sleep 1000 & wait"`);
    await running(repository);
    const run = await cancel(repository);
    expect(run.state).toBe('cancelled');
    expect(await ame.read.log(run, 'main')).toBe('up\nbye\n');
  });

  test('while the command runs and hears nothing', async () => {
    const repository = await push(`main: "trap '' TERM; echo up; while :; do sleep 1; done"`);
    await running(repository);
    const run = await cancel(repository);
    expect(run.state).toBe('cancelled');
    expect(await ame.read.log(run, 'main')).toMatch(/^up\n/);
  });
});

test('afterwards nothing is left on the cluster', async () => {
  expect(await cluster.jobs((jobs) => (jobs.length === 0 ? 'nothing' : undefined))).toBe('nothing');
});

const { auditLog } = readSettings();

test.skipIf(lacks(auditLog, 'the count of writes', 'AME_TEST_AUDIT_LOG'))(
  'and none of these attempts cost the API server more than three writes',
  async () => {
    const { attempts, projects } = await expectFewWrites(auditLog ?? '', cluster.namespace);
    expect(attempts.length).toBeGreaterThan(10);
    expect([...projects]).toEqual([]);
  },
);
