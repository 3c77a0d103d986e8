import { isOpen } from '../outcome.ts';
import { outcomes, type OutcomeClass } from '../outcome/classes.ts';
import type { Plan } from '../plan.ts';
import { memoryRefusal, resolveResources, type AskedResources, type ResourceDefaults } from '../resources.ts';
import { isFinal, runState, settle, type Attempt, type AttemptState, type RunState } from '../run.ts';
import { attemptLimits, reachedLimit, type Since } from './limits.ts';
import { look, type Given, type Looked } from './look.ts';
import { readyTasks } from './ready.ts';
import { retryDecision } from './retry.ts';

/** An attempt that has ended, as far as it matters to those after it. */
export type EndedAttempt = Attempt & Pick<Given, 'resources'>;

/** An attempt of which something may have changed, with what is known of it. */
export type SeenAttempt = Looked & {
  readonly task: string;
  readonly position: number;
  readonly number: number;
  /** A retry waits until then. */
  readonly notBefore: Date | null;
};

/** What is true of a run. */
export type RunView = {
  readonly plan: Plan;
  readonly state: RunState;
  readonly startedAt: Date | null;
  /** The first failure that was final, once there is one. */
  readonly failure: { readonly class: OutcomeClass; readonly reason: string } | null;
  readonly cancel: 'cancel' | 'superseded' | null;
  /** Another run of its group goes first. */
  readonly held: boolean;
  /** The state of each task's last attempt, in the order of the plan. */
  readonly states: readonly AttemptState[];
  /** Attempts that are queued or running, and those that wait for a pause to pass. */
  readonly active: readonly SeenAttempt[];
  /** Ended attempts of the tasks in `active`, oldest first. */
  readonly earlier: ReadonlyMap<string, readonly EndedAttempt[]>;
  /** When the first task of each pipeline with a time limit became ready, and when it started. */
  readonly scopes: ReadonlyMap<string, Since>;
  /** What the administrator gives where the file says nothing; `null` where the executor gives and keeps nothing. */
  readonly defaults: ResourceDefaults | null;
  /** Bytes of memory that tasks came to need in earlier runs, where the file asks for the same as then. */
  readonly learned: ReadonlyMap<string, number>;
};

export type AttemptStep = {
  readonly task: string;
  readonly position: number;
  readonly number: number;
  readonly from: AttemptState;
  readonly to: Attempt & Given;
  readonly cause: string;
};

export type Retry = {
  readonly task: string;
  readonly position: number;
  readonly number: number;
  readonly notBefore: Date;
  readonly why: string;
  readonly resources: AskedResources | null;
};

/** The next small step of a run. */
export type RunStep = {
  readonly changes: readonly AttemptStep[];
  readonly retries: readonly Retry[];
  /** To be started, whether they were ready before or are now: a start that is repeated starts once. */
  readonly start: readonly { readonly position: number; readonly number: number }[];
  /** To be asked to end. */
  readonly stop: readonly { readonly position: number; readonly number: number }[];
  readonly state: RunState;
  readonly failure: RunView['failure'];
  /** When the clock alone would change something; `null`: never. */
  readonly lookAgainAt: Date | null;
};

/**
 * Compares what should be true of a run with what is, and answers with the next step. Pure; saying it twice
 * changes nothing more. The cost is that of what is active and one fold over the plan.
 */
