import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { text } from '../journeys/text.ts';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { attemptOf, openCluster, type Cluster } from './cluster.ts';

const owned = new AsyncDisposableStack();
let cluster: Cluster;
let ame: ClusterAme;
beforeAll(async () => {
  cluster = owned.use(await openCluster());
  ame = owned.use(await startClusterAme(cluster, { AME_DEFAULT_CPU: '500m' }));
});
afterAll(() => owned.disposeAsync());

async function push(main: string) {
  const repository = await ame.repository();
  const file = `projectname: logs\non: push\ntasks:\n${text`${main}`.replaceAll(/^/gm, '  ')}\n`;
  expect((await repository.push({ 'ame.yaml': file })).text).toContain('Runs main');
  return repository;
}

describe('the log of a pod', { concurrent: true }, () => {
  // It comes through the agent's pipes: the kubelet's own files, which it rotates, hold none of it.
  test('is whole however long it is: forty megabytes in half a million lines', async () => {
    const lines = 500_000;
    const line = (number: number): string => `${number} ${'x'.repeat(72)}\n`;
    const script = `python3 -c 'for n in range(${lines}): print(n, "x" * 72)'; echo the end >&2`;
    const repository = await push(`main: ${JSON.stringify(script)}`);
    const run = await ame.ended(repository);
    expect(await ame.read.states(run)).toEqual(['main succeeded']);
    const log = await ame.read.log(run, 'main', 1);
    expect(log.length).toBeGreaterThan(39_000_000);
    let at = 0;
    for (let number = 0; number < lines; number += 1) {
      const wanted = line(number);
      if (!log.startsWith(wanted, at)) throw new Error(`line ${number} is not where it should be`);
      at += wanted.length;
    }
    expect(at).toBe(log.length);
    expect(await ame.read.log(run, 'main', 2)).toBe('the end\n');
  });

  test('keeps what people have seen of a pod that is killed at once', async () => {
    const repository = await push(
      `main: 'n=0; while [ $AME_ATTEMPT = 1 ]; do n=$((n+1)); echo line $n; sleep 0.02; done; echo again'`,
    );
    // A viewer has seen so much, and what comes after it may still be on its way.
    const { id, seen } = await ame.watch(async () => {
      const run = (await ame.read.runs(repository)).at(-1);
      const shown = run && (await ame.read.log(run, 'main'));
      return shown?.includes('line 100\n')
        ? { id: (await ame.read.attempt(run ?? { id: 0 }, 'main')).id, seen: shown }
        : undefined;
    });
    const pod = await cluster.pods((pods) => pods.find((each) => attemptOf(each) === id));
    const { namespace } = cluster;
    const name = pod.metadata?.name ?? '';
    await cluster.core.deleteNamespacedPod({ namespace, name, gracePeriodSeconds: 0 });
    const run = await ame.ended(repository);
    const attempts = await ame.read.attempts(run);
    // Whether it was seen on its way out is a matter of luck.
    expect(attempts.map((row) => `${row.number} ${row.class}`)).toEqual([
      expect.stringMatching(/^1 (deleted|lost)$/),
      '2 succeeded',
    ]);
    expect(await ame.read.log(run, 'main')).toBe('again\n');
    // The other stream may have the shell's own last word.
    const kept = await ame.read.logOf(id, 1);
    expect(kept.startsWith(seen)).toBe(true);
    const lines = Array.from({ length: 10_000 }, (_, index) => `line ${index + 1}\n`).join('');
    expect(lines.startsWith(kept), kept.slice(-100)).toBe(true);
  });
});
