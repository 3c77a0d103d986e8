import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import { scheduleDetail, scheduleTable } from '../../src/cli/schedule-words.ts';
import type { ScheduleShape } from '../../src/server/api/schedule-shapes.ts';

type Event = ScheduleShape['last'][number];

const plain = { colors: picocolors.createColors(false) };
const at = '2026-05-01T12:00:00.000Z';
const url = 'http://127.0.0.1/runs/7';
const failed: Event = {
  tickAt: at,
  ticks: 1,
  decidedAt: at,
  rule: 'tick',
  message: 'The schedule says so.',
  run: { id: 7, number: 7, commit: 'c', state: 'failed', class: 'exit', url, retry: null },
};
const skipped: Event = { ...failed, rule: 'overlap-skip', message: '#7 was still going on.', run: null };
const schedule: ScheduleShape = {
  name: 'nightly',
  project: 'pets',
  projectId: 1,
  repository: 'ada/pets',
  task: 'train',
  schedule: '0 12 * * *',
  timezone: 'UTC',
  catchup: 'last',
  overlap: 'skip',
  line: 4,
  state: 'active',
  since: null,
  reason: null,
  next: [],
  failing: null,
  driftSeconds: 0.14,
  mostDriftSeconds: 0.93,
  missedTicks: 1,
  last: [skipped, failed],
};

/** The last line of the table. */
const rowOf = (shape: ScheduleShape): string => scheduleTable(plain, [shape]).at(-1) ?? '';

test('the line of a schedule has its last run, also where a tick made none since, and the try that mended it', () => {
  expect(rowOf(schedule)).toBe('nightly   pets     train  0 12 * * *  UTC   #7 failed');
  const retry = { id: 9, number: 9, state: 'succeeded' as const, class: 'succeeded' as const, url };
  const mended = { ...failed, run: failed.run && { ...failed.run, retry } };
  expect(rowOf({ ...schedule, last: [mended] })).toContain('#7 failed, #9 succeeded');
});

test('it says since when it fails, for how often and with what', () => {
  const failing = { count: 3, atLeast: true, since: at, class: 'out_of_memory' as const, runId: 7 };
  expect(rowOf({ ...schedule, failing })).toMatch(
    /failing since Fri 2026-05-01 12:00: at least 3 in a row, the last one with out of memory$/,
  );
  const reason = 'ada/pets cannot be read.';
  expect(rowOf({ ...schedule, state: 'held', since: at, reason })).toMatch(
    / held .* held since Fri 2026-05-01 12:00: ada\/pets cannot be read\.$/,
  );
});

test('one of them shows drift, missed ticks, and what became of its last ticks', () => {
  const lines = scheduleDetail(plain, schedule);
  expect(lines).toContain('drift 0.1 s, at most 0.9 s, 1 missed tick');
  expect(lines.at(-2)).toMatch(/Fri 2026-05-01 12:00 {2}none +#7 was still going on\.$/);
  expect(lines.at(-1)).toMatch(/Fri 2026-05-01 12:00 {2}#7 failed +exit code$/);
  expect(scheduleDetail(plain, { ...schedule, missedTicks: 1_200 })).toContain(
    'drift 0.1 s, at most 0.9 s, 1,200 missed ticks',
  );
});
