import { Exec, type V1Pod } from '@kubernetes/client-node';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { text } from '../journeys/text.ts';
import { clusterEnv, startClusterAme } from './ame-on-cluster.ts';
import { lacks, openCluster, type Cluster } from './cluster.ts';
import { createRelay, type Relay } from './relay.ts';
import { openRelayedStore } from './relayed-store.ts';
import { readSettings } from './settings.ts';

const { agentHost, heavy } = readSettings();
const mebibyte = 2 ** 20;

const isLarge = !lacks(heavy, 'a gigabyte and 100,000 files from node to node', 'AME_TEST_HEAVY');
const size = isLarge ? { mebibytes: 1_024, files: 100_000 } : { mebibytes: 50, files: 1_000 };
/** Through AME's door, and through a store of its own; one of them is enough for every day. */
const hasStore = !lacks(process.env['AME_TEST_S3'] ?? null, 'state that goes through a store', 'AME_TEST_S3');
const ways = [
  ...(hasStore ? ['through a store'] : []),
  ...(hasStore && !isLarge ? [] : ['through the door']),
];

test.skipIf(lacks(agentHost, 'what state costs between nodes', 'AME_TEST_AGENT_HOST')).each(ways)(
  `${size.mebibytes} MiB and ${size.files} files go %s from node to node, once, in constant memory`,
  { timeout: 1_200_000 },
  async (way) => {
    await using undo = new AsyncDisposableStack();
    const cluster = undo.use(await openCluster());
    const env = await clusterEnv(cluster);
    const door = undo.use(await createRelay({ host: '127.0.0.1', port: Number(env['AME_AGENT_PORT']) }));
    const prefix = `state-${process.pid}`;
    const store = way === 'through a store' ? await openRelayedStore(agentHost ?? '', prefix) : null;
    if (store !== null) undo.use(store);
    const ame = undo.use(
      await startClusterAme(cluster, {
        ...env,
        ...store?.env,
        AME_AGENT_URL: `http://${agentHost}:${door.port}`,
        AME_K8S_AFFINITY: JSON.stringify({ podAntiAffinity: awayFromMark }),
        AME_DEFAULT_STORAGE: '3Gi',
        AME_DEFAULT_MEMORY: '256Mi',
      }),
    );
    const sums = 'sha256sum big; cat files/*/* | sha256sum; find . -type f | wc -l';
    const repository = await ame.repository();
    const { code, text: said } = await repository.push({
      'ame.yaml': text`
        projectname: state
        on: push
        tasks:
          main:
            pipeline:
              make: ["head -c ${String(size.mebibytes * mebibyte)} /dev/urandom > big", python3 make.py ${String(size.files)}, "${sums}"]
              keep: ["${sums}", echo kept > kept]
              touch: ["${sums}", echo touched > files/0/0, touch big]
      `,
      'make.py': text`
        import os, sys
        for n in range(int(sys.argv[1])):
            os.makedirs(f"files/{n // 1000}", exist_ok=True)
            open(f"files/{n // 1000}/{n % 1000}", "w").write(f"the content of file {n}\\n" * 4)
      `,
    });
    expect(code, said).toBe(0);

    const phases: string[] = [];
    const sent: number[] = [];
    const got: number[] = [];
    const peaks: number[] = [];
    const nodes: string[] = [];
    let before = carriedBy(door, store?.relay);
    for (const task of ['make', 'keep', 'touch']) {
      const pod = await runningPod(cluster, nodes.length);
      nodes.push(pod.spec?.nodeName ?? '');
      const peak = watchPeak(cluster, pod);
      // What comes next is to run elsewhere: this mark keeps it away from here.
      await mark(cluster, pod.spec?.nodeName ?? '', nodes.length);
      await ame.watch(async () => {
        const run = (await ame.read.runs(repository)).at(-1);
        if (run?.state === 'failed') throw new Error(run.reason ?? run.class ?? 'failed');
        return run && (await ame.read.attempt(run, task)).state === 'succeeded' ? true : undefined;
      });
      const now = carriedBy(door, store?.relay);
      const [up, down] = [now.up - before.up, now.down - before.down];
      before = now;
      sent.push(up);
      got.push(down);
      peaks.push(await peak);
      phases.push(
        `${task} on ${nodes.at(-1)}: ${mib(up)} sent, ${mib(down)} got, agent at most ${peaks.at(-1)} MiB`,
      );
    }
    console.log(`${size.mebibytes} MiB and ${size.files} files ${way}\n  ${phases.join('\n  ')}`);
    const run = await ame.ended(repository);
    const made = await ame.read.log(run, 'make');
    expect(await ame.read.log(run, 'keep')).toBe(made);
    expect(nodes[1]).not.toBe(nodes[0]);

    const whole = size.mebibytes * mebibyte;
    const names = size.files * 200;
    expect(sent[0]).toBeGreaterThan(whole);
    expect(sent[0]).toBeLessThan(whole * 1.05 + size.files * 2_500 + mebibyte);
    expect(got[1]).toBeGreaterThan(whole);
    // What is there already stays there: questions about it travel, and what changed.
    for (const up of sent.slice(1)) expect(up).toBeLessThan(whole * 0.02 + names + mebibyte);
    for (const peak of peaks) expect(peak).toBeLessThan(400);
  },
);

