import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { showTick } from '../../src/core/schedule/show.ts';
import { nextTick, nextTicks, ticksBetween } from '../../src/core/schedule/ticks.ts';

const next = (cron: string, after: string, count: number): readonly string[] =>
  nextTicks(cron, 'UTC', new Date(after), count).map((tick) => tick.toISOString().slice(0, 16));

describe('days', () => {
  const rows: readonly (readonly [string, string, readonly string[]])[] = [
    ['0 0 29 2 *', '2026-01-01T00:00Z', ['2028-02-29T00:00', '2032-02-29T00:00']],
    ['0 0 29 2 *', '2096-03-01T00:00Z', ['2104-02-29T00:00']],
    // It falls on a Sunday every 28 years, around 2100 after 40.
    [
      '0 0 29 2 */7',
      '2026-01-01T00:00Z',
      ['2032-02-29T00:00', '2060-02-29T00:00', '2088-02-29T00:00', '2128-02-29T00:00'],
    ],
    ['0 0 31 * *', '2026-03-31T00:00Z', ['2026-05-31T00:00', '2026-07-31T00:00', '2026-08-31T00:00']],
    // Both are restricted: either is enough.
    ['0 0 13 * fri', '2026-11-01T00:00Z', ['2026-11-06T00:00', '2026-11-13T00:00', '2026-11-20T00:00']],
    ['0 0 1 * mon', '2026-11-26T00:00Z', ['2026-11-30T00:00', '2026-12-01T00:00', '2026-12-07T00:00']],
    // A field that begins with an asterisk does not restrict: both must fit.
    ['0 0 */2 * mon', '2026-11-01T00:00Z', ['2026-11-09T00:00', '2026-11-23T00:00', '2026-12-07T00:00']],
    ['0 0 * * 7', '2026-11-01T00:00Z', ['2026-11-08T00:00']],
    ['@yearly', '2026-11-01T00:00Z', ['2027-01-01T00:00', '2028-01-01T00:00']],
    ['@hourly', '2026-11-01T00:00Z', ['2026-11-01T01:00']],
  ];
  test.each(rows)('%s after %s', (cron, after, ticks) => {
    expect(next(cron, after, ticks.length)).toEqual(ticks);
  });
});

const field = (most: number, least = 0): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant('*') },
    fc.integer({ min: least, max: most }).map(String),
    fc.integer({ min: 2, max: Math.min(most, 12) }).map((step) => `*/${step}`),
    fc
      .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
      .filter(([a, b]) => a < b)
      .map(([a, b]) => `${a}-${b}`),
  );

/** What a field of values, ranges and steps names. */
function names(text: string, value: number, least: number): boolean {
  const [range = '', step = '1'] = text.split('/');
  if (range === '*') return (value - least) % Number(step) === 0;
  const [from = '', to = from] = range.split('-');
  return value >= Number(from) && value <= Number(to);
}

test('every minute of some days ticks if and only if its fields say so', () => {
  const fields = fc.tuple(field(59), field(23), field(28, 1), field(12, 1), field(6));
  fc.assert(
    fc.property(fields, fc.integer({ min: 0, max: 8_000 }), ([minute, hour, day, month, weekday], offset) => {
      const from = Date.UTC(2020, 0, 1) + offset * 86_400_000;
      const expected: number[] = [];
      for (let at = from + 60_000; at <= from + 3 * 86_400_000; at += 60_000) {
        const date = new Date(at);
        const onDay = names(day, date.getUTCDate(), 1);
        const onWeekday = names(weekday, date.getUTCDay(), 0);
        const either = !day.startsWith('*') && !weekday.startsWith('*');
        const fits =
          names(minute, date.getUTCMinutes(), 0) &&
          names(hour, date.getUTCHours(), 0) &&
          names(month, date.getUTCMonth() + 1, 1) &&
          (either ? onDay || onWeekday : onDay && onWeekday);
        if (fits) expected.push(at);
      }
      const cron = [minute, hour, day, month, weekday].join(' ');
      const until = new Date(from + 3 * 86_400_000);
      const { count, latest } = ticksBetween(cron, 'UTC', new Date(from), until, 5);
      expect(count).toBe(expected.length);
      expect(latest.map(Number)).toEqual(expected.slice(-5));
    }),
    { numRuns: 50 },
  );
});

test('of a long time only the end is looked at, and all of it is counted', () => {
  const [from, until] = [new Date('2026-01-01T00:00:30Z'), new Date('2027-01-01T00:00:30Z')];
  const { count, latest } = ticksBetween('* * * * *', 'Europe/Copenhagen', from, until, 3);
  expect(count).toBe(365 * 24 * 60);
  expect(latest.map((tick) => tick.toISOString())).toEqual([
    '2026-12-31T23:58:00.000Z',
    '2026-12-31T23:59:00.000Z',
    '2027-01-01T00:00:00.000Z',
  ]);
});

test('a tick is shown by the clocks of its zone', () => {
  const tick = nextTick('0 12 * * *', 'Asia/Kathmandu', new Date('2026-11-21T12:00:00Z'));
  expect(showTick(tick, 'Asia/Kathmandu')).toBe('Sun 2026-11-22 12:00');
});
