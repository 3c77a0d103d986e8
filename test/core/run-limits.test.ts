import { describe, expect, test } from 'vitest';
import { attemptLimits, reachedLimit, type Since } from '../../src/core/run/limits.ts';

const at = (seconds: number) => new Date(seconds * 1000);
const since = (readyAt: number | null, startedAt: number | null): Since => ({
  readyAt: readyAt === null ? null : at(readyAt),
  startedAt: startedAt === null ? null : at(startedAt),
});

const plan = {
  deadlines: [
    { scope: '', run: 500, queue: null },
    { scope: 'a', run: 100, queue: 20 },
    { scope: 'ab', run: 1, queue: 1 },
  ],
};
const task = { name: 'a/x', timeout: { run: 60, queue: 30 } };

describe('attemptLimits', () => {
  test.each<[string, Since, { readonly [scope: string]: Since }, readonly (readonly [number, string])[]]>([
    ['not ready', since(null, null), {}, []],
    [
      'ready',
      since(10, null),
      { a: since(10, null) },
      [
        [40, 'queue_timeout'],
        [30, 'queue_timeout'],
      ],
    ],
    [
      'ready, its pipeline runs',
      since(50, null),
      { a: since(10, 12) },
      [
        [80, 'queue_timeout'],
        [112, 'deadline'],
      ],
    ],
    [
      'running',
      since(10, 12),
      { '': since(0, 1), a: since(10, 12) },
      [
        [72, 'timeout'],
        [501, 'deadline'],
        [112, 'deadline'],
      ],
    ],
    ['a pipeline whose name only begins alike', since(10, 12), { ab: since(0, 0) }, [[72, 'timeout']]],
  ])('%s', (_name, attempt, scopes, wanted) => {
    const limits = attemptLimits(plan, task, attempt, new Map(Object.entries(scopes)));
    expect(limits.map((limit) => [limit.at.getTime() / 1000, limit.reason])).toEqual(wanted);
  });
});

test('the limit that was reached first decides, at its very moment', () => {
  const limits = [
    { at: at(20), reason: 'timeout' },
    { at: at(10), reason: 'deadline' },
  ] as const;
  expect(reachedLimit(limits, at(9.999))).toBeNull();
  expect(reachedLimit(limits, at(10))?.reason).toBe('deadline');
  expect(reachedLimit(limits, at(30))?.reason).toBe('deadline');
  expect(reachedLimit([], at(30))).toBeNull();
});
