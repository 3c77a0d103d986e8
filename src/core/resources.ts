import type { Resources } from './project.ts';
import { parseQuantity, wholeUnits } from './quantity.ts';

/** What one attempt is given, in plain numbers: the file's word with every gap filled. */
export type AskedResources = {
  /** Thousandths of a core; `limited` where the file asked for them, so that it gets no more either. */
  readonly cpu: { readonly millis: number; readonly limited: boolean };
  /** Bytes. An attempt that runs out of it is tried again with more, up to the ceiling. */
  readonly memory: { readonly bytes: number; readonly ceilingBytes: number };
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
  const { cpu, memory, storage, gpus, vram } = resources;
  const start = memory === null ? defaults.memoryBytes : bytesOf(memory.start);
  const ceiling =
    memory === null || memory.ceiling === null ? defaults.memoryCeilingBytes : bytesOf(memory.ceiling);
  const ceilingBytes = Math.max(start, Math.min(ceiling, defaults.memoryCeilingBytes));
  return {
    cpu:
      cpu === null
        ? { millis: defaults.cpuMillis, limited: false }
        : { millis: millisOf(cpu), limited: true },
    memory: { bytes: Math.min(Math.max(start, learnedBytes ?? 0), ceilingBytes), ceilingBytes },
    storageBytes: storage === null ? defaults.storageBytes : bytesOf(storage),
    gpus: gpus ?? 0,
    vramMib: vram === null ? null : Math.ceil(bytesOf(vram) / 2 ** 20),
  };
}

/** Sizes beyond 2^53 bytes lose their last bits, which no machine would miss. */
function bytesOf(quantity: string): number {
  return Number(wholeUnits(quantity) ?? 0n);
}

function millisOf(quantity: string): number {
  return Math.ceil(Number(parseQuantity(quantity) ?? 0n) / 1e6);
}
