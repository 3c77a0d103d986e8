import { expect, test } from 'vitest';
import { text } from '../journeys/text.ts';
import { startClusterAme } from './ame-on-cluster.ts';
import { atNode, attemptOf, lacks, openCluster } from './cluster.ts';
import { readSettings } from './settings.ts';

const { freezeNode, thawNode } = readSettings();
const cannot =
  lacks(freezeNode, 'a frozen node', 'AME_TEST_FREEZE_NODE') ||
  lacks(thawNode, 'a frozen node', 'AME_TEST_THAW_NODE');

test.skipIf(cannot)('a node that does not answer any more: the attempt is run again on another', async () => {
  await using undo = new AsyncDisposableStack();
  const cluster = undo.use(await openCluster());
  const ame = undo.use(await startClusterAme(cluster));
  const repository = await ame.repository();
  await repository.push({
    'ame.yaml': text`
      projectname: frozen
      on: push
      tasks:
        main: 'if [ $AME_ATTEMPT = 1 ]; then echo up; sleep 1000; fi; echo again'
    `,
  });
  const { id } = await ame.watch(async () => {
    const run = (await ame.read.runs(repository)).at(-1);
    const last = run && (await ame.read.attempts(run)).at(-1);
    return last?.state === 'running' ? last : undefined;
  });
  const node = await cluster.pods((pods) => pods.find((pod) => attemptOf(pod) === id)?.spec?.nodeName);
  await atNode(freezeNode ?? '', node);
  undo.defer(() => atNode(thawNode ?? '', node));
  const run = await ame.ended(repository);
  expect((await ame.read.attempts(run)).map((row) => `${row.number} ${row.class}`)).toEqual([
    '1 node_lost',
    '2 succeeded',
  ]);
  expect(await ame.read.log(run, 'main')).toBe('again\n');
});
