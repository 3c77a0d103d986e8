import { describe, expect, test } from 'vitest';
import {
  answersOf,
  busyRules,
  filesOf,
  histories,
  runsOf,
  type Answer,
  type History,
  type Rule,
} from './deliveries-order.ts';

/** Calls `look` with every order of what is given, in place: n! times. */
function eachOrder<T>(given: T[], look: (order: readonly T[]) => void, fixed = 0): void {
  if (fixed === given.length) return look(given);
  for (let at = fixed; at < given.length; at += 1) {
    swap(given, fixed, at);
    eachOrder(given, look, fixed + 1);
    swap(given, fixed, at);
  }
}

function swap(given: unknown[], one: number, other: number): void {
  [given[one], given[other]] = [given[other], given[one]];
}

/** The inbox takes a delivery once. */
function taken(order: readonly Answer[]): readonly Answer[] {
  return order.filter(({ id }, at) => order.findIndex((other) => other.id === id) === at);
}

describe.each(histories)('$name', (history) => {
  test.each(busyRules)('40,320 orders of its deliveries come to one end, with `%s`', (rule) => {
    const ends = new Set<string>();
    // The same runs stored in the same order come to the same end, and of most orders they are.
    const known = new Map<string, string>();
    let count = 0;
    eachOrder([...answersOf(history, rule)], (order) => {
      const told = taken(order);
      const running = told.filter(({ placed }) => placed.length > 0);
      const key = running.map(({ id }) => id).join();
      let runs = known.get(key);
      if (runs === undefined) {
        runs = runsOf(running, false).join('\n');
        expect(runsOf(running, true).join('\n')).toBe(runs);
        known.set(key, runs);
      }
      ends.add(`${runs}\n${filesOf(told).join('\n')}`);
      count += 1;
    });
    expect(count).toBe(40_320);
    expect([...ends]).toEqual([endExpected(history, rule)]);
  });
});

/** The one end: with `allow` all of them ran; else only what stands where the branch is did. */
function endExpected({ tip }: History, rule: Rule): string {
  const ref = 'refs/heads/topic';
  const runs = ['a', 'b', 'd'].flatMap((letter) => {
    const commit = letter.repeat(40);
    const ran = rule === 'allow' || commit === tip;
    const end = ran
      ? 'succeeded - success'
      : `cancelled ${ref} had moved on before this push was looked at. cancelled`;
    return ['lint', 'train'].map((task) => `commit:${commit}:${ref}:${task} ${end}`);
  });
  const files = ['a', 'b', 'c', 'd'].map(
    (letter) => `file of ${letter.repeat(40)} ${letter === 'c' ? 'failure' : 'success'}`,
  );
  return [...runs, ...files].join('\n');
}
