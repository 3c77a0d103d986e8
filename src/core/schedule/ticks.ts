import { isDayOf, readCron, type CronFields } from './fields.ts';
import { openZone, type Zone } from './zone.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** No schedule that can tick at all is silent for longer: a 29 February on a given day of the week may take forty years. */
const mostSilentMs = 41 * 366 * dayMs;

/**
 * The first tick after a moment, exclusive. `cron` must be good (`findScheduleFaults`), `zone` an IANA zone.
 *
 * A local time that the clocks leave out ticks once, as much later as they jump (02:30 at 03:30). One that comes twice
 * ticks the first time only, unless the schedule names every hour: then each real hour has its tick. The library
 * that reads the fields is not asked for the times. Measured with cron-parser 5.10: of two midnights it takes the second
 * (Azores, Havana), a jump of half an hour has no tick and after it the search fails (Lord Howe), and a jump of two hours
 * moves a tick by one (Troll).
 */
export function nextTick(cron: string, zone: string, after: Date): Date {
  const [next] = nextTicks(cron, zone, after, 1);
  if (next === undefined) throw new RangeError(`the schedule ${cron} never ticks`);
  return next;
}

/** The first `count` ticks after a moment, exclusive, in their order. */
export function nextTicks(cron: string, zone: string, after: Date, count: number): readonly Date[] {
  const fields = readCron(cron);
  const place = openZone(zone);
  const from = after.getTime();
  const found: number[] = [];
  // The day before too: what its clocks left out may come after midnight.
  const first = midnightOf(from + place.offsetAt(from)) - dayMs;
  let last = first + mostSilentMs;
  for (let midnight = first; midnight <= last; midnight = nextDayOf(fields, midnight)) {
    const ticks = ticksOfDay(fields, place, midnight, from, count);
    if (ticks.length === 0) continue;
    const isEnough = found.length >= count;
    for (const tick of ticks) found.push(tick);
    if (isEnough) continue;
    if (found.length < count) last = midnight + mostSilentMs;
    // Where midnight comes twice, the day after has ticks before the last ones of this day.
    else last = steadyOffset(place, midnight) === null ? midnight + dayMs : midnight;
  }
  return inOrder(found)
    .slice(0, count)
    .map((tick) => new Date(tick));
}

export type Passed = {
  /** How many there were. */
  readonly count: number;
  /** The latest of them, in their order, at most as many as were asked for. */
  readonly latest: readonly Date[];
};

/** The ticks after `after` up to and with `until`. However many there were, only the latest are kept. */
export function ticksBetween(cron: string, zone: string, after: Date, until: Date, most: number): Passed {
  const fields = readCron(cron);
  const place = openZone(zone);
  const [from, to] = [after.getTime(), until.getTime()];
  const first = midnightOf(from + place.offsetAt(from)) - dayMs;
  const latest: number[] = [];
  let count = 0;
  // Backwards, so that of a long time only the end is looked at closely.
  for (let midnight = midnightOf(to + place.offsetAt(to)) + dayMs; midnight >= first; midnight -= dayMs) {
    if (!isDayOf(fields, midnight)) continue;
    const isWhole = midnight - dayMs > from + 2 * dayMs && midnight + 3 * dayMs < to;
    if (latest.length >= most && isWhole && steadyOffset(place, midnight) !== null) {
      count += fields.minutes.length * fields.hours.length;
      continue;
    }
    const ticks = ticksOfDay(fields, place, midnight, from).filter((tick) => tick <= to);
    count += ticks.length;
    latest.unshift(...ticks);
    if (latest.length > 2 * most) latest.splice(0, latest.length - most);
  }
  return {
    count,
    latest: inOrder(latest)
      .slice(-most)
      .map((tick) => new Date(tick)),
  };
}

/**
 * The ticks of one local day that come after an instant, `midnight` being its beginning as if local time were UTC. Of a
 * day on which the clocks do not change, the first `most` are enough.
 */
function ticksOfDay(
  fields: CronFields,
  zone: Zone,
  midnight: number,
  after: number,
  most = Number.POSITIVE_INFINITY,
): readonly number[] {
  if (!isDayOf(fields, midnight)) return [];
  const offset = steadyOffset(zone, midnight);
  const everyHour = fields.hours.length === 24;
  const ticks: number[] = [];
  for (const hour of fields.hours) {
    const begin = midnight + hour * hourMs;
    if (offset !== null && (begin + hourMs - offset <= after || ticks.length >= most)) continue;
    for (const minute of fields.minutes) {
      const local = begin + minute * 60_000;
      const instants = offset === null ? instantsOf(zone, local, everyHour) : [local - offset];
      for (const instant of instants) if (instant > after) ticks.push(instant);
    }
  }
  // What the clocks leave out may fall on what ticks anyway.
  return offset === null ? inOrder(ticks) : ticks;
}

/** The one offset of a local day and what surrounds it; `null` where it changes. */
function steadyOffset(zone: Zone, midnight: number): number | null {
  // No zone is further than 14 hours from UTC.
  const before = zone.offsetAt(midnight - 15 * hourMs);
  return before === zone.offsetAt(midnight + dayMs + 15 * hourMs) ? before : null;
}

/** When a local time is, on a day on which the clocks change. */
function instantsOf(zone: Zone, local: number, both: boolean): readonly number[] {
  const offsets = [...new Set([zone.offsetAt(local - 26 * hourMs), zone.offsetAt(local + 26 * hourMs)])];
  const real = inOrder(offsets.map((offset) => local - offset)).filter(
    (instant) => instant + zone.offsetAt(instant) === local,
  );
  const [first] = real;
  // Left out: what it would have been by the clock before, which is the one that was behind.
  if (first === undefined) return [local - Math.min(...offsets)];
  return both ? real : [first];
}

/** The beginning of the day after, or of the next month that has ticks: of a year there may be one such month only. */
function nextDayOf(fields: CronFields, midnight: number): number {
  const next = new Date(midnight + dayMs);
  while (!fields.months.has(next.getUTCMonth() + 1)) next.setUTCMonth(next.getUTCMonth() + 1, 1);
  return next.getTime();
}

function midnightOf(local: number): number {
  return Math.floor(local / dayMs) * dayMs;
}

function inOrder(ticks: readonly number[]): number[] {
  return [...new Set(ticks)].toSorted((a, b) => a - b);
}
