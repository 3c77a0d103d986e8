import type { Resources } from './project.ts';
import { parseQuantity, showSize, wholeUnits } from './quantity.ts';

/** What one attempt is given, in plain numbers: the file's word with every gap filled. */
export type AskedResources = {
  /** Thousandths of a core; `limited` where the file asked for them, so that it gets no more either. */
  readonly cpu: { readonly millis: number; readonly limited: boolean };
  /**
   * Bytes. An attempt that runs out of it is tried again with more, up to the ceiling. It may be more than the file's
   * start: an earlier run `learned` that, or an earlier attempt of this run had `over` and it was not enough.
   */
  readonly memory: {
    readonly bytes: number;
    readonly ceilingBytes: number;
    readonly learned?: true;
    readonly over?: number;
  };
  /** What the task may write; what it inherits comes on top. */
  readonly storageBytes: number;
  readonly gpus: number;
  /** For each GPU, MiB. */
  readonly vramMib: number | null;
};

/** What the administrator gives where the file says nothing, and the most that memory may climb to. */
export type ResourceDefaults = {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly memoryCeilingBytes: number;
  readonly storageBytes: number;
};

/**
 * Fills the gaps of what a file asks for. `learnedBytes` is the memory that earlier attempts of the task came to need:
 * it counts where it is more than the file's start, up to the ceiling. The quantities must have passed the file's check.
 */
export function resolveResources(
  resources: Resources,
  defaults: ResourceDefaults,
  learnedBytes: number | null,
): AskedResources {
  const { cpu, storage, gpus, vram } = resources;
  return {
    cpu:
      cpu === null
        ? { millis: defaults.cpuMillis, limited: false }
        : { millis: millisOf(cpu), limited: true },
    memory: resolveMemory(resources.memory, defaults, learnedBytes ?? 0),
    storageBytes: storage === null ? defaults.storageBytes : bytesOf(storage),
    gpus: gpus ?? 0,
    vramMib: vram === null ? null : Math.ceil(bytesOf(vram) / 2 ** 20),
  };
}

function resolveMemory(
  memory: Resources['memory'],
  defaults: ResourceDefaults,
  learnedBytes: number,
): AskedResources['memory'] {
  const start = memory === null ? defaults.memoryBytes : bytesOf(memory.start);
  const ceiling =
    memory === null || memory.ceiling === null ? defaults.memoryCeilingBytes : bytesOf(memory.ceiling);
  const ceilingBytes = Math.max(start, Math.min(ceiling, defaults.memoryCeilingBytes));
  const bytes = Math.min(Math.max(start, learnedBytes), ceilingBytes);
  return { bytes, ceilingBytes, ...(bytes > start && { learned: true as const }) };
}

/** Why a file's memory is refused before anything starts; `null` where it is not: its start is beyond the ceiling. */
export function memoryRefusal(resources: Resources, defaults: ResourceDefaults): string | null {
  const start = resources.memory?.start;
  if (start === undefined || bytesOf(start) <= defaults.memoryCeilingBytes) return null;
  const most = showSize(defaults.memoryCeilingBytes);
  return `It asks for ${start} of memory, and this AME gives a task ${most} at most (AME_MEMORY_CEILING). Ask for less in \`resources.memory\`, or have the administrator raise that.`;
}

/** The memory that a file asks for as it writes it, such as `2Gi..8Gi`; '' where it says nothing. */
export function memoryText({ memory }: Pick<Resources, 'memory'>): string {
  if (memory === null) return '';
  return memory.ceiling === null ? memory.start : `${memory.start}..${memory.ceiling}`;
}

/** Sizes beyond 2^53 bytes lose their last bits, which no machine would miss. */
function bytesOf(quantity: string): number {
  return Number(wholeUnits(quantity) ?? 0n);
}

function millisOf(quantity: string): number {
  return Math.ceil(Number(parseQuantity(quantity) ?? 0n) / 1e6);
}
