import type { AttemptOrder, AttemptReport, Observation } from '../../src/core/attempt.ts';
import type { Executor } from '../../src/executor/executor.ts';

/** An executor in whose place a test says what is to be seen. */
export type Scripted = {
  readonly executor: Executor;
  /** Every start that was new, in order. */
  readonly orders: readonly AttemptOrder[];
  /** Every attempt that was asked to end, as often as that. */
  readonly stopped: readonly number[];
  /** What is true of an attempt from now on. */
  show(attempt: number, observation: Observation): void;
  /** Done once while the next look goes on. */
  during(look: () => Promise<unknown>): void;
};

export function createScriptedExecutor(): Scripted {
  const orders: AttemptOrder[] = [];
  const stopped: number[] = [];
  const seen = new Map<number, Observation>();
  const wakes: ((attempt: number) => void)[] = [];
  let onLook: (() => Promise<unknown>) | null = null;
  return {
    orders,
    stopped,
    show(attempt, observation) {
      seen.set(attempt, observation);
      for (const wake of wakes) wake(attempt);
    },
    during: (look) => void (onLook = look),
    executor: {
      name: 'kubernetes',
      async start(order) {
        if (seen.has(order.id)) return;
        orders.push(order);
        seen.set(order.id, { kind: 'pending' });
      },
      async observe(attempts) {
        const look = onLook;
        onLook = null;
        await look?.();
        return new Map(attempts.map(({ id }) => [id, seen.get(id) ?? { kind: 'absent' }]));
      },
      async stop(attempt) {
        stopped.push(attempt);
        seen.delete(attempt);
      },
      watch: (wake) => void wakes.push(wake),
      close: async () => {},
    },
  };
}

/** The word of an agent whose command ended with this exit code after a second. */
export function reportOf(exitCode: number, at: Date, given: Partial<AttemptReport> = {}): AttemptReport {
  const before = (seconds: number): Date => new Date(at.getTime() - seconds * 1_000);
  return {
    ending: { exitCode, signal: null },
    fault: null,
    phases: { preparedFrom: before(3), startedAt: before(2), endedAt: before(1), storedAt: at },
    output: null,
    artifacts: [],
    notices: [],
    peakMemoryBytes: null,
    ...given,
  };
}
