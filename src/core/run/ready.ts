import { outcomes } from '../outcome/classes.ts';
import type { Gate, Plan, PlannedTask } from '../plan.ts';
import type { AttemptState } from '../run.ts';
import { isFinal } from '../run.ts';
import { shown } from '../problems/wording.ts';

/** A task that will not run, and how its attempt ends. */
export type Settled = {
  readonly task: string;
  readonly class: 'skipped' | 'cancelled';
  readonly reason: string;
};

export type Readiness = {
  /** May start now, in the order of the plan. */
  readonly start: readonly string[];
  /** End now without having run, in the order of the plan. */
  readonly settle: readonly Settled[];
};

/** What is known of a task and all its ancestors within one scope: bits, so that a fold is one `|`. */
const unfinished = 1;
const failed = 2;
const cancelled = 4;
const skipped = 8;
const notDone = failed | cancelled | skipped;

/** `cause` is the one that explains most: a failure more than a cancel, that more than what was skipped for them. */
type Fold = { readonly flags: number; readonly cause: Cause | null };
type Cause = { readonly task: string; readonly flag: number };

/** Worst first. */
const ends = [
  [failed, 'failed'],
  [cancelled, 'was cancelled'],
  [skipped, 'was skipped'],
] as const;

const nothing: Fold = { flags: 0, cause: null };

function flagsOf(state: AttemptState): number {
  if (!isFinal(state)) return unfinished;
  if (state === 'succeeded') return 0;
  return { failed, cancelled, skipped }[state];
}

/** '' and every pipeline that a task stands in, outermost first. */
function scopesOf(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return ['', ...parts.map((_, at) => parts.slice(0, at + 1).join('/'))];
}

/**
 * Which waiting tasks may start, and which never will. `states` holds the latest state of each task; one that
 * is missing is waiting, and a failed one that will be tried again must be given as `waiting` (the pause before
 * it is the caller's). Linear in the needs of the plan, whatever was decided before.
 */
export function readyTasks(
  plan: Plan,
  states: ReadonlyMap<string, AttemptState>,
  cancelRequested = false,
): Readiness {
  const start: string[] = [];
  const settle: Settled[] = [];
  const folds = new Map<string, ReadonlyMap<string, Fold>>();
  const settled = new Map<string, AttemptState>();
  const stateOf = (task: string) => settled.get(task) ?? states.get(task) ?? 'waiting';
  const fold = (task: string, scope: string) => folds.get(task)?.get(scope) ?? nothing;

  for (const task of plan.tasks) {
    let state = states.get(task.name) ?? 'waiting';
    if (state === 'waiting' && cancelRequested) {
      settle.push({
        task: task.name,
        class: 'cancelled',
        reason: 'The run was cancelled before it started.',
      });
      state = 'cancelled';
    } else if (state === 'waiting') {
      const decision = decide(task, fold, stateOf);
      if (decision === 'start') start.push(task.name);
      else if (decision !== 'wait') {
        settle.push({ task: task.name, class: 'skipped', reason: decision.reason });
        state = 'skipped';
      }
    }
    settled.set(task.name, state);
    const own = flagsOf(state);
    const scopes = scopesOf(task.name).map((scope) => {
      let flags = own;
      let cause: Cause | null = (own & notDone) === 0 ? null : { task: task.name, flag: own };
      for (const need of task.needs) {
        const before = fold(need, scope);
        flags |= before.flags;
        if (before.cause !== null && (cause === null || before.cause.flag < cause.flag)) cause = before.cause;
      }
      return [scope, { flags, cause }] as const;
    });
    folds.set(task.name, new Map(scopes));
  }
  return { start, settle };
}

/** All gates must open; the first one that can never open skips the task. */
function decide(
  task: PlannedTask,
  fold: (task: string, scope: string) => Fold,
  stateOf: (task: string) => AttemptState,
): 'start' | 'wait' | { readonly reason: string } {
  let open = true;
  for (const gate of task.gates) {
    let flags = 0;
    for (const need of gate.needs) flags |= fold(need, gate.scope).flags;
    if (gate.if === 'success' && (flags & notDone) !== 0) return { reason: skipReason(gate, fold, stateOf) };
    if ((flags & unfinished) !== 0) open = false;
    else if (gate.if === 'failure' && (flags & failed) === 0) {
      return { reason: 'Its `if: failure` asks for an ancestor that failed, and none did.' };
    }
  }
  return open ? 'start' : 'wait';
}

/**
 * Names the needed task that did not succeed, and what failed before that if it was only skipped. Where all that
 * is needed succeeded, one further up did not, and an `always` between them went on.
 */
function skipReason(
  gate: Gate,
  fold: (task: string, scope: string) => Fold,
  stateOf: (task: string) => AttemptState,
): string {
  const needs = gate.needs.map((name) => ({
    name,
    own: flagsOf(stateOf(name)),
    cause: fold(name, gate.scope).cause,
  }));
  for (const [flag, what] of ends) {
    const direct = needs.filter(({ own }) => own === flag);
    const need = worst(direct);
    if (need === undefined) continue;
    return need.cause === null || need.cause.flag >= flag
      ? `${shown(need.name)} ${what}.`
      : `${shown(need.name)} ${what} after ${shown(need.cause.task)} ${wordOf(need.cause)}.`;
  }
  const through = worst(needs);
  if (through?.cause === null || through === undefined) return outcomes.skipped.message;
  return `${shown(through.cause.task)}, which comes before ${shown(through.name)}, ${wordOf(through.cause)}.`;
}

/** The first of those whose cause explains most. */
function worst<N extends { readonly cause: Cause | null }>(needs: readonly N[]): N | undefined {
  const rank = ({ cause }: N): number => cause?.flag ?? 2 * skipped;
  return needs.toSorted((one, other) => rank(one) - rank(other))[0];
}

function wordOf({ flag }: Cause): string {
  return ends.find(([known]) => known === flag)?.[1] ?? 'ended';
}
