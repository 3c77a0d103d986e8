import type { RecurringTask } from '../project.ts';
import { counted } from '../problems/wording.ts';
import { ticksBetween } from './ticks.ts';

/** A schedule whose next tick is due. */
export type DueSchedule = Pick<RecurringTask, 'catchup' | 'overlap'> & {
  readonly cron: string;
  readonly zone: string;
  /** The first tick that is still to be decided, by its nominal time. */
  readonly nextTickAt: Date;
};

/** Its runs that are not over. */
export type ActiveRuns = {
  /** Number of the oldest of them, `null` where there is none. */
  readonly number: number | null;
  /** How many of them are of ticks and have not begun. What a person asked for waits too, and is nothing that a tick replaces. */
  readonly waiting: number;
};

/** A tick that becomes a run. */
export type TickRun = {
  readonly at: Date;
  /** `queue`: it waits for the schedule's runs before it. */
  readonly whenBusy: 'allow' | 'queue';
  /** It takes the place of the ticks that wait. */
  readonly supersedes: boolean;
  readonly rule: 'tick' | 'tick-late';
  readonly message: string;
};

/** Ticks that become none, one after the other. */
export type SkippedTicks = {
  /** Of the last of them. */
  readonly at: Date;
  readonly count: number;
  readonly rule: 'catchup-none' | 'catchup-last' | 'catchup-most' | 'overlap-skip' | 'overlap-full';
  readonly message: string;
};

export type TickDecision = {
  readonly runs: readonly TickRun[];
  readonly skipped: readonly SkippedTicks[];
  /** The last tick that is decided by it. */
  readonly lastTickAt: Date;
};

/** Seconds that a tick may be late and still count as on time: what a busy minute or a short pause of the database takes. */
export const onTimeSeconds = 30;

/** Ticks made up for at most, and runs of one schedule that wait at most. */
export const mostCaughtUp = 100;

/**
 * What becomes of the ticks of a schedule that are due at `now`, of which `nextTickAt` is the first. Nothing is decided
 * before its time. Those that are more than a moment late were missed: `catchup` says what to do about them.
 */
export function decideTicks(schedule: DueSchedule, active: ActiveRuns, now: Date): TickDecision {
  const { cron, zone, nextTickAt, catchup } = schedule;
  // The first one is kept by its time alone: a push may have changed the schedule after it came.
  const later = ticksBetween(cron, zone, nextTickAt, now, mostCaughtUp + 1);
  const count = later.count + 1;
  const latest = later.count <= mostCaughtUp ? [nextTickAt, ...later.latest] : later.latest;
  const lastTickAt = latest.at(-1) ?? nextTickAt;
  const from = nextTickAt;
  const isOnTime = now.getTime() - lastTickAt.getTime() <= onTimeSeconds * 1_000;
  const kept =
    catchup === 'all' ? latest.slice(-mostCaughtUp) : catchup === 'last' || isOnTime ? [lastTickAt] : [];
  const missed = skipMissed({ catchup, from, latest, count: count - kept.length, kept: kept.length });
  const { runs, skipped } = decideOverlap(schedule, active, kept, now);
  return { runs, skipped: [...missed, ...skipped], lastTickAt };
}

function skipMissed(about: {
  readonly catchup: DueSchedule['catchup'];
  readonly from: Date;
  readonly latest: readonly Date[];
  readonly count: number;
  readonly kept: number;
}): readonly SkippedTicks[] {
  const { catchup, from, latest, count, kept } = about;
  if (count === 0) return [];
  const at = latest.at(-1 - kept) ?? from;
  const which = count === 1 ? 'One tick was' : `${count} ticks were`;
  const since = count === 1 ? '' : `, the first at ${from.toISOString()}`;
  switch (catchup) {
    case 'none':
      return [{ at, count, rule: 'catchup-none', message: `${which} missed${since}: \`catchup: none\`.` }];
    case 'last':
      return [
        {
          at,
          count,
          rule: 'catchup-last',
          message: `${which} missed${since}: \`catchup: last\` makes up for the last one only.`,
        },
      ];
    case 'all':
      return [
        {
          at,
          count,
          rule: 'catchup-most',
          message: `${which} missed${since}: \`catchup: all\` makes up for the last ${mostCaughtUp}.`,
        },
      ];
  }
}

function decideOverlap(
  { catchup, overlap }: DueSchedule,
  active: ActiveRuns,
  kept: readonly Date[],
  now: Date,
): Pick<TickDecision, 'runs' | 'skipped'> {
  const runs: TickRun[] = [];
  const skipped: SkippedTicks[] = [];
  for (const at of kept) {
    const isLate = now.getTime() - at.getTime() > onTimeSeconds * 1_000;
    // What is made up for together runs one after the other: to skip all but the first would be no making up.
    const isFollowing = catchup === 'all' && kept.length > 1;
    if (overlap === 'skip' && !isFollowing && (active.number !== null || runs.length > 0)) {
      const before = active.number === null ? 'The run before' : `#${active.number}`;
      const message = `${before} was still going on: \`overlap: skip\`.`;
      skipped.push({ at, count: 1, rule: 'overlap-skip', message });
      continue;
    }
    const waits = overlap === 'queue' || (overlap === 'skip' && isFollowing);
    if (waits && catchup === 'all' && active.waiting + runs.length >= mostCaughtUp) {
      const message = `${counted(mostCaughtUp, 'run')} of this schedule wait already.`;
      skipped.push({ at, count: 1, rule: 'overlap-full', message });
      continue;
    }
    runs.push({
      at,
      whenBusy: waits ? 'queue' : 'allow',
      // Whoever wants all of them wants those that wait too.
      supersedes: waits && catchup !== 'all' && active.waiting > 0,
      rule: isLate ? 'tick-late' : 'tick',
      message: isLate
        ? `The tick of ${at.toISOString()} was missed, and is made up for: \`catchup: ${catchup}\`.`
        : `The schedule says so: its tick of ${at.toISOString()}.`,
    });
  }
  return { runs, skipped };
}
