import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findScheduleFaults, isTimezone, nearestTimezone, scheduleAliases } from '../../src/core/schedule.ts';
import { nextTick } from '../../src/core/schedule/ticks.ts';

const good = [
  '* * * * *',
  '0 12 * * *',
  '*/15 8-18 * * mon-fri',
  '0 0 1,15 * *',
  '0 0 * jan,JUL sun',
  '5 4 29 2 *',
  '0 0 31 1 *',
  '0-30/10 0 * * 7',
  '0 0 * * 0-7',
  // Either the day or the day of the week counts.
  '0 0 31 2,4 mon',
  '0 0 29 2 */7',
  '  0   12 * * *  ',
  ...Object.keys(scheduleAliases),
];
test.each(good)('%j is good', (schedule) => {
  expect(findScheduleFaults(schedule)).toEqual([]);
});

const bad: readonly (readonly [string, readonly (readonly [number, string])[]])[] = [
  ['', [[0, '']]],
  ['* * * *', [[0, '* * * *']]],
  ['0 * * * * *', [[0, '0 * * * * *']]],
  ['@dialy', [[0, '@dialy']]],
  [
    '60 24 0 13 8',
    [
      [0, '60'],
      [3, '24'],
      [6, '0'],
      [8, '13'],
      [11, '8'],
    ],
  ],
  ['H * * * *', [[0, 'H']]],
  ['0 0 L * *', [[4, 'L']]],
  ['0 0 * * 1#2', [[8, '1#2']]],
  ['0 0 ? * *', [[4, '?']]],
  ['*/0 * * * *', [[0, '*/0']]],
  ['*/99 * * * *', [[0, '*/99']]],
  ['5/10 * * * *', [[0, '5/10']]],
  ['1- * * * *', [[0, '1-']]],
  ['9-5 * * * *', [[0, '9-5']]],
  ['1,,2 * * * *', [[0, '1,,2']]],
  ['0 0 31 2 *', [[4, '31']]],
  ['0 0 30 2 *', [[4, '30']]],
  ['0 0 31 4,6 *', [[4, '31']]],
  // A day of the week that begins with an asterisk does not help: both must fit.
  ['0 0 30 2 */2', [[4, '30']]],
  ['1,1 * * * *', [[0, '1,1']]],
  ['0 1-5,3 * * *', [[2, '1-5,3']]],
  ['0 0 * * 0,7', [[8, '0,7']]],
  ['*,5 * * * *', [[0, '*,5']]],
  [`${'1,'.repeat(500)}1 * * * *`, [[0, `${'1,'.repeat(500)}1 * * * *`]]],
];
test.each(bad)('%j is bad', (schedule, faults) => {
  expect(findScheduleFaults(schedule).map(({ offset, text }) => [offset, text])).toEqual(faults);
});

test.each([
  ['0 0 * * mon-sun', '`mon-7`'],
  ['0 0 * * 6-0', '`6-7`'],
  ['0 0 * * fri-mon', '`mon-fri`, or `fri-7,1-mon` if it goes round the end'],
])('%j goes round the end of the week', (schedule, write) => {
  expect(findScheduleFaults(schedule).map((fault) => fault.write)).toEqual([`Write ${write}.`]);
  for (const [, said = ''] of write.matchAll(/`([^`]+)`/g))
    expect(findScheduleFaults(`0 0 * * ${said}`)).toEqual([]);
});

test('what is good is good to the library that reads the fields, and ticks', () => {
  const value = fc.oneof(
    fc.constant('*'),
    fc.nat(70).map(String),
    fc.tuple(fc.nat(60), fc.nat(60)).map((ends) => ends.join('-')),
    fc.nat(20).map((step) => `*/${step}`),
    fc.constantFrom('mon', 'jan', 'x', '1,2', '*/2,3', '5-7,0', '30,31', '2,2', '4,6-11/5'),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 4, maxLength: 6 }), (fields) => {
      const schedule = fields.join(' ');
      if (findScheduleFaults(schedule).length > 0) return;
      expect(() => CronExpressionParser.parse(schedule)).not.toThrow();
      expect(nextTick(schedule, 'UTC', new Date(0)).getTime()).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});

test('any text is good or has faults inside it', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const { offset, text: part } of findScheduleFaults(text))
        expect(text.slice(offset, offset + part.length).trim()).toBe(part.trim());
    }),
  );
});

describe('time zones', () => {
  test.each(['UTC', 'Europe/Copenhagen', 'America/Argentina/Buenos_Aires', 'Asia/Kolkata', 'Etc/GMT+5'])(
    '%s',
    (zone) => {
      expect(isTimezone(zone)).toBe(true);
    },
  );
  test.each(['', '+02:00', '02:00', 'Mars/Phobos', 'Copenhagen', 'CEST', 'UTC+2', 'x'.repeat(1000)])(
    '%j is none',
    (zone) => {
      expect(isTimezone(zone)).toBe(false);
    },
  );
  const meant: readonly (readonly [string, string | null])[] = [
    ['Copenhagen', 'Europe/Copenhagen'],
    ['copenhagn', 'Europe/Copenhagen'],
    ['europe/copenhagn', 'Europe/Copenhagen'],
    ['New York', 'America/New_York'],
    ['utc ', 'UTC'],
    ['+02:00', null],
  ];
  test.each(meant)('%j may be %j', (written, zone) => {
    expect(nearestTimezone(written)).toBe(zone);
  });
});

describe('nextTick', () => {
  const ticks: readonly (readonly [string, string, string, string])[] = [
    ['0 12 * * *', 'UTC', '2026-01-01T11:59:59Z', '2026-01-01T12:00:00Z'],
    ['0 12 * * *', 'UTC', '2026-01-01T12:00:00Z', '2026-01-02T12:00:00Z'],
    ['@daily', 'Europe/Copenhagen', '2026-01-01T00:00:00Z', '2026-01-01T23:00:00Z'],
    // 02:30 does not exist on this day: it runs once, an hour later.
    ['30 2 * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', '2026-03-29T01:30:00Z'],
    // 02:30 comes twice on this day: the first one only.
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T00:00:00Z', '2026-10-25T00:30:00Z'],
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z'],
    ['5 4 29 2 *', 'UTC', '2026-01-01T00:00:00Z', '2028-02-29T04:05:00Z'],
  ];
  test.each(ticks)('%s in %s after %s', (cron, zone, after, next) => {
    expect(nextTick(cron, zone, new Date(after)).toISOString()).toBe(new Date(next).toISOString());
  });
});
