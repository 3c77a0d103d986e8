import { outcomes, type OutcomeClass, type RetryRule } from '../outcome/classes.ts';
import type { PlannedTask } from '../plan.ts';
import type { RetryCause } from '../project.ts';
import { showSize } from '../quantity.ts';
import type { AskedResources } from '../resources.ts';
import type { Attempt } from '../run.ts';
import { raiseMemory } from './memory.ts';

/** Pauses before AME tries again what the cluster or AME itself broke, in seconds; as many tries as entries. */
const infrastructurePauses = [1, 5, 15] as const;

/** What ran out of memory is tried again with more after so many seconds. */
const memoryPause = 1;

/** The first pause of what had to make room, in seconds; it doubles from try to try. */
const movedPause = 5;

/** Pauses that double do so up to this many seconds. */
const longestPause = 300;

export type RetryDecision =
  | { readonly retry: false; readonly why: string }
  /** `at` may lie in the past: then at once. `resources` are those of the next attempt, `null` where none are known. */
  | {
      readonly retry: true;
      readonly at: Date;
      readonly why: string;
      readonly resources: AskedResources | null;
    };

type Ended = Pick<Attempt, 'class' | 'exitCode' | 'finishedAt'> & {
  /** What it was given. */
  readonly resources: AskedResources | null;
};

/**
 * Whether the last of a task's attempts is to be followed by another one, when, and with what. What the command did
 * counts towards the file's `retries`. What the cluster or AME did is counted apart and tried again three times, what
 * had to make room without end, what ran out of memory as long as there is more. `attempts` are all of the task in this
 * run, oldest first.
 */
export function retryDecision(
  task: Pick<PlannedTask, 'retries'>,
  attempts: readonly Ended[],
  now: Date,
): RetryDecision {
  const last = attempts.at(-1);
  if (last === undefined || last.class === null) return { retry: false, why: 'It has not ended.' };
  const { resources } = last;
  const { label } = outcomes[last.class];
  const from = last.finishedAt ?? now;
  const rule = ruleOf(last);
  const before = attempts.filter((attempt) => ruleOf(attempt) === rule).length;
  const after = (pause: number, why: string, given = resources): RetryDecision => ({
    retry: true,
    at: new Date(from.getTime() + pause * 1000),
    why,
    resources: given,
  });
  if (rule === 'memory') {
    const memory = resources && raiseMemory(resources.memory);
    // `ruleOf` says so only where there is a next rung.
    if (resources === null || memory === null) return { retry: false, why: 'There is no more memory.' };
    const why = `${label}: tried again with ${showSize(memory.bytes)} of memory.`;
    return after(memoryPause, why, { ...resources, memory });
  }
  if (rule === 'moved') {
    const why = `${label}, which is not the command's doing: tried again until it can stay.`;
    return after(Math.min(movedPause * 2 ** (before - 1), longestPause), why);
  }
  if (rule === 'infrastructure') {
    const pause = infrastructurePauses[before - 1];
    if (pause === undefined)
      return { retry: false, why: `${label}: tried again ${before - 1} times already.` };
    const why = `${label}, which is not the command's doing: try ${before} of ${infrastructurePauses.length} more.`;
    return after(pause, why);
  }
  const { max, on, backoff } = task.retries;
  if (rule === 'never') return { retry: false, why: `${label} is not tried again.` };
  if (!on.some((cause) => covers(cause, last.class, last.exitCode))) {
    return { retry: false, why: `${label} is not among the causes in \`retries.on\`.` };
  }
  if (before > max) return { retry: false, why: `\`retries\` allows ${max}, and all were used.` };
  // 2 ** 1000 is Infinity before it is a problem
  const pause = Math.min(backoff * 2 ** (before - 1), longestPause);
  return after(pause, `${label}: try ${before} of ${max} more.`);
}

/** At its ceiling memory is like any other limit of the file: only its `retries` can have it tried again. */
function ruleOf({ class: name, resources }: Ended): RetryRule | null {
  if (name === null) return null;
  const { retry } = outcomes[name];
  if (retry !== 'memory') return retry;
  return resources !== null && raiseMemory(resources.memory) !== null ? 'memory' : 'user';
}

function covers(cause: RetryCause, name: OutcomeClass | null, exitCode: number | null): boolean {
  if (cause.kind === 'timeout') return name === 'timeout';
  if (cause.kind === 'signal') return name === 'signal' || name === 'out_of_memory';
  return name !== 'timeout' && exitCode !== null && cause.from <= exitCode && exitCode <= cause.to;
}
