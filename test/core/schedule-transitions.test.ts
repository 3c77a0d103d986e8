import { expect, test } from 'vitest';
import { nextTicks, ticksBetween } from '../../src/core/schedule/ticks.ts';

/**
 * Every change of the clocks in every zone from 2020 to 2037 against a reference that walks through real time in
 * quarters of an hour and reads the local time off the zone's offset, as `longOffset` prints it. All of them happen at
 * such a quarter.
 */
const quarter = 15 * 60_000;
const hour = 4 * quarter;
const day = 24 * hour;
const [from, until] = [Date.UTC(2020, 0, 1), Date.UTC(2038, 0, 1)];

type Transition = { readonly at: number; readonly before: number; readonly after: number };

function offsetReader(zone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
  return (at) => {
    const [, sign, hours, minutes] = / GMT(?:([+-])(\d\d):(\d\d))?$/.exec(format.format(at)) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * hour + Number(minutes ?? 0) * 60_000);
  };
}

function findTransitions(zone: string): readonly Transition[] {
  const offsetAt = offsetReader(zone);
  const found: Transition[] = [];
  // The shortest summer time between two changes is that of Morocco, four weeks.
  const stride = 12 * day;
  for (let at = from, before = offsetAt(from); at < until; at += stride) {
    const after = offsetAt(at + stride);
    if (after === before) continue;
    let [low, high] = [at, at + stride];
    while (high - low > quarter) {
      const middle = low + Math.floor((high - low) / 2 / quarter) * quarter;
      if (offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    found.push({ at: high, before, after });
    before = after;
  }
  return found;
}

type Sample = {
  readonly cron: string;
  readonly matches: (local: Date) => boolean;
  readonly everyHour: boolean;
};

const at = (hours: readonly number[], minutes: readonly number[]) => (local: Date) =>
  hours.includes(local.getUTCHours()) && minutes.includes(local.getUTCMinutes());
const allHours = Array.from({ length: 24 }, (_, each) => each);

const samples: readonly Sample[] = [
  { cron: '0 * * * *', matches: at(allHours, [0]), everyHour: true },
  { cron: '*/15 * * * *', matches: at(allHours, [0, 15, 30, 45]), everyHour: true },
  { cron: '30 0-3,22,23 * * *', matches: at([0, 1, 2, 3, 22, 23], [30]), everyHour: false },
  { cron: '*/15 0-4 * * *', matches: at([0, 1, 2, 3, 4], [0, 15, 30, 45]), everyHour: false },
  {
    cron: '0 */2 * * *',
    matches: at(
      allHours.filter((each) => each % 2 === 0),
      [0],
    ),
    everyHour: false,
  },
  {
    cron: '0 0 1-31 * sun',
    matches: at([0], [0]),
    everyHour: false,
  },
  {
    cron: '45 2,23 * * sun,sat',
    matches: (local) => [0, 6].includes(local.getUTCDay()) && at([2, 23], [45])(local),
    everyHour: false,
  },
];

/** What the clocks leave out ticks as much later as they jump; what comes twice the first time, or each real hour. */
function referenceTicks(sample: Sample, { at: change, before, after }: Transition, window: number): number[] {
  const ticks = new Set<number>();
  const seen = new Set<number>();
  for (let real = change - window; real <= change + window; real += quarter) {
    const local = real + (real < change ? before : after);
    if (sample.matches(new Date(local)) && (sample.everyHour || !seen.has(local))) ticks.add(real);
    seen.add(local);
  }
  for (let local = change + before; local < change + after; local += quarter) {
    if (sample.matches(new Date(local))) ticks.add(local - before);
  }
  return [...ticks].filter((tick) => tick > change - day && tick <= change + day).toSorted((a, b) => a - b);
}

test('each change of the clocks of each zone', { timeout: 180_000 }, () => {
  const zones = [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC'])];
  const references = new Map<string, readonly number[]>();
  const wrong: string[] = [];
  let changes = 0;
  for (const zone of zones) {
    for (const transition of findTransitions(zone)) {
      changes += 1;
      for (const sample of samples) {
        const key = `${sample.cron} ${transition.at} ${transition.before} ${transition.after}`;
        const expected = references.get(key) ?? referenceTicks(sample, transition, 2 * day);
        references.set(key, expected);
        const [start, end] = [new Date(transition.at - day), new Date(transition.at + day)];
        const passed = ticksBetween(sample.cron, zone, start, end, 1_000);
        const next = nextTicks(sample.cron, zone, start, expected.length);
        for (const found of [passed.latest, next]) {
          if (found.map(Number).join() !== expected.join())
            wrong.push(`${sample.cron} ${zone} ${new Date(transition.at).toISOString()}`);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
  // Zones change less often than they did; the description of the world on this machine may be a newer one.
  expect(changes).toBeGreaterThan(3_000);
});
