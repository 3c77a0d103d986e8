import { memoryText, type ResourceDefaults } from '../core/resources.ts';
import { isFinal, type RunState } from '../core/run.ts';
import { stepRun, type RunStep } from '../core/run/step.ts';
import { insertRetries, listAttempts, saveAttempts, savePendingWhy, type Attempt } from '../db/attempts.ts';
import { archiveLog } from '../attempt/log.ts';
import { tracebackAnnotations } from '../attempt/tracebacks.ts';
import { saveCheck } from '../db/checks.ts';
import { inTransaction, type Db } from '../db/connect.ts';
import type { Claim } from '../db/due.ts';
import { saveLearnedMemory } from '../db/learned-memory.ts';
import { listUnarchivedLogs } from '../db/logs.ts';
import { findRun, saveRun, type PlacedRun } from '../db/runs.ts';
import { wakeGroup } from '../db/run-groups.ts';
import { ExecutorAwayError, type Executor } from '../executor/executor.ts';
import { describeError, type Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Storage } from '../storage/storage.ts';
import { actRun, leaveRun } from './act-run.ts';
import { attemptChange } from './attempt-change.ts';
import type { CheckPace } from './check-pace.ts';
import type { StepEnd } from './loop.ts';
import { observeRun, whyAway, type ObservedRun } from './observe-run.ts';
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
  readonly metrics: Pick<Metrics, 'attemptFinished' | 'runFinished'>;
  readonly resourceDefaults: ResourceDefaults;
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
  try {
    const { view, rows, lastWords } = await observeRun(deps, run);
    const step = stepRun(view, claim.now);
    const saved = await saveStep(deps, claim, { run, rows, lastWords }, step);
    tell(deps, run, step, saved);
    await actRun(deps, run, step, [...rows, ...saved]);
    return { saved: true };
  } catch (error) {
    // The next look at them says something else again.
    if (error instanceof ExecutorAwayError) await savePendingWhy(deps.db, run.id, whyAway(error));
    throw error;
  }
}

/** One line of each attempt that the step changed, and one of the run where it moved; what is over is counted. */
function tell({ log, metrics }: RunDeps, run: PlacedRun, step: RunStep, saved: readonly Attempt[]): void {
  const delivery = run.deliveryId;
  for (const { id, task, number, state, ...row } of saved) {
    log.info({ delivery, run: run.id, attempt: id, task, number, state, class: row.class }, 'attempt');
    if (row.finishedAt !== null) metrics.attemptFinished(row);
  }
  if (step.state === run.state) return;
  log.info({ delivery, run: run.id, state: step.state }, 'run');
  if (isFinal(step.state)) metrics.runFinished(step.state);
}

/** What is left to do for a run that is over: its logs become one blob each, and nothing of it stays outside. */
async function tidyRun(deps: RunDeps, run: PlacedRun): Promise<StepEnd> {
  const { db, storage, temporary } = deps;
  for (const id of await listUnarchivedLogs(db, run.id)) {
    await archiveLog({ db, storage, temporary }, { id, repositoryId: run.repository.id });
  }
  await leaveRun(deps, run);
  return { dueInSeconds: null };
}

/** All rows of a step in one transaction; answers with the attempts as they are now. */
async function saveStep(
  deps: RunDeps,
  claim: Claim,
  { run, rows: seen, lastWords }: { readonly run: PlacedRun } & Omit<ObservedRun, 'view'>,
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
  const host = deps.executor.name === 'local' ? deps.host : null;
  const byPlace = new Map(seen.map((row) => [`${row.position}/${row.number}`, row]));
  const rowOf = ({ position, number }: { readonly position: number; readonly number: number }) =>
    byPlace.get(`${position}/${number}`);
  const changes = step.changes.map((one) => attemptChange(one, rowOf(one), host, lastWords));
  const looks =
    step.lookAgainAt === null
      ? lookSeconds
      : Math.max(0, (step.lookAgainAt.getTime() - now.getTime()) / 1_000);
  const moved =
    step.changes.some((one) => one.from !== one.to.state || one.to.pendingWhy !== rowOf(one)?.pendingWhy) ||
    step.retries.length > 0;
  // The first failure of a run is told at once, like its own states.
  const tellNow = step.state !== run.state || (step.failure !== null && run.class === null);
  const checkIn = deps.checkPace.dueIn(run, moved, now);
  const tell = tellNow || checkIn === 0;
  const dueIn = tell || checkIn === null ? looks : Math.min(looks, checkIn);
  const traced = step.state === 'failed' ? await findTracebacksOf(deps, run, step) : nothingTraced;
  const saved = await inTransaction(deps.db, async (tx) => {
    const rows = await saveAttempts(tx, run.id, changes);
    await insertRetries(tx, run.id, step.retries);
    await saveLearnedMemory(tx, learnedOf(run, rows));
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

/**
 * What is to be remembered of attempts that came to need more memory. Only one that ended well has shown how much is
 * enough: remembered earlier, the size that a leak reached would stay with the project. Code of a fork teaches nothing.
 */
function learnedOf(run: PlacedRun, rows: readonly Attempt[]): Parameters<typeof saveLearnedMemory>[1] {
  if (run.trust !== 'trusted') return [];
  return rows.flatMap(({ id, task, position, state, resources }) => {
    const planned = run.plan.tasks[position];
    if (state !== 'succeeded' || resources?.memory.over === undefined || planned === undefined) return [];
    const { bytes } = resources.memory;
    return [{ projectId: run.project.id, task, bytes, asked: memoryText(planned.resources), attemptId: id }];
  });
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
