import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideTicks, mostCaughtUp, type ActiveRuns, type DueSchedule } from '../../src/core/schedule/due.ts';

const minute = 60_000;
const at = (text: string): Date => new Date(`2026-05-${text}Z`);
const idle: ActiveRuns = { number: null, waiting: 0 };
const minutely = (catchup: DueSchedule['catchup'], overlap: DueSchedule['overlap']): DueSchedule => ({
  cron: '* * * * *',
  zone: 'UTC',
  catchup,
  overlap,
  nextTickAt: at('01T12:00:00'),
});

/** `12:00 allow` for a run, `12:00 x3 rule` for ticks that become none, in their order. */
function told(schedule: DueSchedule, active: ActiveRuns, now: Date): readonly string[] {
  const { runs, skipped } = decideTicks(schedule, active, now);
  const time = (date: Date): string => date.toISOString().slice(11, 16);
  return [
    ...skipped.map((one) => `${time(one.at)} x${one.count} ${one.rule}`),
    ...runs.map((one) => `${time(one.at)} ${one.whenBusy}${one.supersedes ? ' supersedes' : ''} ${one.rule}`),
  ];
}

describe('on time', () => {
  const now = at('01T12:00:01');
  const busy: ActiveRuns = { number: 7, waiting: 1 };
  const rows: readonly (readonly [DueSchedule['catchup'], DueSchedule['overlap'], ActiveRuns, string])[] = [
    ['none', 'skip', idle, '12:00 allow tick'],
    ['last', 'skip', busy, '12:00 x1 overlap-skip'],
    ['last', 'allow', busy, '12:00 allow tick'],
    ['last', 'queue', busy, '12:00 queue supersedes tick'],
    ['last', 'queue', { number: 7, waiting: 0 }, '12:00 queue tick'],
    ['all', 'queue', busy, '12:00 queue tick'],
    ['all', 'queue', { number: 7, waiting: mostCaughtUp }, '12:00 x1 overlap-full'],
    ['all', 'skip', busy, '12:00 x1 overlap-skip'],
  ];
  test.each(rows)('catchup %s, overlap %s, %o: %s', (catchup, overlap, active, said) => {
    expect(told(minutely(catchup, overlap), active, now)).toEqual([said]);
  });
});

describe('after an outage', () => {
  const rows: readonly (readonly [
    DueSchedule['catchup'],
    DueSchedule['overlap'],
    string,
    readonly string[],
  ])[] = [
    // Half a minute late is late only after it.
    ['none', 'skip', '01T12:00:30', ['12:00 allow tick']],
    ['none', 'skip', '01T12:00:31', ['12:00 x1 catchup-none']],
    ['last', 'skip', '01T12:00:31', ['12:00 allow tick-late']],
    ['none', 'skip', '01T12:03:01', ['12:02 x3 catchup-none', '12:03 allow tick']],
    ['none', 'skip', '01T12:03:40', ['12:03 x4 catchup-none']],
    ['last', 'skip', '01T12:03:01', ['12:02 x3 catchup-last', '12:03 allow tick']],
    ['last', 'queue', '01T12:03:40', ['12:02 x3 catchup-last', '12:03 queue tick-late']],
    [
      'all',
      'allow',
      '01T12:02:40',
      ['12:00 allow tick-late', '12:01 allow tick-late', '12:02 allow tick-late'],
    ],
    // What is made up for together runs one after the other.
    ['all', 'skip', '01T12:01:01', ['12:00 queue tick-late', '12:01 queue tick']],
    ['last', 'skip', '02T12:00:00', ['11:59 x1440 catchup-last', '12:00 allow tick']],
    ['none', 'skip', '31T12:00:40', ['12:00 x43201 catchup-none']],
  ];
  test.each(rows)('catchup %s, overlap %s, at %s', (catchup, overlap, now, said) => {
    expect(told(minutely(catchup, overlap), idle, at(now))).toEqual(said);
  });

  test('all means the last hundred, and the rest is told in one line', () => {
    const { runs, skipped, lastTickAt } = decideTicks(minutely('all', 'allow'), idle, at('02T12:00:40'));
    expect(runs).toHaveLength(mostCaughtUp);
    expect(runs[0]?.at).toEqual(at('02T10:21:00'));
    expect(skipped).toMatchObject([{ count: 1341, at: at('02T10:20:00'), rule: 'catchup-most' }]);
    expect(lastTickAt).toEqual(at('02T12:00:00'));
  });
});

test('each tick is decided once, in order and never before its time, however late the looks come', () => {
  const crons = fc.constantFrom('* * * * *', '*/7 * * * *', '0 */5 * * *', '30 2 * * *', '0 0 1 * *');
  const zones = fc.constantFrom('UTC', 'Europe/Copenhagen', 'America/Havana', 'Australia/Lord_Howe');
  const waits = fc.array(fc.integer({ min: 1_000, max: 3 * 86_400_000 }), { minLength: 1, maxLength: 8 });
  const catchups = fc.constantFrom('none' as const, 'last' as const, 'all' as const);
  const overlaps = fc.constantFrom('skip' as const, 'queue' as const, 'allow' as const);
  fc.assert(
    fc.property(crons, zones, waits, catchups, overlaps, (cron, zone, gaps, catchup, overlap) => {
      let nextTickAt = at('01T12:00:00');
      let now = nextTickAt;
      for (const gap of gaps) {
        now = new Date(now.getTime() + gap);
        if (nextTickAt > now) continue;
        const { runs, skipped, lastTickAt } = decideTicks(
          { cron, zone, catchup, overlap, nextTickAt },
          idle,
          now,
        );
        const times = runs.map((run) => run.at.getTime());
        expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
        for (const time of times) {
          expect(time).toBeGreaterThanOrEqual(nextTickAt.getTime());
          expect(time).toBeLessThanOrEqual(now.getTime());
        }
        expect(lastTickAt.getTime()).toBeLessThanOrEqual(now.getTime());
        expect(runs.length + skipped.length).toBeGreaterThan(0);
        if (catchup !== 'none' && overlap === 'allow') expect(times.at(-1)).toBe(lastTickAt.getTime());
        nextTickAt = new Date(lastTickAt.getTime() + minute);
      }
    }),
    { numRuns: 60 },
  );
});
