import type { AttemptOrder } from '../core/attempt.ts';
import type { Plan, PlannedTask } from '../core/plan.ts';
import { resolveResources } from '../core/resources.ts';
import { inheritedBytes, type SizedTask } from '../core/run/inherited.ts';
import type { Attempt } from '../db/attempts.ts';
import type { PlacedRun } from '../db/runs.ts';
import { commitBytes, listOutputSizes } from '../db/sizes.ts';
import type { RunDeps } from './runs.ts';

/** What is thought of a commit whose repository has never been counted; the task's own storage comes on top. */
const unknownCommitBytes = 2 ** 30;

/** What an executor is told of attempts of one run. */
export async function ordersOf(
  deps: Pick<RunDeps, 'db' | 'executor' | 'resourceDefaults'>,
  run: PlacedRun,
  rows: readonly Attempt[],
): Promise<readonly AttemptOrder[]> {
  if (rows.length === 0) return [];
  // A machine has one disk for all its attempts, and nothing is set aside on it.
  const sizes = deps.executor.name === 'local' ? null : await readSizes(deps, run, rows);
  return rows.flatMap((row) => {
    const task = run.plan.tasks[row.position];
    if (task === undefined) return [];
    const bytes = sizes === null ? 0 : inheritedBytes(sizes.commit, sizes.past, task.needs);
    // None are stored where the executor gives none, nor by earlier versions.
    const asked = row.resources ?? resolveResources(task.resources, deps.resourceDefaults, null);
    return [orderOf(run, { ...row, resources: asked }, task, bytes)];
  });
}

function orderOf(
  run: PlacedRun,
  attempt: Pick<Attempt, 'id' | 'task' | 'number'> & { readonly resources: AttemptOrder['asked'] },
  task: PlannedTask,
  bytes: number,
): AttemptOrder {
  return {
    id: attempt.id,
    run: { id: run.id, number: run.number },
    project: run.project.name,
    projectId: run.project.id,
    task: attempt.task,
    number: attempt.number,
    commit: run.commit,
    ref: run.ref,
    script: task.script,
    env: task.env,
    secrets: run.trust === 'trusted' ? task.secrets : [],
    resources: task.resources,
    asked: attempt.resources,
    image: task.image,
    timeout: task.timeout.run,
    inheritedBytes: bytes,
  };
}

/** What is known of the sizes of a run's commit and of what its tasks left. */
async function readSizes(
  { db }: Pick<RunDeps, 'db'>,
  run: PlacedRun,
  rows: readonly Attempt[],
): Promise<{ readonly commit: number; readonly past: readonly SizedTask[] }> {
  const commit = (await commitBytes(db, run.repository.id, run.commit)) ?? unknownCommitBytes;
  // The first tasks of a run inherit nothing but the commit.
  const needed = rows.some((row) => (run.plan.tasks[row.position]?.needs.length ?? 0) > 0);
  const left = needed
    ? await listOutputSizes(db, run.id, run.repository.id)
    : new Map<string, SizedTask['left']>();
  return { commit, past: pastOf(run.plan, left) };
}

function pastOf(plan: Plan, left: ReadonlyMap<string, SizedTask['left']>): readonly SizedTask[] {
  return plan.tasks.map(({ name, needs }) => ({ name, needs, left: left.get(name) ?? null }));
}
