import type { OutcomeClass } from '../outcome/classes.ts';
import { isFinal, type RunState } from '../run.ts';

/** What was decided about a schedule, and its run where it has one. */
export type HistoryEntry = {
  /** Nominal; `null`: a person asked for it. */
  readonly tickAt: Date | null;
  readonly ticks: number | null;
  readonly decidedAt: Date;
  readonly rule: string;
  readonly message: string;
  readonly run:
    | (HistoryRun & {
        readonly commit: string;
        readonly createdAt: Date;
        /** The newest try of it that a person asked for and that came to an end of its own. */
        readonly retry: HistoryRun | null;
      })
    | null;
};

export type HistoryRun = {
  readonly id: number;
  readonly number: number;
  readonly state: RunState;
  readonly class: OutcomeClass | null;
  readonly finishedAt: Date | null;
};

/** Runs that failed one after the other, up to now, and were not mended by a retry. */
export type FailingStreak = {
  readonly count: number;
  /** More may have failed before those that were looked at. */
  readonly atLeast: boolean;
  /** When the first of them ended. */
  readonly since: Date;
  /** Of the last one. */
  readonly class: OutcomeClass;
  readonly runId: number;
};

/** So many failures in a row are worth a word on the schedule's line. */
export const worthTelling = 3;

export type ScheduleHistory = {
  /** `null` where fewer than three failed in a row. */
  readonly failing: FailingStreak | null;
  /** Seconds from the last tick that came on time to its run; `null`: there was none. */
  readonly driftSeconds: number | null;
  /** The largest of those that were looked at. */
  readonly mostDriftSeconds: number | null;
  /** Ticks that became no run, among what was looked at. */
  readonly missedTicks: number;
};

/** What the last decisions about a schedule come to, newest first; `isAll`: there were no more before. */
export function summarise(entries: readonly HistoryEntry[], isAll: boolean): ScheduleHistory {
  const drifts = entries.flatMap(({ rule, tickAt, decidedAt }) =>
    rule === 'tick' && tickAt !== null ? [(decidedAt.getTime() - tickAt.getTime()) / 1_000] : [],
  );
  return {
    failing: findStreak(entries, isAll),
    driftSeconds: drifts[0] ?? null,
    mostDriftSeconds: drifts.length === 0 ? null : Math.max(...drifts),
    missedTicks: entries.reduce((sum, { run, ticks }) => sum + (run === null ? (ticks ?? 0) : 0), 0),
  };
}

function findStreak(entries: readonly HistoryEntry[], isAll: boolean): FailingStreak | null {
  const ended = entries.flatMap(({ run }) => {
    if (run === null) return [];
    const end = endOf(run);
    return end === null ? [] : [{ ...end, since: run.state === 'failed' ? run.finishedAt : end.finishedAt }];
  });
  const good = ended.findIndex(({ state }) => state !== 'failed');
  const failed = good === -1 ? ended : ended.slice(0, good);
  const [last] = failed;
  const first = failed.at(-1);
  if (!last || !first || failed.length < worthTelling) return null;
  if (first.since === null || last.class === null) return null;
  return {
    count: failed.length,
    atLeast: good === -1 && !isAll,
    since: first.since,
    class: last.class,
    runId: last.id,
  };
}

/** What a tick came to: the newest try counts. One that is going on, or was cancelled, says nothing yet. */
function endOf({ retry, ...run }: NonNullable<HistoryEntry['run']>): HistoryRun | null {
  return [retry, run].find((one) => one !== null && isFinal(one.state) && one.state !== 'cancelled') ?? null;
}
