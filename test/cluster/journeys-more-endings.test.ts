import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { outcomes, type Blame, type OutcomeClass, type RetryRule } from '../../src/core/outcome/classes.ts';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { awayStories } from './away-stories.ts';
import { openCluster, type Cluster } from './cluster.ts';
import { refusedVariable, refusePods } from './pod-policy.ts';
import { attemptOnce, cancelRun, pushTasks, runOf, tries, type Named } from './pushes.ts';
import { openBadRegistry } from './refusing-registry.ts';

/**
 * Endings that need no more than a file, a registry or a rule of the namespace, all pushed at once. Three rows of the table
 * cannot happen to AME's own pods: they pass the strictest level of Pod Security, so that none refuses them; they name
 * their user, so that an image's own, root or not, never counts; and a file that misnames an image is refused before.
 */
type Row = {
  readonly is: string;
  /** As it stands in the file; `{registry}` is the host of bad answers. */
  readonly task: string;
  readonly class: OutcomeClass;
  readonly says: RegExp;
  readonly blame: Blame;
  readonly retry: RetryRule;
};

const rows: readonly Row[] = [
  {
    is: 'a command that is not there',
    task: '{runcommand: no-such-command}',
    class: 'command_not_found',
    says: /`no-such-command` was not found/,
    blame: 'user',
    retry: 'user',
  },
  {
    is: 'a command that is no program',
    task: '{runcommand: /etc}',
    class: 'not_executable',
    says: /126.*chmod/,
    blame: 'user',
    retry: 'user',
  },
  {
    is: 'a command that a signal ends',
    task: "{runcommand: 'kill -SEGV $$'}",
    class: 'signal',
    says: /ended by SIGSEGV/,
    blame: 'user',
    retry: 'user',
  },
  {
    is: 'the time limit of a pipeline whose only task runs',
    task: '{timeout: {run: 3s}, pipeline: {only: sleep 1000}}',
    class: 'deadline',
    says: /pipeline took longer than its `timeout`/,
    blame: 'user',
    retry: 'never',
  },
  {
    is: 'an image without sh',
    task: '{image: "{registry}/empty/image:1", runcommand: echo never}',
    class: 'no_shell',
    says: /image `\S+\/empty\/image:1` has no `sh`/,
    blame: 'user',
    retry: 'never',
  },
  {
    is: 'a private image',
    task: '{image: "{registry}/private/image:1", runcommand: echo never}',
    class: 'image_refused',
    says: /does not hand out `\S+\/private\/image:1`.*AME_K8S_IMAGE_PULL_SECRETS.*401/,
    blame: 'user',
    retry: 'never',
  },
  {
    is: 'an image that is forbidden',
    task: '{image: "{registry}/forbidden/image:1", runcommand: echo never}',
    class: 'image_refused',
    says: /does not hand out `\S+\/forbidden\/image:1`.*403/,
    blame: 'user',
    retry: 'never',
  },
  {
    is: 'an image that its registry does not know',
    task: '{image: "{registry}/missing/image:1", runcommand: echo never}',
    class: 'image_missing',
    says: /`\S+\/missing\/image:1` does not exist/,
    blame: 'user',
    retry: 'never',
  },
  {
    is: 'an image for other machines',
    task: '{image: "{registry}/foreign/image:1", runcommand: echo never}',
    class: 'image_broken',
    says: /`\S+\/foreign\/image:1` cannot be used on its node.*no match for platform/,
    blame: 'user',
    retry: 'never',
  },
  {
    is: 'an image whose layer is not what its digest says',
    task: '{image: "{registry}/torn/image:1", runcommand: echo never}',
    class: 'image_broken',
    says: /`\S+\/torn\/image:1` cannot be used on its node/,
    blame: 'user',
    retry: 'never',
  },
  {
    is: 'an image whose sh is no program of this machine',
    task: '{image: "{registry}/garbled/image:1", runcommand: echo never}',
    class: 'start_failed',
    says: /ended with \d+ before its command could be run.*image for other machines \(here `\S+\/garbled\/image:1`\)/,
    blame: 'us',
    retry: 'infrastructure',
  },
  {
    is: 'a secret that nobody has set',
    task: '{secrets: [NEVER_SET], runcommand: echo never}',
    class: 'secret_missing',
    says: /ame secret set NEVER_SET/,
    blame: 'user',
    retry: 'never',
  },
  {
    is: 'more than a LimitRange allows',
    task: '{resources: {storage: 2Ti}, runcommand: echo never}',
    class: 'quota',
    says: /LimitRange.*ephemeral-storage.*1Ti/,
    blame: 'resources',
    retry: 'never',
  },
  {
    is: 'a policy that refuses its pod',
    task: `{env: {${refusedVariable}: yes}, runcommand: echo never}`,
    class: 'admission_refused',
    says: /policy of the cluster refuses its pod.*pods need a cost centre/,
    blame: 'cluster',
    retry: 'never',
  },
  {
    is: 'more memory than any node has',
    task: '{resources: {memory: 40Ti}, runcommand: echo never}',
    class: 'unschedulable',
    says: /asks for 40 TiB of memory, and the largest has [\d.]+ GiB/,
    blame: 'resources',
    retry: 'never',
  },
  {
    is: 'GPUs where there are none',
    task: '{resources: {gpus: 64}, runcommand: echo never}',
    class: 'unschedulable',
    says: /asks for 64 GPUs, and the largest has none/,
    blame: 'resources',
    retry: 'never',
  },
  {
    is: 'GPUs with more memory than any has',
    task: '{resources: {gpus: 1, vram: 80Gi}, runcommand: echo never}',
    class: 'unschedulable',
    says: /asks for 1 GPU.*80 GiB/,
    blame: 'resources',
    retry: 'never',
  },
  {
    is: 'a time limit of its wait',
    task: `{timeout: {queue: 4s}, image: "{registry}/failing/image:1", runcommand: echo never}`,
    class: 'queue_timeout',
    says: /`timeout.queue`/,
    blame: 'resources',
    retry: 'never',
  },
  {
    is: 'the time limit of a pipeline whose only task still waits',
    task: `{timeout: {queue: 4s}, pipeline: {only: {image: "{registry}/failing/image:1", runcommand: echo never}}}`,
    class: 'queue_timeout',
    says: /`timeout.queue`/,
    blame: 'resources',
    retry: 'never',
  },
];

