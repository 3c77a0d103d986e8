import type { AttemptJob } from './attempt-job.ts';
import { kubectl } from './bench.ts';
import { at } from './one-row.ts';
import { unscheduled, type Beside, type Scenario } from './world.ts';

const gpu = 'nvidia.com/gpu';

/** Attempts that wait for a node, or for somebody who makes their pod. */
export const neverPlaced: readonly Scenario[] = [
  unplaced('unschedulable-cpu', { requests: { cpu: '500' } }, { asked: { cpu: 500_000 } }),
  unplaced('unschedulable-memory', { memory: '40Ti' }, { asked: { memory: 40 * 2 ** 40 } }),
  unplaced(
    'unschedulable-storage',
    { requests: { 'ephemeral-storage': '900Ti' }, limits: { 'ephemeral-storage': '900Ti' } },
    { asked: { storage: 900 * 2 ** 40 } },
  ),
  unplaced(
    'unschedulable-gpu',
    { requests: { [gpu]: '64' }, limits: { [gpu]: '64' } },
    { asked: { gpus: 64 } },
  ),
  unplaced(
    'unschedulable-vram',
    { requests: { [gpu]: '1' }, limits: { [gpu]: '1' }, pod: { affinity: vram(81_919) } },
    { asked: { gpus: 1, vram: 81_920 } },
  ),
  unplaced('unschedulable-selector', { pod: { nodeSelector: { 'ame.dev/none': 'x' } } }),
  {
    rows: ['unschedulable-taint'],
    play: async ({ bench, undo }) => {
      const node = `${bench.namespace}-closed`;
      const spec = { taints: [{ key: 'ame.dev/closed', effect: 'NoSchedule' }] };
      const metadata = { name: node, labels: { 'ame.dev/only': 'closed' } };
      await kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'Node', metadata, spec });
      undo(() => kubectl(['delete', 'node', node, '--ignore-not-found']));
      const attempt = await bench.start({ pod: { nodeSelector: { 'ame.dev/only': 'closed' } } });
      await bench.record('unschedulable-taint', attempt, await bench.until(attempt, unscheduled));
    },
  },
  at('not-placed-yet', { pod: { schedulerName: 'nobody' } }, ({ facts }) => facts.pod !== null),
  at(
    'gated',
    { pod: { schedulingGates: [{ name: 'ame.dev/gate' }] } },
    ({ facts }) => (facts.pod?.unscheduled ?? null) !== null,
  ),
  at('suspended', { job: { suspend: true } }, ({ facts }) => facts.job !== null),
  at('no-pod-yet', { job: { managedBy: 'ame.dev/nobody' } }, ({ facts }) => facts.job !== null),
];

type Asks = {
  readonly cpu?: number;
  readonly memory?: number;
  readonly storage?: number;
  readonly gpus?: number;
  readonly vram?: number;
};

function unplaced(row: string, spec: AttemptJob, { asked = {} }: { readonly asked?: Asks } = {}): Scenario {
  const beside: Beside = {
    circumstances: {
      asked: {
        cpu: { millis: asked.cpu ?? 1000, limited: false },
        memory: { bytes: asked.memory ?? 2 ** 31, ceilingBytes: 2 ** 34 },
        storageBytes: asked.storage ?? 10 * 2 ** 30,
        gpus: asked.gpus ?? 0,
        vramMib: asked.vram ?? null,
      },
    },
  };
  return {
    rows: [row],
    play: async ({ bench }) => {
      const attempt = await bench.start(spec);
      await bench.record(row, attempt, await bench.until(attempt, unscheduled), beside);
    },
  };
}

function vram(moreThanMib: number): object {
  const matchExpressions = [{ key: 'nvidia.com/gpu.memory', operator: 'Gt', values: [String(moreThanMib)] }];
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
    },
  };
}
