import { outcomes } from '../outcome.ts';
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

/** Worst first: a failure explains more than what was skipped because of it. */
const causes = [
  [failed, 'failed', 'failed'],
  [cancelled, 'cancelled', 'was cancelled'],
  [skipped, 'skipped', 'was skipped'],
] as const;

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
  const folds = new Map<string, ReadonlyMap<string, number>>();
  const settled = new Map<string, AttemptState>();
  const stateOf = (task: string) => settled.get(task) ?? states.get(task) ?? 'waiting';
  const fold = (task: string, scope: string) => folds.get(task)?.get(scope) ?? 0;

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
      for (const need of task.needs) flags |= fold(need, scope);
      return [scope, flags] as const;
    });
    folds.set(task.name, new Map(scopes));
  }
  return { start, settle };
}

/** All gates must open; the first one that can never open skips the task. */
function decide(
  task: PlannedTask,
  fold: (task: string, scope: string) => number,
  stateOf: (task: string) => AttemptState,
): 'start' | 'wait' | { readonly reason: string } {
  let open = true;
  for (const gate of task.gates) {
    let flags = 0;
    for (const need of gate.needs) flags |= fold(need, gate.scope);
    if (gate.if === 'success' && (flags & notDone) !== 0) return { reason: skipReason(gate, fold, stateOf) };
    if ((flags & unfinished) !== 0) open = false;
    else if (gate.if === 'failure' && (flags & failed) === 0) {
      return { reason: 'Its `if: failure` asks for an ancestor that failed, and none did.' };
    }
  }
  return open ? 'start' : 'wait';
}

/** Names the predecessor through which it came; whether that itself is to blame, its own state says. */
function skipReason(
  gate: Gate,
  fold: (task: string, scope: string) => number,
  stateOf: (task: string) => AttemptState,
): string {
  for (const [flag, state, what] of causes) {
    const need = gate.needs.find((name) => (fold(name, gate.scope) & flag) !== 0);
    if (need === undefined) continue;
    return stateOf(need) === state ? `${shown(need)} ${what}.` : `Something before ${shown(need)} ${what}.`;
  }
  return outcomes.skipped.message;
}