const owned = new AsyncDisposableStack();
let cluster: Cluster;
let ame: ClusterAme;
let host: string | null = null;
let repository: Named;
beforeAll(async () => {
  cluster = owned.use(await openCluster());
  const registry = await openBadRegistry(cluster, 'images that cannot be used');
  host = registry === null ? null : owned.use(registry).host;
  owned.use(await refusePods(cluster));
  await cluster.core.createNamespacedLimitRange({
    namespace: cluster.namespace,
    body: {
      metadata: { name: 'team' },
      spec: { limits: [{ type: 'Container', max: { 'ephemeral-storage': '1Ti' } }] },
    },
  });
  ame = owned.use(
    await startClusterAme(cluster, { AME_K8S_UNSCHEDULABLE_AFTER: '1', AME_MEMORY_CEILING: '64Ti' }),
  );
  const tasks = rows.flatMap((row, at) => {
    const task = placed(row.task);
    return task === null ? [] : [`    row${at}: {needs: [], ${task.slice(1)}`];
  });
  repository = await pushTasks(ame, ['main:', '  pipeline:', ...tasks].join('\n'));
});
afterAll(() => owned.disposeAsync());

/** With the registry's host; null where there is none. */
function placed(task: string): string | null {
  return task.includes('{registry}') && host === null ? null : task.replaceAll('{registry}', host ?? '');
}

describe('made to happen', { concurrent: true }, () => {
  // They take longest.
  awayStories();

  for (const [at, row] of rows.entries())
    test(`by ${row.is}`, async ({ skip }) => {
      if (placed(row.task) === null) return skip('no registry that the nodes reach');
      const run = await runOf(ame, repository);
      const attempts = await ame.watch(async () => {
        const own = (await ame.read.attempts(run)).filter(({ task }) => task.split('/')[0] === `row${at}`);
        // A further try is stored with the end of the one before.
        return own.every(({ finishedAt }) => finishedAt !== null) ? own : undefined;
      });
      const { state, blame, retry } = outcomes[row.class];
      // Three more of AME's own where it is nobody's fault.
      const times = row.retry === 'infrastructure' ? 4 : 1;
      expect(attempts.map((attempt) => attempt.class)).toEqual(
        Array.from({ length: times }, () => row.class),
      );
      expect(attempts[0]?.reason).toMatch(row.says);
      expect([attempts[0]?.state, blame, retry]).toEqual([state, row.blame, row.retry]);
    });

  test('a child that is ended for want of memory, of a command that ends with 0', async () => {
    const script = `"python3 -c 'bytearray(2**29)' || echo went on"`;
    const own = await pushTasks(ame, `main: {resources: {memory: 128Mi..128Mi}, runcommand: ${script}}`);
    const run = await ame.ended(own);
    // Where nodes group what they end (cgroup v2), the command goes with its child.
    if (run.state === 'failed') expect(run.class).toBe('out_of_memory');
    else {
      expect(await ame.read.log(run, 'main')).toContain('went on');
      const check = JSON.stringify((await ame.read.check(run.commit, run)).says);
      expect(check).toContain('was ended for want of memory');
    }
    console.log(`a child out of memory: ${(await tries(ame, run)).join(', ')}`);
  });

  test('a registry that is busy is asked again, and what waits says so', async ({ skip }) => {
    const task = placed('{image: "{registry}/busy/image:1", runcommand: echo never}');
    if (task === null) return skip('no registry that the nodes reach');
    const own = await pushTasks(ame, `main: ${task}`);
    const { pendingWhy } = await attemptOnce(ame, own, (row) => /busy/.test(row.pendingWhy ?? ''));
    expect(pendingWhy).toMatch(/busy\/image:1` could not be fetched yet: .*429/);
    expect(await cancelRun(ame, own)).toMatchObject({ state: 'cancelled', class: 'cancelled' });
  });
});

test('the check of all of it tells each, and nothing is left on the cluster', async () => {
  const run = await ame.ended(repository);
  expect(run.state).toBe('failed');
  const check = JSON.stringify((await ame.read.check(run.commit, run)).says);
  for (const row of rows) if (placed(row.task) !== null) expect(check).toContain(outcomes[row.class].label);
  expect(await cluster.jobs((jobs) => (jobs.length === 0 ? 'nothing' : undefined))).toBe('nothing');
});