export function stepRun(view: RunView, now: Date): RunStep {
  const { plan } = view;
  const states = new Map(plan.tasks.map((task, position) => [task.name, view.states[position] ?? 'waiting']));
  const changes: AttemptStep[] = [];
  const retries: Retry[] = [];
  const start: { position: number; number: number }[] = [];
  const stop: { position: number; number: number }[] = [];
  const looks: Date[] = [];
  let failure = view.failure;

  for (const seen of view.active) {
    const task = plan.tasks[seen.position];
    if (task === undefined) throw new Error(`the plan has no task at ${seen.position}`);
    if (seen.state === 'waiting') {
      if (view.cancel === null) looks.push(seen.notBefore ?? now);
      continue;
    }
    const startedAt = seen.startedAt ?? seen.saidStartedAt;
    const limits = attemptLimits(plan, task, { readyAt: seen.readyAt, startedAt }, view.scopes);
    const wished =
      seen.report === null
        ? (view.cancel ?? reachedLimit(limits, now)?.reason ?? null)
        : // What has ended by itself was not stopped, whatever is wished now; what was taken away may have been.
          isOpen(seen.report)
          ? view.cancel
          : null;
    const stopReason = seen.stopReason ?? wished;
    const asked = stopReason === seen.stopReason ? seen : { ...seen, stopReason };
    const { next, againAt } = look(asked, now);
    if (againAt !== null) looks.push(againAt);
    if (next !== seen) changes.push(stepOf(seen, next));
    states.set(task.name, next.state);
    if (!isFinal(next.state)) {
      looks.push(...limits.filter(({ at }) => at > now).map(({ at }) => at));
      const named = { position: seen.position, number: seen.number };
      if (stopReason !== null) stop.push(named);
      else if (next.state === 'queued' && seen.observation.kind === 'absent') start.push(named);
    } else if (next.state === 'failed') {
      const decision = retryDecision(task, [...(view.earlier.get(task.name) ?? []), next], now);
      if (decision.retry && view.cancel === null) {
        const { task: name, position } = seen;
        retries.push({
          task: name,
          position,
          number: seen.number + 1,
          notBefore: decision.at,
          why: decision.why,
          resources: decision.resources,
        });
        states.set(task.name, 'waiting');
        looks.push(decision.at);
      } else {
        failure ??= { class: next.class ?? 'lost', reason: `${task.name}: ${next.reason ?? ''}` };
      }
    }
  }

  const paused = new Map(
    view.active.filter(({ state }) => state === 'waiting').map((seen) => [seen.task, seen]),
  );
  const decided = new Set(retries.map(({ task }) => task));
  const positions = new Map(plan.tasks.map((task, position) => [task.name, position]));
  const fresh = (task: string): SeenAttempt | FreshAttempt =>
    paused.get(task) ?? { ...freshAttempt, task, position: positions.get(task) ?? 0 };
  const ready = readyTasks(plan, states, view.cancel !== null);
  for (const settled of ready.settle) {
    const attempt = fresh(settled.task);
    const name = settled.class === 'cancelled' && view.cancel === 'superseded' ? 'superseded' : settled.class;
    const next = settle(attempt, name, settled.reason, now);
    changes.push(stepOf(attempt, next));
    states.set(settled.task, next.state);
  }
  for (const task of view.held ? [] : ready.start) {
    const pause = paused.get(task)?.notBefore;
    // A retry that was only just decided has no row yet, and is looked at again when its pause is over.
    if (decided.has(task) || (pause && pause > now)) continue;
    const attempt = fresh(task);
    const planned = plan.tasks[attempt.position];
    if (planned === undefined) throw new Error(`the plan has no task at ${attempt.position}`);
    const never = neverStarts(view, planned, now);
    if (never !== null) {
      const ended = settle(attempt, never.class, never.reason, now);
      changes.push(stepOf(attempt, ended));
      states.set(task, ended.state);
      failure ??= { class: never.class, reason: `${task}: ${never.reason}` };
      // What comes after it is settled by the next step.
      looks.push(now);
      continue;
    }
    const resources = attempt.resources ?? givenTo(planned, view);
    const next = { ...attempt, state: 'queued' as const, queuedAt: now, readyAt: now, resources };
    changes.push({ ...stepOf(attempt, next), cause: 'ready' });
    states.set(task, 'queued');
    start.push({ position: attempt.position, number: attempt.number });
  }

  const state = runState(states.values(), view.cancel !== null, view.state);
  return { changes, retries, start, stop, state, failure, lookAgainAt: earliest(looks) };
}

/** What the first attempt of a task is given. */
function givenTo({ name, resources }: Plan['tasks'][number], view: RunView): AskedResources | null {
  return view.defaults && resolveResources(resources, view.defaults, view.learned.get(name) ?? null);
}

/** Why a task that is ready is not started all the same: `null` where it is. */
function neverStarts(
  view: RunView,
  task: Plan['tasks'][number],
  now: Date,
): { readonly class: OutcomeClass; readonly reason: string } | null {
  // A pipeline whose time is over starts nothing more of what stands in it.
  const limits = attemptLimits(view.plan, task, { readyAt: now, startedAt: null }, view.scopes);
  const late = reachedLimit(limits, now);
  if (late) return { class: late.reason, reason: outcomes[late.reason].message };
  const refusal = view.defaults && memoryRefusal(task.resources, view.defaults);
  return refusal === null ? null : { class: 'unschedulable', reason: refusal };
}

type FreshAttempt = Attempt & Given & Pick<SeenAttempt, 'task' | 'position' | 'number'>;

const freshAttempt: Omit<FreshAttempt, 'task' | 'position'> = {
  number: 1,
  state: 'waiting',
  class: null,
  reason: null,
  exitCode: null,
  signal: null,
  queuedAt: null,
  startedAt: null,
  finishedAt: null,
  stopReason: null,
  readyAt: null,
  resources: null,
  pendingWhy: null,
  seenAt: null,
};

function stepOf(
  from: Attempt & Pick<SeenAttempt, 'task' | 'position' | 'number'>,
  to: AttemptStep['to'],
): AttemptStep {
  const { task, position, number } = from;
  const cause = to.reason ?? to.stopReason ?? to.state;
  return { task, position, number, from: from.state, to, cause };
}

function earliest(dates: readonly Date[]): Date | null {
  return dates.reduce<Date | null>((least, date) => (least === null || date < least ? date : least), null);
}
