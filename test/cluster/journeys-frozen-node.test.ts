import { expect, test } from 'vitest';
import { text } from '../journeys/text.ts';
import { clusterEnv, startClusterAme } from './ame-on-cluster.ts';
import { atNode, attemptOf, lacks, openCluster } from './cluster.ts';
import { createRelay } from './relay.ts';
import { readSettings } from './settings.ts';

const { agentHost, freezeNode, thawNode } = readSettings();
const cannot =
  lacks(freezeNode, 'a frozen node', 'AME_TEST_FREEZE_NODE') ||
  lacks(thawNode, 'a frozen node', 'AME_TEST_THAW_NODE') ||
  lacks(agentHost, 'a frozen node', 'AME_TEST_AGENT_HOST');

/** All on one node, as long as there is room and it answers. */
const together = {
  podAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      {
        weight: 100,
        podAffinityTerm: {
          topologyKey: 'kubernetes.io/hostname',
          labelSelector: { matchLabels: { 'app.kubernetes.io/managed-by': 'ame' } },
        },
      },
    ],
  },
};

test.skipIf(cannot)(
  'a node that is gone, or whose kubelet alone is: attempts run again on another, and their logs are kept up to the last second',
  async () => {
    await using undo = new AsyncDisposableStack();
    const cluster = undo.use(await openCluster());
    const env = await clusterEnv(cluster);
    const door = undo.use(await createRelay({ host: '127.0.0.1', port: Number(env['AME_AGENT_PORT']) }));
    const ame = undo.use(
      await startClusterAme(cluster, {
        ...env,
        AME_AGENT_URL: `http://${agentHost}:${door.port}`,
        AME_K8S_AFFINITY: JSON.stringify(together),
      }),
    );
    const push = async () => {
      const repository = await ame.repository();
      const pushed = await repository.push({
        'ame.yaml': text`
          projectname: frozen
          on: push
          tasks:
            main: 'while [ $AME_ATTEMPT = 1 ]; do date "+%s%3N"; sleep 0.02; done; echo again'
        `,
      });
      expect(pushed.text).toContain('Runs main');
      // People see what it says.
      const { id, seen } = await ame.watch(async () => {
        const run = (await ame.read.runs(repository)).at(-1);
        const shown = run === undefined ? '' : await ame.read.log(run, 'main');
        if (run === undefined || shown.length < 1_000) return undefined;
        return { id: (await ame.read.attempt(run, 'main')).id, seen: shown };
      });
      const pod = await cluster.pods((pods) => pods.find((each) => attemptOf(each) === id));
      return { repository, id, seen, pod };
    };
    const [gone, silent] = [await push(), await push()];
    const node = gone.pod.spec?.nodeName ?? '';
    expect(silent.pod.spec?.nodeName).toBe(node);

    const lostAt = Date.now();
    door.lose(gone.pod.status?.podIP ?? '');
    await atNode(freezeNode ?? '', node);
    undo.defer(() => atNode(thawNode ?? '', node));
    const runs = await Promise.all([gone, silent].map(({ repository }) => ame.ended(repository)));
    for (const run of runs) {
      const tries = (await ame.read.attempts(run)).map((row) => `${row.number} ${row.class}`);
      expect(tries).toEqual(['1 node_lost', '2 succeeded']);
      expect(await ame.read.log(run, 'main')).toBe('again\n');
    }

    const times: number[][] = [];
    for (const { id, seen } of [gone, silent]) {
      const kept = await ame.read.logOf(id, 1);
      expect(kept.startsWith(seen)).toBe(true);
      // Each in its place and none twice; what was on its way may be cut off in the middle of a line.
      times.push(kept.split('\n').slice(0, -1).map(Number));
      expect(times.at(-1)).toEqual(times.at(-1)?.toSorted((a, b) => a - b));
    }
    const [last = 0, later = 0] = times.map((each) => each.at(-1) ?? 0);
    console.log(
      `the last line of the node that is gone was written ${lostAt - last} ms before, ` +
        `that of the node whose kubelet alone was silent ${later - lostAt} ms after that`,
    );
    // Clocks of nodes may differ; that its agent went on to speak does not depend on them.
    expect(times[1]?.length).toBeGreaterThan(times[0]?.length ?? 0);
    // What is left of them may go.
    door.free();
  },
);
