import { isFinal } from './core/run.ts';
import { listAttempts, type Attempt } from './db/attempts.ts';
import { saveCheck } from './db/checks.ts';
import { inTransaction, type Db } from './db/connect.ts';
import { insertDecisions } from './db/deliveries.ts';
import { insertRun } from './db/insert-run.ts';
import { listRetries, type PlacedRun } from './db/runs.ts';
import type { Log } from './log.ts';
import { runCheckOf } from './run-check.ts';

export type RetryDeps = {
  readonly db: Db;
  readonly log: Log;
  readonly urlOf: (run: { readonly id: number }) => string;
};

export type RetryRequest = {
  /** For people, such as `@ada on GitHub`; null: nobody that is known by name. */
  readonly by: string | null;
  /** The decision's words. */
  readonly message: string;
  /** Runs everything again, also what succeeded. */
  readonly whole?: boolean;
  /** Of the delivery that asked for it. */
  readonly deliveryId?: string;
};

/**
 * Makes a run of what did not succeed of a run that is over, by the same frozen plan and with today's secrets. What
 * succeeded is taken over. While a retry of a run has not ended, asking again finds it.
 */
export async function retryRun(
  { db, log, urlOf }: RetryDeps,
  of: PlacedRun,
  { by, message, whole = false, deliveryId }: RetryRequest,
): Promise<{ readonly run: number; readonly created: boolean }> {
  const first = of.retryOf ?? of.id;
  const made = await inTransaction(db, async (tx) => {
    const earlier = await listRetries(tx, first);
    // The delivery of a press that is worked on twice has made its run already.
    const active = earlier.find(
      (run) => !isFinal(run.state) || (deliveryId !== undefined && run.deliveryId === deliveryId),
    );
    if (active) return { run: active.id, created: false };
    const { run, created } = await insertRun(tx, {
      projectId: of.projectId,
      task: of.task,
      commit: of.commit,
      ref: of.ref,
      trigger: 'retry',
      causeKey: `retry:${first}:${earlier.length + 1}`,
      retryOf: first,
      ...(by === null ? {} : { requestedBy: by }),
      ...(deliveryId === undefined ? {} : { deliveryId }),
      trust: of.trust,
      plan: of.plan,
      planDigest: of.planDigest,
      concurrencyGroup: of.concurrencyGroup,
      // A retry of a superseded commit cancels nothing.
      whenBusy: of.whenBusy === 'queue' ? 'queue' : 'allow',
      reused: whole ? new Map() : reusable(of, await listAttempts(tx, of.id)),
    });
    // Someone else asked at the same moment.
    if (!created) return { run: run.id, created };
    await insertDecisions(tx, [
      {
        ...(deliveryId === undefined ? {} : { deliveryId }),
        projectId: of.projectId,
        repositoryId: of.repository.id,
        commit: of.commit,
        trigger: 'retry',
        task: of.task,
        outcome: 'run',
        rule: 'retry',
        message,
        runId: run.id,
      },
    ]);
    const says = await runCheckOf(tx, { ...run, project: of.project }, urlOf(run));
    await saveCheck(tx, { repositoryId: of.repository.id, sha: run.commit, runId: run.id, says });
    return { run: run.id, created };
  });
  // Without a delivery the field is not there.
  if (made.created)
    log.info({ delivery: deliveryId, run: made.run, task: of.task, trigger: 'retry' }, 'run decided');
  return made;
}

/**
 * What succeeded, where everything before it is taken over as well: a task with `if: always` that ran after a
 * failure runs again, because what it starts from will be another.
 */
function reusable(of: PlacedRun, attempts: readonly Attempt[]): ReadonlyMap<string, Attempt> {
  const succeeded = new Map(
    attempts
      // Of one whose workspace is no longer kept, those after it could not go on.
      .filter(({ state, output }) => state === 'succeeded' && output !== null)
      .map((attempt) => [attempt.task, attempt]),
  );
  const reused = new Map<string, Attempt>();
  for (const task of of.plan.tasks) {
    const attempt = succeeded.get(task.name);
    if (attempt && task.needs.every((name) => reused.has(name))) reused.set(task.name, attempt);
  }
  return reused;
}
