import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OutcomeClass } from '../../src/core/outcome/classes.ts';
import type { RetryCause } from '../../src/core/project.ts';
import { retryDecision } from '../../src/core/run/retry.ts';

const now = new Date('2026-02-03T04:05:06Z');
const anyExit: RetryCause = { kind: 'exit', from: 1, to: 255 };
const signal: RetryCause = { kind: 'signal' };
const timeout: RetryCause = { kind: 'timeout' };

function attempts(...endings: (OutcomeClass | number)[]) {
  return endings.map((ending) => ({
    class: typeof ending === 'number' ? ('exit' as const) : ending,
    exitCode: typeof ending === 'number' ? ending : ending === 'signal' ? 137 : null,
    finishedAt: now,
  }));
}

function pause(max: number, on: readonly RetryCause[], ...endings: (OutcomeClass | number)[]): number | null {
  const decision = retryDecision({ retries: { max, on, backoff: 10 } }, attempts(...endings), now);
  return decision.retry ? (decision.at.getTime() - now.getTime()) / 1000 : null;
}

describe('retryDecision', () => {
  test.each<[number, readonly RetryCause[], readonly (OutcomeClass | number)[], number | null]>([
    [0, [anyExit, signal], [1], null],
    [2, [anyExit, signal], [1], 10],
    [2, [anyExit, signal], [1, 1], 20],
    [2, [anyExit, signal], [1, 1, 1], null],
    [9, [anyExit, signal], [1, 1, 1, 1, 1, 1, 1], 300],
    [1, [anyExit], ['timeout'], null],
    [1, [timeout], ['timeout'], 10],
    [1, [signal], ['signal'], 10],
    [1, [signal], ['out_of_memory'], 10],
    [1, [signal], [1], null],
    // a signal is also an exit code of the shell
    [1, [{ kind: 'exit', from: 137, to: 137 }], ['signal'], 10],
    [1, [{ kind: 'exit', from: 30, to: 33 }], [33], 10],
    [1, [{ kind: 'exit', from: 30, to: 33 }], [34], null],
    [5, [anyExit, signal, timeout], ['conflict'], null],
    [5, [anyExit, signal, timeout], ['queue_timeout'], null],
    [5, [anyExit, signal, timeout], ['cancelled'], null],
    [5, [anyExit, signal, timeout], ['succeeded'], null],
    // what AME broke is tried again three times, whatever the file says
    [0, [], ['lost'], 1],
    [0, [], ['lost', 'start_failed'], 5],
    [0, [], ['lost', 'start_failed', 'store_failed'], 15],
    [0, [], ['lost', 'lost', 'lost', 'lost'], null],
    // and the two kinds are counted apart
    [1, [anyExit], ['lost', 'lost', 1], 10],
    [1, [anyExit], [1, 'lost'], 1],
    [1, [anyExit], [1, 'lost', 1], null],
    [1, [anyExit], [], null],
  ])('max %s on %j after %j: %s', (max, on, endings, seconds) => {
    expect(pause(max, on, ...endings)).toBe(seconds);
  });

  test('never more tries than the file and AME together allow', () => {
    const ending = fc.constantFrom<OutcomeClass | number>(1, 2, 'signal', 'lost', 'store_failed', 'timeout');
    fc.assert(
      fc.property(fc.nat({ max: 5 }), fc.infiniteStream(ending), (max, endings) => {
        const had: (OutcomeClass | number)[] = [];
        do had.push(endings.next().value);
        while (pause(max, [anyExit, signal, timeout], ...had) !== null);
        expect(had.length).toBeLessThanOrEqual(1 + max + 3);
      }),
    );
  });

  test('the pause counts from the end of the attempt and does not overflow', () => {
    const [before] = attempts(1);
    const ended = Array.from({ length: 2000 }, () => ({
      class: 'exit' as const,
      exitCode: 1,
      finishedAt: before?.finishedAt ?? now,
    }));
    const decision = retryDecision(
      { retries: { max: 5000, on: [anyExit], backoff: 10 } },
      ended,
      new Date(0),
    );
    expect(decision).toMatchObject({ retry: true, at: new Date(now.getTime() + 300_000) });
  });
});