const awayFromMark = {
  requiredDuringSchedulingIgnoredDuringExecution: [
    { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { 'ame.test/mark': 'here' } } },
  ],
};

/** A pod that keeps AME's away from a node; the one before it goes, so that there is always a node left. */
async function mark({ core, namespace, settings }: Cluster, nodeName: string, count: number): Promise<void> {
  if (count > 1)
    await core.deleteNamespacedPod({ namespace, name: `mark-${count - 1}`, gracePeriodSeconds: 0 });
  await core.createNamespacedPod({
    namespace,
    body: {
      metadata: { name: `mark-${count}`, labels: { 'ame.test/mark': 'here' } },
      spec: {
        nodeName,
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 1000,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            name: 'mark',
            image: settings.smallImage,
            command: ['sleep', '10000'],
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
      },
    },
  });
}

/** The pod of an attempt after so many others, once its agent runs. */
async function runningPod(cluster: Cluster, after: number): Promise<V1Pod> {
  return cluster.pods((pods) => {
    const own = pods
      .filter(({ metadata }) => metadata?.labels?.['app.kubernetes.io/managed-by'] === 'ame')
      .toSorted((a, b) => attemptNumber(a) - attemptNumber(b));
    const last = own.at(-1);
    if (last === undefined || attemptNumber(last) <= after) return undefined;
    return last.status?.initContainerStatuses?.[0]?.state?.running ? last : undefined;
  });
}

/** Tasks of one run are numbered in their order in an empty database. */
function attemptNumber({ metadata }: V1Pod): number {
  return Number(metadata?.labels?.['ame.dev/attempt']);
}

/** The most memory that the agent's process held, MiB, up to the last second that it lived. */
async function watchPeak({ config, namespace }: Cluster, pod: V1Pod): Promise<number> {
  const out = new PassThrough();
  let said = '';
  out.setEncoding('utf8').on('data', (part: string) => (said += part));
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const command = ['sh', '-c', 'while grep VmHWM /proc/1/status; do sleep 1; done'];
  const socket = await new Exec(config).exec(
    namespace,
    pod.metadata?.name ?? '',
    'agent',
    command,
    out,
    new PassThrough().resume(),
    null,
    false,
    () => resolve(),
  );
  socket.addEventListener('close', () => resolve());
  await closed;
  const kibibytes = [...said.matchAll(/(\d+) kB/g)].map(([, count]) => Number(count));
  return Math.round(Math.max(0, ...kibibytes) / 1_024);
}

function carriedBy(...relays: readonly (Relay | undefined)[]): {
  readonly up: number;
  readonly down: number;
} {
  const all = relays.map((relay) => relay?.carried() ?? { up: 0, down: 0 });
  return {
    up: all.reduce((sum, { up }) => sum + up, 0),
    down: all.reduce((sum, { down }) => sum + down, 0),
  };
}

function mib(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}
