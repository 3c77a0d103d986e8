import type { AttemptOrder } from '../../core/attempt.ts';

/** Who runs now and who waits: so many attempts at once, each GPU for one of them. */
export type Slots = {
  wait(order: AttemptOrder): void;
  /** The next attempt that may run, with its GPUs; `null` while there is none. */
  take(): { readonly order: AttemptOrder; readonly gpus: readonly string[] } | null;
  /** Gives back what an attempt was given; one that was given nothing is ignored. */
  free(attempt: number): void;
  waits(attempt: number): boolean;
  /** Stops waiting; answers with whether it did wait. */
  leave(attempt: number): boolean;
  /** Sends all that wait away, and answers with who they were. */
  clear(): readonly number[];
};

export function createSlots({
  slots,
  gpus,
}: {
  readonly slots: number;
  readonly gpus: readonly string[];
}): Slots {
  let waiting: readonly AttemptOrder[] = [];
  const given = new Map<number, readonly string[]>();

  function take(): ReturnType<Slots['take']> {
    if (given.size >= slots) return null;
    const taken = new Set([...given.values()].flat());
    const free = gpus.filter((gpu) => !taken.has(gpu));
    let reserved = false;
    for (const order of waiting) {
      const wanted = Math.min(order.resources.gpus ?? 0, gpus.length);
      // Those that need no GPU pass by one that waits for it; those that need one stay behind it, or it would starve.
      if (wanted > 0 && (reserved || wanted > free.length)) {
        reserved = true;
        continue;
      }
      const own = free.slice(0, wanted);
      given.set(order.id, own);
      leave(order.id);
      return { order, gpus: own };
    }
    return null;
  }

  function leave(attempt: number): boolean {
    const before = waiting.length;
    waiting = waiting.filter((order) => order.id !== attempt);
    return waiting.length < before;
  }

  return {
    wait(order) {
      waiting = [...waiting, order].sort((a, b) => a.run.id - b.run.id || a.id - b.id);
    },
    take,
    waits: (attempt) => waiting.some((order) => order.id === attempt),
    free: (attempt) => void given.delete(attempt),
    leave,
    clear() {
      const ids = waiting.map((order) => order.id);
      waiting = [];
      return ids;
    },
  };
}
