export type Several = {
  /** Begins a job once there is room for it; throws what an earlier one threw. */
  begin(job: () => Promise<void>): Promise<void>;
  /** Resolves once all that began have ended; throws what one of them threw. */
  end(): Promise<void>;
};

/** Jobs that come one after the other and are done several at a time. */
export function severalAtOnce(most: number): Several {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];

  function check(): void {
    if (failures.length > 0) throw failures[0];
  }

  return {
    async begin(job) {
      while (running.size >= most) await Promise.race(running);
      check();
      const mine = job()
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(mine));
      running.add(mine);
    },
    async end() {
      await Promise.all(running);
      check();
    },
  };
}
