import { showDuration } from '../core/check/amounts.ts';
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

/** `main` instead of `refs/heads/main`. */
export function shortRef(ref: string): string {
  return ref.replace(/^refs\/(?:heads|tags)\//, '');
}

/** An address of the server's pages that opens without asking. */
export function pageAddress(url: string, token: string): string {
  return `${url}?token=${encodeURIComponent(token)}`;
}
