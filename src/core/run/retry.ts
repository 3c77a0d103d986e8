import { outcomes, type OutcomeClass } from '../outcome/classes.ts';
import type { PlannedTask } from '../plan.ts';
import type { RetryCause } from '../project.ts';
import type { Attempt } from '../run.ts';

/** Pauses before AME tries again what the cluster or AME itself broke, in seconds; as many tries as entries. */
const infrastructurePauses = [1, 5, 15] as const;

/** The pause after a failure of the user's own doubles up to this many seconds. */
const longestPause = 300;

export type RetryDecision =
  | { readonly retry: false; readonly why: string }
  /** `at` may lie in the past: then at once. */
  | { readonly retry: true; readonly at: Date; readonly why: string };

type Ended = Pick<Attempt, 'class' | 'exitCode' | 'finishedAt'>;

/**
 * Whether the last of a task's attempts is to be followed by another one, and when. What the command did counts
 * towards the file's `retries`; what the cluster or AME did is counted apart and tried again three times.
 * `attempts` are all of the task in this run, oldest first.
 */
export function retryDecision(
  task: Pick<PlannedTask, 'retries'>,
  attempts: readonly Ended[],
  now: Date,
): RetryDecision {
  const last = attempts.at(-1);
  if (last === undefined || last.class === null) return { retry: false, why: 'It has not ended.' };
  const rule = outcomes[last.class].retry;
  const before = attempts.filter(({ class: name }) => name !== null && outcomes[name].retry === rule).length;
  const { label } = outcomes[last.class];
  const from = last.finishedAt ?? now;
  if (rule === 'infrastructure') {
    const pause = infrastructurePauses[before - 1];
    if (pause === undefined)
      return { retry: false, why: `${label}: tried again ${before - 1} times already.` };
    const why = `${label}, which is not the command's doing: try ${before} of ${infrastructurePauses.length} more.`;
    return { retry: true, at: later(from, pause), why };
  }
  const { max, on, backoff } = task.retries;
  if (rule === 'never') return { retry: false, why: `${label} is not tried again.` };
  if (!on.some((cause) => covers(cause, last.class, last.exitCode))) {
    return { retry: false, why: `${label} is not among the causes in \`retries.on\`.` };
  }
  if (before > max) return { retry: false, why: `\`retries\` allows ${max}, and all were used.` };
  // 2 ** 1000 is Infinity before it is a problem
  const pause = Math.min(backoff * 2 ** (before - 1), longestPause);
  return { retry: true, at: later(from, pause), why: `${label}: try ${before} of ${max} more.` };
}

function covers(cause: RetryCause, name: OutcomeClass | null, exitCode: number | null): boolean {
  if (cause.kind === 'timeout') return name === 'timeout';
  if (cause.kind === 'signal') return name === 'signal' || name === 'out_of_memory';
  return name !== 'timeout' && exitCode !== null && cause.from <= exitCode && exitCode <= cause.to;
}

function later(date: Date, seconds: number): Date {
  return new Date(date.getTime() + seconds * 1000);
}
