import type { Plan, PlannedTask } from '../plan.ts';
import type { StopReason } from '../run.ts';

/** A moment at which an attempt that has not ended is asked to. */
export type Limit = {
  readonly at: Date;
  readonly reason: Extract<StopReason, 'timeout' | 'queue_timeout' | 'deadline'>;
};

/** When something could run, and when it did. */
export type Since = { readonly readyAt: Date | null; readonly startedAt: Date | null };

/**
 * Every limit on one attempt: its own of running or of waiting, and those of the pipelines around it, which count
 * from the first of their tasks. `scopes` holds that for each scope with a deadline.
 */
export function attemptLimits(
  plan: Pick<Plan, 'deadlines'>,
  task: Pick<PlannedTask, 'name' | 'timeout'>,
  attempt: Since,
  scopes: ReadonlyMap<string, Since>,
): readonly Limit[] {
  const around = plan.deadlines.filter(({ scope }) => scope === '' || task.name.startsWith(`${scope}/`));
  return [
    ...limitsOf(task.timeout, attempt, 'timeout'),
    ...around.flatMap((deadline) => limitsOf(deadline, scopes.get(deadline.scope), 'deadline')),
  ];
}

function limitsOf(
  bound: { readonly run: number | null; readonly queue: number | null },
  since: Since | undefined,
  whileRunning: 'timeout' | 'deadline',
): Limit[] {
  if (since === undefined) return [];
  if (since.startedAt !== null) {
    return bound.run === null ? [] : [{ at: later(since.startedAt, bound.run), reason: whileRunning }];
  }
  if (since.readyAt === null || bound.queue === null) return [];
  return [{ at: later(since.readyAt, bound.queue), reason: 'queue_timeout' }];
}

/** The limit that was reached first, or `null`; a limit is reached at its very moment. */
export function reachedLimit(limits: readonly Limit[], now: Date): Limit | null {
  const reached = limits.filter(({ at }) => at <= now);
  return reached.reduce<Limit | null>(
    (first, limit) => (first === null || limit.at < first.at ? limit : first),
    null,
  );
}

function later(date: Date, seconds: number): Date {
  return new Date(date.getTime() + seconds * 1000);
}
