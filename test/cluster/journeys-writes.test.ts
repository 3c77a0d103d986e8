import { expect, test } from 'vitest';
import { saveSecret } from '../../src/db/secrets.ts';
import { startClusterAme } from './ame-on-cluster.ts';
import { expectFewWrites } from './audit.ts';
import { attemptOf, lacks, openCluster } from './cluster.ts';
import { heldOnce, pushTasks, running, runOf, tries } from './pushes.ts';
import { readSettings } from './settings.ts';

const { auditLog } = readSettings();

test.skipIf(lacks(auditLog, 'the count of writes', 'AME_TEST_AUDIT_LOG'))(
  'three writes an attempt, also of one that is tried again or cancelled, and one for all that share a secret',
  async () => {
    await using cluster = await openCluster();
    await using ame = await startClusterAme(cluster);
    const { db, secretKey } = ame.server.context;
    const repository = await pushTasks(ame, 'main: echo before');
    const { projectId } = await ame.ended(repository);
    const say = async (value: string): Promise<void> => {
      await saveSecret(db, secretKey, { projectId, name: 'TOKEN', value });
    };
    const again = async (commit: string) =>
      ame.watch(async () =>
        (await ame.read.runs(repository)).find((run) => run.commit === commit && run.finishedAt !== null),
      );
    const task = (command: string): string => `{needs: [], secrets: [TOKEN], ${command}}`;
    await say('first');
    const { commit } = await repository.push({
      'ame.yaml': `projectname: ends
on: push
tasks:
  main:
    pipeline:
      one: ${task('runcommand: test $TOKEN = first')}
      two: ${task('runcommand: test $TOKEN = first')}
      fails: ${task(`retries: {max: 1, backoff: 1s}, runcommand: 'test $AME_ATTEMPT = 2'`)}
      taken: ${task(`runcommand: '${heldOnce}'`)}
`,
    });
    const taken = await running(ame, repository, 'taken');
    const pod = await cluster.pods((pods) => pods.find((each) => attemptOf(each) === taken.id));
    await cluster.core.deleteNamespacedPod({
      namespace: cluster.namespace,
      name: pod.metadata?.name ?? '',
    });
    const first = await again(commit);
    expect([first.state, first.reason]).toEqual(['succeeded', null]);
    expect((await tries(ame, first)).toSorted()).toEqual([
      '1 deleted',
      '1 exit',
      '1 succeeded',
      '1 succeeded',
      '2 succeeded',
      '2 succeeded',
    ]);

    await say('second');
    await repository.push({
      'ame.yaml': `projectname: ends\non: push\ntasks:\n  main: ${task('runcommand: sleep 1000')}\n`.replace(
        'needs: [], ',
        '',
      ),
    });
    await running(ame, repository);
    const run = await runOf(ame, repository);
    expect((await ame.api('POST', `/runs/${run.id}/cancel`)).status).toBe(202);
    expect(await again(run.commit)).toMatchObject({ state: 'cancelled' });

    await cluster.jobs((jobs) => (jobs.length === 0 ? true : undefined));
    const { attempts, projects } = await expectFewWrites(auditLog ?? '', cluster.namespace);
    expect(attempts).toHaveLength(8);
    // Seven attempts had it, of two values.
    expect([...projects]).toEqual([[`ame-project-${projectId}`, ['create secrets', 'update secrets']]]);
  },
);
