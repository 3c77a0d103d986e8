import type { Observation } from '../core/attempt.ts';
import { isOpen } from '../core/outcome.ts';
import { leavesEndOpen, type LastWords } from '../core/outcome/last-words.ts';
import { memoryText } from '../core/resources.ts';
import type { RunView } from '../core/run/step.ts';
import {
  listActiveAttempts,
  listAttempts,
  listAttemptsOf,
  listTaskStates,
  readReport,
  type Attempt,
} from '../db/attempts.ts';
import { listLearnedMemory } from '../db/learned-memory.ts';
import type { PlacedRun } from '../db/runs.ts';
import { countAhead } from '../db/run-groups.ts';
import { ExecutorAwayError } from '../executor/executor.ts';
import { describeError } from '../log.ts';
import type { RunDeps } from './runs.ts';

export type ObservedRun = {
  readonly view: RunView;
  readonly rows: readonly Attempt[];
  /** What pods said themselves that are over without a report, by attempt. */
  readonly lastWords: ReadonlyMap<number, LastWords>;
};

/** Gathers what is true: rows, the agent's word, and what the executor sees. */
export async function observeRun(deps: RunDeps, run: PlacedRun): Promise<ObservedRun> {
  const { db } = deps;
  const [states, first, ahead, memory] = await Promise.all([
    listTaskStates(db, run.id),
    listActiveAttempts(db, run.id),
    run.whenBusy === 'queue' && run.startedAt === null ? countAhead(db, run) : 0,
    listLearnedMemory(db, run.project.id),
  ]);
  const isOurs = (row: Attempt): boolean =>
    row.state !== 'waiting' && (row.host === null || row.host === deps.host);
  // A report that says all leaves nothing to be asked.
  const asked = first.filter((row) => isOurs(row) && (row.report === null || isOpen(row.report)));
  const seen = asked.length === 0 ? new Map<number, Observation>() : await observeUnlessAway(deps, asked);
  const away = typeof seen === 'string' ? seen : null;
  const observationOf = (row: Attempt): Observation =>
    isOurs(row) && typeof seen !== 'string'
      ? (seen.get(row.id) ?? { kind: 'absent' })
      : unseen(row, isOurs(row) ? away : null);
  // An attempt is gone from its executor, or over, only after its report is stored: what is so now may have been
  // reported between the two looks, so the rows are read once more before anything is called lost.
  const gone = asked.some(
    (row) => row.report === null && ['absent', 'over'].includes(observationOf(row).kind),
  );
  // Seconds at most, and before that look: a report that comes meanwhile is not passed over.
  const lastWords = await lastWordsOf(
    deps,
    run,
    asked.filter((row) => leavesEndOpen(row.report) && observationOf(row).kind === 'over'),
  );
  const rows = gone ? await listActiveAttempts(db, run.id) : first;
  const earlier = Map.groupBy(
    (
      await listAttemptsOf(
        db,
        run.id,
        rows.map((row) => row.task),
      )
    ).filter((row) => row.finishedAt !== null),
    (row) => row.task,
  );
  const scoped = run.plan.deadlines.length === 0 ? [] : await listAttempts(db, run.id);
  const active = rows.map((row) => ({
    ...row,
    report: readReport(row),
    observation: observationOf(row),
  }));
  const failure = run.class === null ? null : { class: run.class, reason: run.reason ?? '' };
  const scopes = new Map(run.plan.deadlines.map(({ scope }) => [scope, scopeTimes(scope, scoped)]));
  const { plan, state, startedAt, cancelReason: cancel } = run;
  const asking = new Map(plan.tasks.map((task) => [task.name, memoryText(task.resources)]));
  const learned = new Map(
    memory.filter(({ task, asked: then }) => asking.get(task) === then).map((row) => [row.task, row.bytes]),
  );
  // A process of this machine takes what there is: no ceiling stands in its way, and nothing is shown as given.
  const defaults = deps.executor.name === 'local' ? null : deps.resourceDefaults;
  const held = ahead > 0;
  return {
    view: {
      plan,
      state,
      startedAt,
      failure,
      cancel,
      held,
      states,
      active,
      earlier,
      scopes,
      defaults,
      learned,
    },
    rows,
    lastWords,
  };
}

/** Of what AME itself asked to end, nobody has to be told why. It explains an end, and never holds one up. */
async function lastWordsOf(
  { executor, log }: RunDeps,
  { cancelReason }: PlacedRun,
  over: readonly Attempt[],
): Promise<ReadonlyMap<number, LastWords>> {
  const ids = over.filter(({ stopReason }) => (stopReason ?? cancelReason) === null).map(({ id }) => id);
  if (ids.length === 0 || executor.lastWords === undefined) return new Map();
  try {
    return await executor.lastWords(ids);
  } catch (error) {
    log.warn({ error: describeError(error) }, 'what pods said last was not read');
    return new Map();
  }
}

/** In words where the executor is away: what the agents reported meanwhile is taken, and nothing is believed to be gone. */
async function observeUnlessAway(
  { executor, log }: RunDeps,
  asked: readonly Attempt[],
): Promise<ReadonlyMap<number, Observation> | string> {
  try {
    return await executor.observe(asked);
  } catch (error) {
    if (!(error instanceof ExecutorAwayError)) throw error;
    log.warn({ error: describeError(error) }, 'the executor cannot be asked what runs');
    return whyAway(error);
  }
}

/** What people are told of attempts that wait for an executor which is away. */
export function whyAway({ message }: ExecutorAwayError): string {
  // What was asked differs from question to question, and says nothing to anybody.
  const said = message.replace(/ (?:GET|POST|PUT|DELETE) \/\S+/, '').slice(0, 500);
  return `The cluster cannot be asked at the moment, and is asked again: ${said}`;
}

/** An attempt of another machine, or of an executor that is away: it is what its row says. */
function unseen({ startedAt, pendingWhy }: Attempt, away: string | null): Observation {
  if (startedAt !== null) return { kind: 'running', startedAt };
  const why = away ?? pendingWhy;
  return { kind: 'pending', ...(why !== null && { why }) };
}

function scopeTimes(
  scope: string,
  rows: readonly Attempt[],
): { readyAt: Date | null; startedAt: Date | null } {
  // What was taken over ran in the time of an earlier run.
  const within = rows.filter(
    (row) => row.reusedFrom === null && (scope === '' || row.task.startsWith(`${scope}/`)),
  );
  const least = (dates: readonly (Date | null)[]): Date | null =>
    dates.reduce((first, date) => (date !== null && (first === null || date < first) ? date : first), null);
  return {
    readyAt: least(within.map((row) => row.readyAt)),
    startedAt: least(within.map((row) => row.startedAt ?? row.saidStartedAt)),
  };
}
