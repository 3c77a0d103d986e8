import { showBytes, showDuration } from '../core/check/amounts.ts';
import { outcomes, type OutcomeClass } from '../core/outcome/classes.ts';
import type { AttemptState } from '../core/run.ts';
import type { AttemptShape, RunShape } from '../server/api/shapes.ts';
import type { Colors } from './terminal.ts';

/** How the commands say things about runs and attempts. */

/** The colour of a state. */
export function painter(colors: Colors, state: AttemptState): (text: string) => string {
  switch (state) {
    case 'succeeded':
      return colors.green;
    case 'failed':
      return colors.red;
    case 'cancelled':
      return colors.yellow;
    case 'running':
      return colors.cyan;
    case 'waiting':
    case 'queued':
    case 'skipped':
      return colors.dim;
  }
}

/** As people name a run. */
export function runName(run: Pick<RunShape, 'project' | 'number'>): string {
  return `${run.project}#${run.number}`;
}

/** Time that something took or takes, or nothing where it has not begun. */
export function took(row: Pick<RunShape, 'startedAt' | 'finishedAt'>, now: Date): string {
  if (row.startedAt === null) return '';
  const until = row.finishedAt === null ? now : new Date(row.finishedAt);
  return showDuration((until.getTime() - new Date(row.startedAt).getTime()) / 1_000);
}

/** How long ago, such as `3 min 5 s ago`. */
export function ago(time: string, now: Date): string {
  return `${showDuration((now.getTime() - new Date(time).getTime()) / 1_000).replace(/^(\d+)\.\d s$/, '$1 s')} ago`;
}

/** When something is to come, such as `in 12 s`; `now` for what is due. */
export function ahead(time: string, now: Date): string {
  const seconds = (new Date(time).getTime() - now.getTime()) / 1_000;
  return seconds <= 0
    ? 'now'
    : `in ${showDuration(Math.max(1, Math.round(seconds))).replace(/^(\d+)\.\d s$/, '$1 s')}`;
}

/** Why it ended as it did; nothing where all is well. */
export function why(row: {
  readonly state: AttemptState;
  readonly class: OutcomeClass | null;
  readonly reason: string | null;
}): string {
  if (row.state === 'succeeded') return '';
  return row.reason ?? (row.class === null || row.class === 'succeeded' ? '' : outcomes[row.class].label);
}

/** Seconds that the command of an attempt took, where it ran. */
export function attemptTook(attempt: AttemptShape): string {
  return attempt.phases.running === null ? '' : showDuration(attempt.phases.running);
}

/** Why an attempt waits or ended as it did; nothing where all is well. */
export function attemptWhy(attempt: AttemptShape): string {
  if (attempt.reusedFrom !== null) return 'taken over from an earlier run';
  if (attempt.state === 'queued' && attempt.pendingWhy !== null) return `waits: ${attempt.pendingWhy}`;
  return why(attempt);
}

/** The most memory that an attempt held beside what it was given, such as `1.2 GiB of 2.0 GiB`. */
export function memoryUse({ peakMemoryBytes, resources }: AttemptShape): string {
  if (peakMemoryBytes === null) return '';
  const peak = showBytes(peakMemoryBytes);
  if (resources === null) return peak;
  const more = resources.memoryFrom === 'asked' ? '' : ` (${resources.memoryFrom})`;
  return `${peak} of ${showBytes(resources.memoryBytes)}${more}`;
}

/** How many cores an attempt kept busy on average beside what it was given, such as `0.8 of 2`. */
export function coreUse({ cpuSeconds, phases, resources }: AttemptShape): string {
  // Of what was over in no time there is no average worth a word.
  if (cpuSeconds === null || phases.running === null || phases.running < 1) return '';
  const busy = (cpuSeconds / phases.running).toFixed(1);
  return resources === null ? busy : `${busy} of ${resources.cpuMillis / 1_000}`;
}

/** `main` instead of `refs/heads/main`. */
export function shortRef(ref: string): string {
  return ref.replace(/^refs\/(?:heads|tags)\//, '');
}

/** An address of the server's pages that opens without asking. */
export function pageAddress(url: string, token: string): string {
  return `${url}?token=${encodeURIComponent(token)}`;
}
