import { expect, test } from 'vitest';
import { workspaceStories } from '../journeys/workspace-stories.ts';
import { startClusterAme } from './ame-on-cluster.ts';
import { openCluster } from './cluster.ts';
import { text } from '../journeys/text.ts';

/** Pods keep away from those of the same run: what one leaves has to come to another node. */
const apart = {
  AME_K8S_AFFINITY: JSON.stringify({
    podAntiAffinity: {
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
  }),
};

workspaceStories(
  async () => {
    const cluster = await openCluster();
    const ame = await startClusterAme(cluster, apart);
    return {
      ...ame,
      async [Symbol.asyncDispose]() {
        await ame[Symbol.asyncDispose]();
        await cluster[Symbol.asyncDispose]();
      },
    };
  },
  { concurrent: true },
);

test('what two tasks left on two nodes comes together in a third', async (context) => {
  await using cluster = await openCluster();
  const { items } = await cluster.core.listNode();
  const free = items.filter(({ spec }) => !spec?.unschedulable && !spec?.taints?.length);
  if (free.length < 2) {
    const why = 'this cluster has no two nodes that take tasks';
    console.log(`skipped: state that crosses from node to node, because ${why}`);
    return context.skip(why);
  }
  await using ame = await startClusterAme(cluster, apart);
  const nodes = new Set<string>();
  const counted = cluster.pods((pods) => {
    for (const pod of pods) if (pod.spec?.nodeName) nodes.add(pod.spec.nodeName);
    return nodes.size >= 2 ? true : undefined;
  });
  const repository = await ame.repository();
  await repository.push({
    'ame.yaml': text`
      projectname: nodes
      on: push
      tasks:
        main:
          pipeline:
            left: [sleep 4, echo left > left]
            right: {needs: [], runcommand: [sleep 4, echo right > right]}
            joint: {needs: [left, right], runcommand: cat left right}
    `,
  });
  const run = await ame.ended(repository);
  expect(await ame.read.log(run, 'joint')).toBe('left\nright\n');
  await counted;
});
