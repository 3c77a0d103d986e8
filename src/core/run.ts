import type { Observation } from './attempt.ts';
import { classify } from './outcome.ts';
import { outcomes, type Classification, type OutcomeClass } from './outcome/classes.ts';

export const runStates = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'skipped'] as const;
export type RunState = (typeof runStates)[number];

export const attemptStates = ['waiting', ...runStates] as const;
export type AttemptState = (typeof attemptStates)[number];

/** Of runs and attempts alike: they absorb everything. */
export const finalStates = ['succeeded', 'failed', 'cancelled', 'skipped'] as const;
export type FinalState = (typeof finalStates)[number];

export function isFinal(state: AttemptState): state is FinalState {
  return finalStates.some((final) => final === state);
}

/** Why an attempt was asked to end before it would have by itself. `deadline` is that of a pipeline around it. */
export const stopReasons = ['cancel', 'superseded', 'timeout', 'queue_timeout', 'deadline'] as const;
export type StopReason = (typeof stopReasons)[number];

/** What the state machine reads and writes of an attempt; rows of the database carry more. */
export type Attempt = {
  readonly state: AttemptState;
  readonly class: OutcomeClass | null;
  readonly reason: string | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly queuedAt: Date | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly stopReason: StopReason | null;
};

/**
 * The attempt as it is, now that this was seen of it. Total: any observation may meet any state. States only
 * move forward, final ones stay, and what nobody can see any more is lost unless it was asked to end.
 */
export function advance<T extends Attempt>(attempt: T, observation: Observation, now: Date): T {
  if (isFinal(attempt.state)) return attempt;
  if (observation.kind === 'absent') {
    // Nothing has been started yet, so there is nothing to see.
    if (attempt.state === 'waiting' && attempt.stopReason === null) return attempt;
    return end(attempt, classify(null, attempt.stopReason), now);
  }
  if (observation.kind === 'pending') {
    return attempt.state === 'waiting' ? { ...attempt, state: 'queued', queuedAt: now } : attempt;
  }
  if (observation.kind === 'running') return begin(attempt, observation.startedAt, now);
  if (observation.kind === 'over') {
    return end(attempt, classify(null, attempt.stopReason, observation.ending), now);
  }
  const { report, word } = observation;
  const { startedAt } = report.phases;
  const begun = startedAt === null ? attempt : begin(attempt, startedAt, now);
  return end(begun, classify(report, attempt.stopReason, word), now);
}

function begin<T extends Attempt>(attempt: T, startedAt: Date, now: Date): T {
  if (attempt.state === 'running') return attempt;
  return {
    ...attempt,
    state: 'running',
    queuedAt: attempt.queuedAt ?? now,
    // The other machine's clock may be ahead of ours, and nothing takes less than no time.
    startedAt: attempt.startedAt ?? (startedAt > now ? now : startedAt),
  };
}

function end<T extends Attempt>(attempt: T, ending: Classification, now: Date): T {
  return { ...attempt, ...ending, state: outcomes[ending.class].state, finishedAt: now };
}

/** Ends an attempt that never started: skipped by its condition, or cancelled with its run. Final ones stay. */
export function settle<T extends Attempt>(attempt: T, name: OutcomeClass, reason: string, now: Date): T {
  if (isFinal(attempt.state)) return attempt;
  return end(attempt, { class: name, reason, exitCode: null, signal: null }, now);
}

/**
 * The state of a run from the latest states of all its tasks; a failed task that is tried again counts as
 * `waiting`. A run that was seen running does not go back to `queued`, and final runs stay as they are.
 */
export function runState(
  tasks: Iterable<AttemptState>,
  cancelRequested: boolean,
  before: RunState = 'queued',
): RunState {
  if (isFinal(before)) return before;
  const states = new Set(tasks);
  const unfinished = (['waiting', 'queued', 'running'] as const).some((state) => states.has(state));
  if (unfinished) {
    const begun =
      before === 'running' || states.has('running') || finalStates.some((state) => states.has(state));
    return begun ? 'running' : 'queued';
  }
  if (states.has('failed')) return 'failed';
  if (states.has('cancelled')) return 'cancelled';
  if (states.has('succeeded')) return 'succeeded';
  return cancelRequested ? 'cancelled' : 'skipped';
}
