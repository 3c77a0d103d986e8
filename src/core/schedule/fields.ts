import { CronExpressionParser } from 'cron-parser';
import { scheduleAliases } from '../schedule.ts';

/** What a schedule says, each field as its values in ascending order. Sunday is 0. */
export type CronFields = {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Either the day of the month or the day of the week is enough; otherwise both must fit. */
  readonly eitherDay: boolean;
};

const known = new Map<string, CronFields>();
const mostKnown = 1_000;

/**
 * Reads a schedule of five fields or an alias. It must be good: `findScheduleFaults` finds nothing. What was read stays
 * known: it takes the library a tenth of a millisecond, and thousands of schedules share their times.
 */
export function readCron(cron: string): CronFields {
  const found = known.get(cron) ?? parseCron(cron);
  if (known.size >= mostKnown) known.clear();
  known.set(cron, found);
  return found;
}

function parseCron(cron: string): CronFields {
  const text = cron.trim();
  const five = scheduleAliases[text] ?? text;
  // The zone is of no account here: only what the fields say is asked of the library.
  const { fields } = CronExpressionParser.parse(five, { tz: 'UTC' });
  const [, , day = '*', , weekday = '*'] = five.split(/\s+/u);
  return {
    minutes: numbers(fields.minute.values),
    hours: numbers(fields.hour.values),
    days: new Set(numbers(fields.dayOfMonth.values)),
    months: new Set(numbers(fields.month.values)),
    weekdays: new Set(numbers(fields.dayOfWeek.values).map((each) => each % 7)),
    // As in crontab(5): a field that begins with an asterisk does not restrict. The library reads `*/2` as a
    // restriction, so that `0 0 */2 * mon` ticked on every Monday too.
    eitherDay: !day.startsWith('*') && !weekday.startsWith('*'),
  };
}

function numbers(values: readonly (number | string)[]): number[] {
  return values.flatMap((value) => (typeof value === 'number' ? [value] : [])).toSorted((a, b) => a - b);
}

/** Whether the schedule ticks on the day that begins at `midnight`, in milliseconds as if local time were UTC. */
export function isDayOf(fields: CronFields, midnight: number): boolean {
  const date = new Date(midnight);
  if (!fields.months.has(date.getUTCMonth() + 1)) return false;
  const day = fields.days.has(date.getUTCDate());
  const weekday = fields.weekdays.has(date.getUTCDay());
  return fields.eitherDay ? day || weekday : day && weekday;
}
