import { kubectl } from './bench.ts';
import { isOver, taskRuns, type Scenario, type World } from './world.ts';

const saves = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done';
/** An agent that stays until its task is gone, as one that uploads does. */
const stays = 'trap "sleep 2; exit 0" TERM; while :; do sleep 1 & wait $!; done';

/** Attempts whose node is closed, removed or silent. */
export const nodeAway: readonly Scenario[] = [
  {
    rows: ['node-tainted'],
    play: async (world) => {
      await onOwnNode(world, 'tainted', async (node, attempt) => {
        await kubectl(['taint', 'node', node, 'ame.dev/closed=x:NoExecute']);
        const seen = await world.bench.until(
          attempt,
          ({ facts }) => facts.pod?.disruption !== null && facts.pod !== null,
        );
        await world.bench.record('node-tainted', attempt, seen);
      });
    },
  },
  {
    rows: ['node-gone'],
    play: async (world) => {
      await onOwnNode(world, 'gone', async (node, attempt) => {
        await kubectl(['delete', 'node', node]);
        const seen = await world.bench.until(
          attempt,
          ({ facts }) => facts.pod?.disruption?.reason === 'DeletionByPodGC',
          180,
        );
        await world.bench.record('node-gone', attempt, seen);
      });
    },
  },
  {
    rows: ['node-silent', 'node-not-ready', 'node-lost', 'node-lost-job-failed', 'node-back'],
    play: async ({ bench, node, freeze, skip }) => {
      if (freeze === null)
        return skip('node-lost', 'set AME_TEST_FREEZE_NODE to a command that stops a kubelet');
      // It goes before anybody else does: what runs on the node for others stays there once it answers again.
      const tolerations = ['not-ready', 'unreachable'].map((key) => ({
        key: `node.kubernetes.io/${key}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 0,
      }));
      const pod = { nodeSelector: { 'kubernetes.io/hostname': node }, tolerations };
      const attempt = await bench.start({ pod, silent: true, task: saves, agent: stays, grace: 10 });
      await bench.until(attempt, taskRuns);
      await freeze('freeze');
      try {
        await bench.record('node-silent', attempt, await bench.until(attempt, taskRuns));
        const away = await bench.until(attempt, ({ facts }) => facts.pod?.nodeUnreachable === true, 120);
        await bench.record('node-not-ready', attempt, away);
        const lost = await bench.until(attempt, ({ facts }) => facts.pod?.deleting === true, 400);
        await bench.record('node-lost', attempt, lost);
        const failed = await bench.until(
          attempt,
          ({ facts }) => facts.pod?.deleting === true && facts.job?.failed?.reason === 'BackoffLimitExceeded',
          60,
        );
        await bench.record('node-lost-job-failed', attempt, failed);
      } finally {
        await freeze('thaw');
      }
      await bench.record('node-back', attempt, await bench.until(attempt, isOver));
    },
  },
];

/** A node that is only an entry: nothing runs there, so its pods stay as they are when it is closed or removed. */
export async function onOwnNode(
  { bench, undo }: World,
  suffix: string,
  act: (node: string, attempt: string) => Promise<void>,
): Promise<void> {
  const node = `${bench.namespace}-${suffix}`;
  const taints = [{ key: 'ame.dev/recording', effect: 'NoSchedule' }];
  await kubectl(['apply', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: node },
    spec: { taints },
  });
  undo(() => kubectl(['delete', 'node', node, '--ignore-not-found']));
  const tolerations = [
    'ame.dev/recording',
    'node.kubernetes.io/not-ready',
    'node.kubernetes.io/unreachable',
  ].map((key) => ({ key, operator: 'Exists' }));
  const attempt = await bench.start({ pod: { nodeName: node, tolerations } });
  await bench.until(attempt, ({ facts }) => facts.pod?.node === node);
  await act(node, attempt);
}
