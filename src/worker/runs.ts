import type { Observation } from '../core/attempt.ts';
import { isFinal, type RunState } from '../core/run.ts';
import { stepRun, type RunStep, type RunView, type SeenAttempt } from '../core/run/step.ts';
import {
  insertRetries,
  listActiveAttempts,
  listAttempts,
  listAttemptsOf,
  listTaskStates,
  readReport,
  saveAttempts,
  type Attempt,
  type AttemptChange,
} from '../db/attempts.ts';
import { archiveLog } from '../attempt/log.ts';
import { tracebackAnnotations } from '../attempt/tracebacks.ts';
import { saveCheck } from '../db/checks.ts';
import { inTransaction, type Db } from '../db/connect.ts';
import type { Claim } from '../db/due.ts';
import { listUnarchivedLogs } from '../db/logs.ts';
import { findRun, saveRun, type PlacedRun } from '../db/runs.ts';
import { countAhead, wakeGroup } from '../db/run-groups.ts';
import type { Executor } from '../executor/executor.ts';
import { describeError, type Log } from '../log.ts';
import type { Storage } from '../storage/storage.ts';
import type { CheckPace } from './check-pace.ts';
import type { StepEnd } from './loop.ts';
import { orderOf } from './order.ts';
import { inOrderOfEnd, runCheckOf, type Traced } from '../run-check.ts';

export type RunDeps = {
  readonly db: Db;
  readonly executor: Executor;
  readonly storage: Storage;
  /** For content too large for memory. */
  readonly temporary: string;
  /** The machine whose attempts this process can see. */
  readonly host: string;
  readonly log: Log;
  readonly urlOf: (run: { readonly id: number }) => string;
  readonly checkPace: CheckPace;
};

/** Seconds until a run with something active is looked at without a hint: what a lost one costs at most. */
const lookSeconds = 10;

/** Seconds after its end that the logs of a run stay rows: who follows one then has come to its end. */
const tidySeconds = 60;

/**
 * One step of a run: observe, advance, save, start what is ready, ask to end what should. The one place that
 * completes a run. Everything here may be done twice: rows are saved before anything starts, under the
 * version that was read, and a start that is repeated starts once.
 */
export async function reconcileRun(deps: RunDeps, claim: Claim): Promise<StepEnd> {
  const run = await findRun(deps.db, Number(claim.id));
  if (!run) return { dueInSeconds: null };
  if (isFinal(run.state)) return tidyRun(deps, run);
  const { view, rows } = await observeRun(deps, run);
  const step = stepRun(view, claim.now);
  const saved = await saveStep(deps, claim, run, step);
  for (const change of step.changes) {
    deps.log.info(
      {
        run: run.id,
        task: change.task,
        attempt: change.number,
        state: change.to.state,
        class: change.to.class,
      },
      'attempt',
    );
  }
  if (step.state !== run.state) deps.log.info({ run: run.id, state: step.state }, 'run');
  await act(deps, run, step, [...rows, ...saved]);
  return { saved: true };
}

/** What is left to do for a run that is over: its logs become one blob each. */
async function tidyRun(deps: RunDeps, run: PlacedRun): Promise<StepEnd> {
  const { db, storage, temporary } = deps;
  for (const id of await listUnarchivedLogs(db, run.id)) {
    await archiveLog({ db, storage, temporary }, { id, repositoryId: run.repository.id });
  }
  return { dueInSeconds: null };
}

/** Gathers what is true: rows, the agent's word, and what the executor sees. */
async function observeRun(
  deps: RunDeps,
  run: PlacedRun,
): Promise<{ readonly view: RunView; readonly rows: readonly Attempt[] }> {
  const { db } = deps;
  const [states, first, ahead] = await Promise.all([
    listTaskStates(db, run.id),
    listActiveAttempts(db, run.id),
    run.whenBusy === 'queue' && run.startedAt === null ? countAhead(db, run) : 0,
  ]);
  const isOurs = (row: Attempt): boolean =>
    row.state !== 'waiting' && (row.host === null || row.host === deps.host);
  const ours = first.filter(isOurs);
  const silent = ours.filter((row) => row.report === null);
  const seen = silent.length === 0 ? new Map<number, Observation>() : await deps.executor.observe(silent);
  // An attempt is gone from its executor only after its report is stored: what is absent now may have ended well
  // between the two looks, so the rows are read once more before anything is called lost.
  const gone = silent.some((row) => (seen.get(row.id)?.kind ?? 'absent') === 'absent');
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
    observation: isOurs(row) ? (seen.get(row.id) ?? { kind: 'absent' as const }) : unseen(row),
  }));
  const failure = run.class === null ? null : { class: run.class, reason: run.reason ?? '' };
  const scopes = new Map(run.plan.deadlines.map(({ scope }) => [scope, scopeTimes(scope, scoped)]));
  const { plan, state, startedAt, cancelReason: cancel } = run;
  return {
    view: { plan, state, startedAt, failure, cancel, held: ahead > 0, states, active, earlier, scopes },
    rows,
  };
}

