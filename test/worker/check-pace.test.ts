import { expect, test } from 'vitest';
import { createCheckPace } from '../../src/worker/check-pace.ts';

const start = Date.UTC(2026, 0, 1);
const at = (seconds: number): Date => new Date(start + seconds * 1_000);
const run = { id: 7, state: 'running', createdAt: at(0) } as const;

test('1,000 tasks that end one by one have the check made once a second, and nothing of them is left out', () => {
  const pace = createCheckPace();
  pace.made(run, at(0));
  let made = 0;
  let untold = 0;
  // Each step is taken when a task ends, or when the step before asked for it.
  for (let tick = 1; tick <= 1_000; tick += 1) {
    const now = at(tick / 100);
    untold += 1;
    const due = pace.dueIn(run, true, now);
    expect(due).not.toBeNull();
    expect(due).toBeLessThanOrEqual(1);
    if (due !== 0) continue;
    made += 1;
    untold = 0;
    pace.made(run, now);
  }
  expect(made).toBe(10);
  const rest = pace.dueIn(run, false, at(10.3));
  expect(rest).toBe(untold === 0 ? null : expect.closeTo(0.7, 2));
});

test('what came within the second is told when it is over, although nothing changes any more', () => {
  const pace = createCheckPace();
  pace.made(run, at(5));
  expect(pace.dueIn(run, false, at(5.1))).toBeNull();
  expect(pace.dueIn(run, true, at(5.25))).toBe(0.75);
  expect(pace.dueIn(run, false, at(5.5))).toBe(0.5);
  expect(pace.dueIn(run, false, at(6.5))).toBe(0);
  // A save that failed is done again.
  expect(pace.dueIn(run, false, at(6.6))).toBe(0);
  pace.made(run, at(6.6));
  expect(pace.dueIn(run, false, at(9))).toBeNull();
});

test('a run that somebody else saw has its check made at once; one that was just stored has it already', () => {
  const pace = createCheckPace();
  expect(pace.dueIn(run, false, at(100))).toBe(0);
  const queued = { id: 8, state: 'queued', createdAt: at(100) } as const;
  expect(pace.dueIn(queued, false, at(100))).toBeNull();
  expect(pace.dueIn(queued, true, at(100))).toBe(1);
  pace.forget(run);
  expect(pace.dueIn(run, false, at(200))).toBe(0);
});
