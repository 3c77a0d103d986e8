import type { AttemptOrder } from '../core/attempt.ts';
import type { PlannedTask } from '../core/plan.ts';
import type { Attempt } from '../db/attempts.ts';
import type { PlacedRun } from '../db/runs.ts';
import { resolveResources, type ResourceDefaults } from '../core/resources.ts';

const gibibyte = 2 ** 30;

const defaultResources: ResourceDefaults = {
  cpuMillis: 1_000,
  memoryBytes: 2 * gibibyte,
  memoryCeilingBytes: 16 * gibibyte,
  storageBytes: 10 * gibibyte,
};

/** What an executor is told of an attempt. */
export function orderOf(run: PlacedRun, attempt: Attempt, task: PlannedTask): AttemptOrder {
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
    asked: resolveResources(task.resources, defaultResources, null),
    image: task.image,
    timeout: task.timeout.run,
    inheritedBytes: 0,
  };
}
