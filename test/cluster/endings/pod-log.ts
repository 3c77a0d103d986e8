import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PodContainer, PodLogAnswer } from '../../../src/core/outcome/last-words.ts';
import { connectCluster } from '../../../src/executor/kubernetes/client.ts';
import { readPodLog } from '../../../src/executor/kubernetes/pod-log.ts';
import { kubectl, type Bench, type Moment } from './bench.ts';
import { onOwnNode } from './node-away.ts';
import { isOver, taskRuns, waitsFor, type Scenario } from './world.ts';

const mostMs = 3_000;
const says = 'echo "the agent cannot go on"; trap "exit 1" TERM; while :; do sleep 1 & wait $!; done';

/** What AME is told when it asks for the log of a pod that ended, or did not, without a report. */
export const podLog: readonly Scenario[] = [
  {
    rows: ['pod-log', 'pod-log-forbidden', 'pod-log-gone'],
    play: async ({ bench, undo }) => {
      const attempt = await bench.start({
        silent: true,
        agent: says,
        task: 'echo "ame: not-alone: the entry is not process 1" >&2; exit 255',
      });
      const over = await bench.until(attempt, isOver);
      await bench.record('pod-log', attempt, over, { log: await answers(bench, over) });
      const stranger = await strangerOf(bench, undo);
      await bench.record('pod-log-forbidden', attempt, over, { log: await answers(bench, over, stranger) });
      await bench.kubectl(['delete', 'pod', nameOf(over)]);
      await bench.record('pod-log-gone', attempt, over, { log: await answers(bench, over) });
    },
  },
  {
    rows: ['pod-log-none'],
    play: async ({ bench }) => {
      const attempt = await bench.start({ image: `${bench.namespace}.invalid/none:1` });
      const waits = await bench.until(attempt, waitsFor('ErrImagePull', 'ImagePullBackOff'));
      await bench.record('pod-log-none', attempt, waits, {
        log: await answers(bench, waits, undefined, ['task']),
      });
    },
  },
  {
    rows: ['pod-log-node-gone'],
    play: async (world) => {
      await onOwnNode(world, 'unnamed', async (node, attempt) => {
        const seen = await world.bench.until(attempt, ({ facts }) => facts.pod?.node === node);
        await world.bench.record('pod-log-node-gone', attempt, seen, {
          log: await answers(world.bench, seen, undefined, ['task']),
        });
      });
    },
  },
  {
    rows: ['pod-log-node-away'],
    play: async (world) => {
      await onOwnNode(world, 'deaf', async (node, attempt) => {
        // An address at which nobody listens.
        const status = {
          addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
          daemonEndpoints: { kubeletEndpoint: { Port: 1 } },
        };
        await kubectl(['patch', 'node', node, '--subresource=status', '-p', JSON.stringify({ status })]);
        const seen = await world.bench.until(attempt, ({ facts }) => facts.pod?.node === node);
        await world.bench.record('pod-log-node-away', attempt, seen, {
          log: await answers(world.bench, seen, undefined, ['task']),
        });
      });
    },
  },
  {
    rows: ['pod-log-late'],
    play: async ({ bench, node, freeze, skip }) => {
      if (freeze === null)
        return skip('pod-log-late', 'set AME_TEST_FREEZE_NODE to a command that stops a kubelet');
      const attempt = await bench.start({ pod: { nodeSelector: { 'kubernetes.io/hostname': node } } });
      const runs = await bench.until(attempt, taskRuns);
      await freeze('freeze');
      try {
        await bench.record('pod-log-late', attempt, runs, { log: await answers(bench, runs) });
      } finally {
        await freeze('thaw');
      }
    },
  },
];

function nameOf({ pods }: Moment): string {
  return pods[0]?.metadata?.name ?? '';
}

/** As AME asks, with the rights of `kubeconfig`, else those of the administrator. */
async function answers(
  { namespace }: Bench,
  moment: Moment,
  kubeconfig = process.env['KUBECONFIG'],
  containers: readonly PodContainer[] = ['agent', 'task'],
): Promise<readonly PodLogAnswer[]> {
  const cluster = await connectCluster({ kubeconfig: kubeconfig ?? null, namespace });
  try {
    return await Promise.all(
      containers.map(async (container) => {
        const log = await readPodLog(cluster, nameOf(moment), container, AbortSignal.timeout(mostMs));
        return 'bytes' in log ? { container, text: Buffer.from(log.bytes).toString('utf8') } : log;
      }),
    );
  } finally {
    cluster.close();
  }
}

/** A kubeconfig of somebody who may do nothing. */
async function strangerOf(bench: Bench, undo: (action: () => Promise<unknown>) => void): Promise<string> {
  await bench.kubectl(['create', 'serviceaccount', 'stranger']);
  const token = (await bench.kubectl(['create', 'token', 'stranger'])).trim();
  const own: object = JSON.parse(await kubectl(['config', 'view', '--raw', '--minify', '-o', 'json']));
  const users = 'users' in own && Array.isArray(own.users) ? (own.users as { readonly name: string }[]) : [];
  const directory = await mkdtemp(join(tmpdir(), 'ame-stranger-'));
  undo(() => rm(directory, { recursive: true }));
  const path = join(directory, 'config');
  const changed = { ...own, users: users.map(({ name }) => ({ name, user: { token } })) };
  await writeFile(path, JSON.stringify(changed), { mode: 0o600 });
  return path;
}