/** An attempt of another machine: only that one can see it, so it is what its row says. */
function unseen(row: Attempt): Observation {
  return row.startedAt === null ? { kind: 'pending' } : { kind: 'running', startedAt: row.startedAt };
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

/** All rows of a step in one transaction; answers with the attempts as they are now. */
async function saveStep(
  deps: RunDeps,
  claim: Claim,
  run: PlacedRun,
  step: RunStep,
): Promise<readonly Attempt[]> {
  const final = isFinal(step.state);
  const now = claim.now;
  const change = {
    state: step.state,
    class: final ? finalClass(step, run) : (step.failure?.class ?? null),
    reason: step.failure?.reason ?? run.reason ?? (final ? (run.cancelCause ?? null) : null),
    // One that is cancelled while it waits never started.
    startedAt: run.startedAt ?? (step.state === 'queued' || step.state === 'cancelled' ? null : now),
    finishedAt: final ? now : null,
  };
  const changes = step.changes.map((one) => changeOf(one, deps));
  const looks =
    step.lookAgainAt === null
      ? lookSeconds
      : Math.max(0, (step.lookAgainAt.getTime() - now.getTime()) / 1_000);
  const moved = step.changes.some(({ from, to }) => from !== to.state) || step.retries.length > 0;
  // The first failure of a run is told at once, like its own states.
  const tellNow = step.state !== run.state || (step.failure !== null && run.class === null);
  const checkIn = deps.checkPace.dueIn(run, moved, now);
  const tell = tellNow || checkIn === 0;
  const dueIn = tell || checkIn === null ? looks : Math.min(looks, checkIn);
  const traced = step.state === 'failed' ? await findTracebacksOf(deps, run, step) : nothingTraced;
  const saved = await inTransaction(deps.db, async (tx) => {
    const rows = await saveAttempts(tx, run.id, changes);
    await insertRetries(tx, run.id, step.retries);
    if (tell) {
      const says = await runCheckOf(tx, { ...run, ...change }, deps.urlOf(run), traced);
      await saveCheck(tx, { repositoryId: run.repository.id, sha: run.commit, runId: run.id, says });
    }
    await saveRun(tx, claim, run, change, final ? tidySeconds : Math.min(lookSeconds, dueIn));
    if (final) await wakeGroup(tx, run);
    return rows;
  });
  if (final) deps.checkPace.forget(run);
  else if (tell) deps.checkPace.made(run, now);
  return saved;
}

/** Tasks whose logs are read for exceptions: the first to fail, which is what people look for. */
const mostTraced = 5;

const nothingTraced: Traced = { annotations: [], unread: { tasks: 0, exceptions: 0 } };

/** Where the exceptions of a failed run came out. Reading them is no part of its ending: what fails here is only told less. */
async function findTracebacksOf(deps: RunDeps, run: PlacedRun, step: RunStep): Promise<Traced> {
  const failing = new Set(step.changes.filter(({ to }) => to.state === 'failed').map(({ task }) => task));
  const last = [...new Map((await listAttempts(deps.db, run.id)).map((row) => [row.task, row])).values()];
  const all = inOrderOfEnd(last.filter((row) => row.state === 'failed' || failing.has(row.task)));
  const failed = all.slice(0, mostTraced);
  try {
    const told = await Promise.all(failed.map((row) => tracebackAnnotations(deps, run, row)));
    const exceptions = told.reduce((sum, { leftOut }) => sum + leftOut, 0);
    const tasks = all.length - failed.length;
    return { annotations: told.flatMap(({ annotations }) => annotations), unread: { tasks, exceptions } };
  } catch (error) {
    deps.log.warn({ run: run.id, error: describeError(error) }, 'exceptions of a run were not read');
    return nothingTraced;
  }
}

function finalClass(step: RunStep, run: PlacedRun): NonNullable<PlacedRun['class']> {
  if (step.failure !== null) return step.failure.class;
  const plain: Partial<Record<RunState, NonNullable<PlacedRun['class']>>> = {
    succeeded: 'succeeded',
    skipped: 'skipped',
  };
  return plain[step.state] ?? (run.cancelReason === 'superseded' ? 'superseded' : 'cancelled');
}

function changeOf(step: RunStep['changes'][number], deps: RunDeps): AttemptChange {
  const { task, position, number, from, to, cause } = step;
  const report = 'report' in to ? (to as SeenAttempt).report : null;
  return {
    task,
    position,
    number,
    from,
    cause,
    state: to.state,
    class: to.class,
    reason: to.reason,
    exitCode: to.exitCode,
    signal: to.signal,
    queuedAt: to.queuedAt,
    readyAt: to.readyAt,
    startedAt: to.startedAt,
    finishedAt: to.finishedAt,
    stopReason: to.stopReason,
    ...(from === 'waiting' && to.state === 'queued' && deps.executor.name === 'local'
      ? { host: deps.host }
      : {}),
    ...(report === null
      ? {}
      : {
          preparedFrom: report.phases.preparedFrom,
          endedAt: report.phases.endedAt,
          storedAt: report.phases.storedAt,
          output: report.output,
          peakMemoryBytes: report.peakMemoryBytes,
        }),
  };
}

/** Outside effects, once the rows that call for them are committed. */
async function act(deps: RunDeps, run: PlacedRun, step: RunStep, rows: readonly Attempt[]): Promise<void> {
  const byPlace = new Map(rows.map((row) => [`${row.position}/${row.number}`, row]));
  for (const { position, number } of step.stop) {
    const row = byPlace.get(`${position}/${number}`);
    if (row && (row.host === null || row.host === deps.host)) await deps.executor.stop(row.id);
  }
  for (const { position, number } of step.start) {
    const row = byPlace.get(`${position}/${number}`);
    const task = run.plan.tasks[position];
    if (row && task) await deps.executor.start(orderOf(run, row, task));
  }
}
