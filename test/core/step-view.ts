import type { AttemptReport } from '../../src/core/attempt.ts';
import { planTask, type Plan } from '../../src/core/plan.ts';
import type { Task } from '../../src/core/project.ts';
import type { ResourceDefaults } from '../../src/core/resources.ts';
import type { SeenAttempt } from '../../src/core/run/step.ts';
import { pipeline, projectOf } from './project-builder.ts';

export const now = new Date('2026-02-03T04:05:06Z');
/** So many seconds after `now`. */
export const at = (seconds: number): Date => new Date(now.getTime() + seconds * 1_000);

/** What an administrator gives who changed nothing. */
export const resourceDefaults: ResourceDefaults = {
  cpuMillis: 1_000,
  memoryBytes: 2 * 2 ** 30,
  memoryCeilingBytes: 16 * 2 ** 30,
  storageBytes: 10 * 2 ** 30,
};

/** The plan of a pipeline of these tasks. */
export function planOf(
  tasks: Task[],
  timeout: { run: number | null; queue: number | null } = { run: null, queue: null },
): Plan {
  return planTask(projectOf([{ ...pipeline('main', tasks), timeout }]), 'main').plan;
}

/** The word of an agent whose command ended with this exit code. */
export function report(exitCode: number, given: Partial<AttemptReport> = {}): AttemptReport {
  const phases = { preparedFrom: at(-10), startedAt: at(-5), endedAt: at(-1), storedAt: at(0) };
  const ending = { exitCode, signal: null };
  return {
    ending,
    fault: null,
    phases,
    output: null,
    artifacts: [],
    notices: [],
    peakMemoryBytes: null,
    ...given,
  };
}

/** A first attempt, queued ten seconds ago, of which nothing is to be seen. */
export function seenAttempt(
  given: Partial<SeenAttempt> & Pick<SeenAttempt, 'task' | 'position'>,
): SeenAttempt {
  return {
    number: 1,
    state: 'queued',
    class: null,
    reason: null,
    exitCode: null,
    signal: null,
    queuedAt: at(-10),
    readyAt: at(-10),
    startedAt: null,
    finishedAt: null,
    stopReason: null,
    notBefore: null,
    seenAt: null,
    saidStartedAt: null,
    report: null,
    resources: null,
    pendingWhy: null,
    observation: { kind: 'absent' },
    ...given,
  };
}
