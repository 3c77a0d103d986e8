import type { AttemptOrder } from '../core/attempt.ts';
import type { PlannedTask } from '../core/plan.ts';
import type { Attempt } from '../db/attempts.ts';
import type { PlacedRun } from '../db/runs.ts';

/** What an executor is told of an attempt. */
export function orderOf(run: PlacedRun, attempt: Attempt, task: PlannedTask): AttemptOrder {
  return {
    id: attempt.id,
    run: { id: run.id, number: run.number },
    project: run.project.name,
    task: attempt.task,
    number: attempt.number,
    commit: run.commit,
    ref: run.ref,
    script: task.script,
    env: task.env,
    resources: task.resources,
    image: task.image,
  };
}
