import { isOver, taskRuns, unscheduled, waitsFor, type Scenario, type World } from './world.ts';
import { kubectl } from './bench.ts';

/** Ends within its grace with 0, as a command may that saves what it has when it is told to end. */
const saves = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done';
const ignores = 'trap "" TERM; while :; do sleep 1; done';
/** An agent that stays until its task is gone, as one that uploads does. */
const stays = 'trap "sleep 2; exit 0" TERM; while :; do sleep 1 & wait $!; done';

/** Attempts that somebody takes away: people, the scheduler, nodes and deadlines. */
export const takenAway: readonly Scenario[] = [
  {
    rows: ['pod-deleted', 'pod-deleted-over', 'pod-vanished'],
    play: async ({ bench }) => {
      const attempt = await bench.start({ task: ignores, grace: 6, agent: stays });
      await bench.until(attempt, taskRuns);
      await bench.kubectl(['delete', 'pod', '-l', label(attempt), '--wait=false']);
      const leaving = await bench.until(attempt, ({ facts }) => facts.pod?.deleting === true);
      await bench.record('pod-deleted', attempt, leaving);
      const over = await bench.until(
        attempt,
        (moment) => isOver(moment) && moment.facts.pod?.deleting === true,
      );
      await bench.record('pod-deleted-over', attempt, over);
      const gone = await bench.until(
        attempt,
        ({ facts }) => facts.pod === null && facts.job?.failed !== null && facts.job !== null,
      );
      await bench.record('pod-vanished', attempt, gone);
    },
  },
  {
    rows: ['job-complete-without-pod'],
    play: async ({ bench }) => {
      const attempt = await bench.start({ task: 'true' });
      await bench.until(attempt, ({ facts }) => facts.job?.complete === true);
      await bench.kubectl(['delete', 'pod', '-l', label(attempt), '--wait=false']);
      const gone = await bench.until(
        attempt,
        ({ facts }) => facts.pod === null && facts.job?.complete === true,
      );
      await bench.record('job-complete-without-pod', attempt, gone);
    },
  },
  {
    rows: ['job-deleted', 'job-deleted-over'],
    play: async ({ bench }) => {
      const attempt = await bench.start({ silent: true, task: saves, grace: 6, agent: stays });
      await bench.until(attempt, taskRuns);
      await bench.kubectl(['delete', 'job', attempt, '--cascade=background', '--wait=false']);
      const leaving = await bench.until(
        attempt,
        ({ facts }) => facts.job === null && facts.pod?.deleting === true,
      );
      await bench.record('job-deleted', attempt, leaving);
      const over = await bench.until(attempt, (moment) => moment.facts.job === null && isOver(moment));
      await bench.record('job-deleted-over', attempt, over);
    },
  },
  {
    rows: ['job-deleted-foreground'],
    play: async ({ bench }) => {
      const attempt = await bench.start({ task: ignores, grace: 6 });
      await bench.until(attempt, taskRuns);
      await bench.kubectl(['delete', 'job', attempt, '--cascade=foreground', '--wait=false']);
      const leaving = await bench.until(
        attempt,
        ({ facts }) => facts.job?.deleting === true && facts.pod !== null,
      );
      await bench.record('job-deleted-foreground', attempt, leaving);
    },
  },
  {
    rows: ['deleted-while-unscheduled'],
    play: async ({ bench }) => {
      const attempt = await bench.start({ pod: { nodeSelector: { 'ame.dev/none': 'x' } } });
      await bench.until(attempt, unscheduled);
      await bench.kubectl(['delete', 'pod', '-l', label(attempt), '--wait=false']);
      const gone = await bench.until(
        attempt,
        ({ facts }) =>
          facts.pod?.deleting === true || (facts.pod === null && (facts.job?.failed ?? null) !== null),
      );
      await bench.record('deleted-while-unscheduled', attempt, gone);
    },
  },
  {
    rows: ['deleted-while-pulling'],
    play: async ({ bench, images }) => {
      const image = images.small.replace(/[^/]*$/u, 'no-such-image:1');
      const attempt = await bench.start({ image, agent: stays, grace: 6 });
      await bench.until(attempt, waitsFor('ErrImagePull', 'ImagePullBackOff'));
      await bench.kubectl(['delete', 'job', attempt, '--cascade=background', '--wait=false']);
      const leaving = await bench.until(attempt, ({ facts }) => facts.pod?.deleting === true);
      await bench.record('deleted-while-pulling', attempt, leaving);
    },
  },
  {
    rows: ['drained', 'drained-with-0'],
    play: async ({ bench }) => {
      const attempt = await bench.start({ silent: true, task: saves, agent: stays, grace: 10 });
      const { pods } = await bench.until(attempt, taskRuns);
      const name = pods[0]?.metadata?.name ?? '';
      const eviction = {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace: bench.namespace },
      };
      const path = `/api/v1/namespaces/${bench.namespace}/pods/${name}/eviction`;
      await kubectl(['create', '--raw', path, '-f', '-'], eviction);
      await bench.record(
        'drained',
        attempt,
        await bench.until(attempt, ({ facts }) => facts.pod?.deleting === true),
      );
      await bench.record('drained-with-0', attempt, await bench.until(attempt, isOver));
    },
  },
  {
    rows: ['deleted-while-uploading', 'deleted-while-uploading-over'],
    play: async ({ bench }) => {
      const uploads = 'trap "sleep 8; exit 0" TERM; while :; do sleep 1 & wait $!; done';
      const attempt = await bench.start({ task: 'sleep 1', agent: uploads, grace: 20 });
      await bench.until(attempt, ({ facts }) => facts.pod?.task?.state === 'terminated');
      await bench.kubectl(['delete', 'job', attempt, '--cascade=background', '--wait=false']);
      const leaving = await bench.until(
        attempt,
        ({ facts }) => facts.job === null && facts.pod?.deleting === true,
      );
      await bench.record('deleted-while-uploading', attempt, leaving);
      const over = await bench.until(attempt, (moment) => moment.facts.job === null && isOver(moment));
      await bench.record('deleted-while-uploading-over', attempt, over);
    },
  },
  {
    rows: ['preempted', 'preempted-over'],
    play: async (world) => {
      const { bench, node } = world;
      await slots(world, 'ame.dev/slot');
      const high = {
        apiVersion: 'scheduling.k8s.io/v1',
        kind: 'PriorityClass',
        metadata: { name: `${bench.namespace}-high` },
      };
      await kubectl(['apply', '-f', '-'], { ...high, value: 1000, description: 'for recording' });
      world.undo(() => kubectl(['delete', 'priorityclass', `${bench.namespace}-high`]));
      const slot = { 'ame.dev/slot': '1' };
      const place = { nodeSelector: { 'kubernetes.io/hostname': node } };
      const low = await bench.start({
        task: saves,
        silent: true,
        agent: stays,
        grace: 10,
        requests: slot,
        limits: slot,
        pod: place,
      });
      await bench.until(low, taskRuns);
      await bench.start({
        requests: slot,
        limits: slot,
        pod: { ...place, priorityClassName: `${bench.namespace}-high` },
      });
      await bench.record(
        'preempted',
        low,
        await bench.until(low, ({ facts }) => facts.pod?.deleting === true),
      );
      await bench.record('preempted-over', low, await bench.until(low, isOver));
    },
  },
  {
    rows: ['queue-took-back'],
    play: async ({ bench }) => {
      const attempt = await bench.start({ task: ignores, grace: 6, agent: stays });
      await bench.until(attempt, taskRuns);
      await bench.kubectl(['patch', 'job', attempt, '-p', '{"spec":{"suspend":true}}']);
      const leaving = await bench.until(
        attempt,
        ({ facts }) => facts.job?.suspended === true && facts.pod?.deleting === true,
      );
      await bench.record('queue-took-back', attempt, leaving);
    },
  },
  {
    rows: ['deadline-of-pod'],
    play: async ({ bench }) => {
      const attempt = await bench.start({ pod: { activeDeadlineSeconds: 6 } });
      await bench.record('deadline-of-pod', attempt, await bench.until(attempt, isOver));
    },
  },
  {
    rows: ['deadline-of-job', 'deadline-of-job-over'],
    play: async ({ bench }) => {
      const attempt = await bench.start({
        job: { activeDeadlineSeconds: 6 },
        task: ignores,
        grace: 6,
        agent: stays,
      });
      const leaving = await bench.until(
        attempt,
        ({ facts }) => facts.job?.failed?.reason === 'DeadlineExceeded' && facts.pod?.deleting === true,
      );
      await bench.record('deadline-of-job', attempt, leaving);
      await bench.record('deadline-of-job-over', attempt, await bench.until(attempt, isOver));
    },
  },
  {
    rows: ['deadline-while-pulling'],
    play: async ({ bench, images }) => {
      const image = images.small.replace(/[^/]*$/u, 'no-such-image:1');
      const attempt = await bench.start({ pod: { activeDeadlineSeconds: 6 }, image });
      await bench.record('deadline-while-pulling', attempt, await bench.until(attempt, isOver));
    },
  },
  {
    rows: ['deadline-while-unscheduled'],
    play: async ({ bench }) => {
      const pod = { nodeSelector: { 'ame.dev/none': 'x' } };
      const attempt = await bench.start({ job: { activeDeadlineSeconds: 4 }, pod });
      const gone = await bench.until(
        attempt,
        ({ facts }) => facts.job?.failed?.reason === 'DeadlineExceeded' && facts.pod?.deleting !== false,
      );
      await bench.record('deadline-while-unscheduled', attempt, gone);
    },
  },
];

function label(attempt: string): string {
  return `ame.dev/attempt=${attempt.replace('ame-attempt-', '')}`;
}

/** Gives the node one of something that only pods of ours ask for, so that nobody else is preempted. */
async function slots({ node, undo }: World, name: string): Promise<void> {
  const path = `/status/capacity/${name.replace('/', '~1')}`;
  const patch = (op: object): Promise<string> =>
    kubectl(['patch', 'node', node, '--subresource=status', '--type=json', '-p', JSON.stringify([op])]);
  await patch({ op: 'add', path, value: '1' });
  undo(() => patch({ op: 'remove', path }));
}
