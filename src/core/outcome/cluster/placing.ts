import type { AskedResources } from '../../resources.ts';
import type { ClusterFacts, ClusterRoom } from '../cluster-facts.ts';
import { ageSeconds, isOver } from './phase.ts';
import type { ClusterCircumstances, ClusterRule } from './rule.ts';
import { cores, minutes, quoted, size } from './words.ts';

/** Which node it is to run on, and why on none. */
export const placingRules: readonly ClusterRule[] = [
  {
    id: 'gated',
    says: 'waits',
    class: null,
    shows: 'pod Pending, `PodScheduled` False, `SchedulingGated`',
    message: ({ pod }) =>
      pod?.unscheduled?.reason === 'SchedulingGated'
        ? 'A queue of the cluster holds it back (its pod has scheduling gates).'
        : null,
  },
  {
    id: 'unschedulable',
    says: 'over',
    class: 'unschedulable',
    shows:
      'pod Pending, `PodScheduled` False, `Unschedulable`, no node could hold it even if it were empty, for AME_K8S_UNSCHEDULABLE_AFTER seconds',
    message: (facts, known) => {
      const words = unplaced(facts);
      const age = ageSeconds(facts, known);
      return words === null || known.room === null || known.room.fits || age < known.unschedulableAfterSeconds
        ? null
        : `${tooLarge(known.asked, known.room)} No node that can came within ${minutes(age)}.`;
    },
  },
  {
    id: 'no-node-fits',
    says: 'waits',
    class: null,
    shows: 'the same, before that: an autoscaler may bring a larger node',
    message: (facts, known) => {
      const words = unplaced(facts);
      return words === null || known.room === null || known.room.fits
        ? null
        : `${tooLarge(known.asked, known.room)} It ends as unschedulable after ${minutes(known.unschedulableAfterSeconds)} unless one that can comes.`;
    },
  },
  {
    id: 'no-room-now',
    says: 'waits',
    class: null,
    shows: 'pod Pending, `PodScheduled` False, where some node could hold it, or AME may not look at nodes',
    message: (facts, known) => {
      const words = unplaced(facts);
      if (words === null) return null;
      const sentence =
        known.room === null ? asksFor(known) : 'Every node that could hold it is busy or closed';
      return `${sentence}. The scheduler says: ${quoted(schedulerWords(words))}`;
    },
  },
  {
    id: 'not-placed-yet',
    says: 'waits',
    class: null,
    shows: 'pod Pending without a node, and the scheduler has said nothing',
    message: ({ pod }) =>
      pod !== null && pod.node === null && !isOver(pod)
        ? 'It waits for the scheduler to choose a node.'
        : null,
  },
];

function unplaced({ pod }: ClusterFacts): string | null {
  if (pod === null || pod.unscheduled === null || pod.node !== null || isOver(pod)) return null;
  return pod.unscheduled.message || pod.unscheduled.reason;
}

/** What other pods it would have to push aside helps nobody who waits. */
function schedulerWords(words: string): string {
  return words.replace(/\.? ?(?:no new claims to deallocate|preemption: ).*$/u, '');
}

function asksFor({ asked }: ClusterCircumstances): string {
  return `No node takes it yet. It asks for ${asks(asked)}`;
}

type Want = { readonly words: string; readonly want: number; readonly have: number; readonly had: string };

type Largest = NonNullable<ClusterRoom>['largest'];

function wants(asked: AskedResources, largest: Largest): readonly Want[] {
  const { cpu, memory, storageBytes, gpus, vramMib } = asked;
  const all = [
    want(cores(cpu.millis), cpu.millis, largest.cpuMillis, cores),
    want(`${size(memory.bytes)} of memory`, memory.bytes, largest.memoryBytes, size),
    want(`${size(storageBytes)} of storage`, storageBytes, largest.storageBytes, size),
  ];
  if (gpus > 0) all.push(want(gpuWord(gpus, null), gpus, largest.gpus, (count) => String(count)));
  if (vramMib !== null) all.push(want(gpuWord(gpus, vramMib), vramMib, largest.vramMib ?? 0, mebibytes));
  return all;
}

function want(words: string, asked: number, have: number, word: (amount: number) => string): Want {
  return { words, want: asked, have, had: have === 0 ? 'none' : word(have) };
}

function asks({ cpu, memory, storageBytes, gpus, vramMib }: AskedResources): string {
  const plain = [cores(cpu.millis), `${size(memory.bytes)} of memory`, `${size(storageBytes)} of storage`];
  return listed(gpus > 0 || vramMib !== null ? [...plain, gpuWord(gpus, vramMib)] : plain);
}

/** 4 GPUs with 80 GiB each. */
function gpuWord(gpus: number, vramMib: number | null): string {
  const plain = gpus > 1 ? `${gpus} GPUs` : '1 GPU';
  return vramMib === null ? plain : `${plain} with ${mebibytes(vramMib)}${gpus > 1 ? ' each' : ''}`;
}

function mebibytes(mib: number): string {
  return size(mib * 2 ** 20);
}

/** What is asked for, and the most that a node has of what is too much. */
function tooLarge(asked: AskedResources, room: NonNullable<ClusterRoom>): string {
  if (room.nodes === 0) return 'The cluster has no node that takes the pods of tasks.';
  const short = wants(asked, room.largest).filter(({ want, have }) => want > have);
  if (short.length === 0) {
    return `No node can hold it: it asks for ${asks(asked)}, and none that lets it in has all of that at once.`;
  }
  const parts = short.map(({ words, had }) => `it asks for ${words}, and the largest has ${had}`);
  return `No node can hold it: ${listed(parts)}.`;
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}
