import { expect, test } from 'vitest';
import { simulate } from './simulator.ts';
import { leftOut, type LeftOut } from './simulator-table.ts';

/** Schedules from `first` on, with the first one that broke a rule and how to see it again. */
function firstBroken(first: number, count: number, without: LeftOut | null = null): string | null {
  for (let seed = first; seed < first + count; seed += 1) {
    try {
      simulate(seed, { without });
    } catch (error) {
      return `${String(error)}\nplayed again by: node test/core/simulate.ts ${seed}`;
    }
  }
  return null;
}

test('whatever crashes, lapses, pauses, jumps or is told twice: every run ends once and by the rules', () => {
  expect(firstBroken(0, 3_000)).toBeNull();
});

test('the same seed is the same schedule', () => {
  expect(simulate(7, { traced: true }).trace).toEqual(simulate(7, { traced: true }).trace);
});

// A proof that finds nothing is worth what it would have found.
test.each(leftOut)('a design without %s is found out', (without) => {
  expect(firstBroken(0, 5_000, without)).toMatch(/^BrokenRule/);
});
