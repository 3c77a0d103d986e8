import { isFinal } from '../../core/run.ts';
import type { Context as Ame } from '../../context.ts';
import { listAttempts, type Attempt } from '../../db/attempts.ts';
import { saveCheck } from '../../db/checks.ts';
import { inTransaction } from '../../db/connect.ts';
import { insertDecisions } from '../../db/deliveries.ts';
import { insertRun, listRetries, type PlacedRun } from '../../db/runs.ts';
import { runCheckOf } from '../../run-check.ts';
import { refuse } from './refuse.ts';

/**
 * Makes a run of what did not succeed, by the same frozen plan and with today's secrets. What succeeded is taken
 * over. While a retry of a run has not ended, asking again finds it.
 */
export async function retryRun(
  ame: Ame,
  of: PlacedRun,
): Promise<{ readonly run: number; readonly created: boolean }> {
  if (!isFinal(of.state)) throw refuse(409, 'run-active', `run #${of.number} has not ended yet`);
  if (of.state === 'succeeded')
    throw refuse(409, 'run-succeeded', `run #${of.number} succeeded: there is nothing to try again`);
  const first = of.retryOf ?? of.id;
  return inTransaction(ame.db, async (tx) => {
    const earlier = await listRetries(tx, first);
    const active = earlier.find((run) => !isFinal(run.state));
    if (active) return { run: active.id, created: false };
    const reused = reusable(of, await listAttempts(tx, of.id));
    const { run, created } = await insertRun(tx, {
      projectId: of.projectId,
      task: of.task,
      commit: of.commit,
      ref: of.ref,
      trigger: 'retry',
      causeKey: `retry:${first}:${earlier.length + 1}`,
      retryOf: first,
      trust: of.trust,
      plan: of.plan,
      planDigest: of.planDigest,
      concurrencyGroup: of.concurrencyGroup,
      // A retry of a superseded commit cancels nothing.
      whenBusy: of.whenBusy === 'queue' ? 'queue' : 'allow',
      reused,
    });
    // Someone else asked at the same moment.
    if (!created) return { run: run.id, created };
    await insertDecisions(tx, [
      {
        projectId: of.projectId,
        repositoryId: of.repository.id,
        commit: of.commit,
        trigger: 'retry',
        task: of.task,
        outcome: 'run',
        rule: 'retry',
        message: `Someone asked to try #${of.number} again.`,
        runId: run.id,
      },
    ]);
    const says = await runCheckOf(tx, { ...run, project: of.project }, `${ame.address()}/runs/${run.id}`);
    await saveCheck(tx, { repositoryId: of.repository.id, sha: run.commit, runId: run.id, says });
    return { run: run.id, created };
  });
}

/**
 * What succeeded, where everything before it is taken over as well: a task with `if: always` that ran after a
 * failure runs again, because what it starts from will be another.
 */
function reusable(of: PlacedRun, attempts: readonly Attempt[]): ReadonlyMap<string, Attempt> {
  const succeeded = new Map(
    attempts.filter(({ state }) => state === 'succeeded').map((attempt) => [attempt.task, attempt]),
  );
  const reused = new Map<string, Attempt>();
  for (const task of of.plan.tasks) {
    const attempt = succeeded.get(task.name);
    if (attempt && task.needs.every((name) => reused.has(name))) reused.set(task.name, attempt);
  }
  return reused;
}
