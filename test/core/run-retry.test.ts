import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OutcomeClass } from '../../src/core/outcome/classes.ts';
import type { RetryCause } from '../../src/core/project.ts';
import type { AskedResources } from '../../src/core/resources.ts';
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
    resources: null,
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
    // what had to make room is tried again without end, after pauses that grow
    [0, [], ['preempted'], 5],
    [0, [], ['preempted', 'drained'], 10],
    [0, [], Array.from({ length: 5 }, () => 'drained'), 80],
    [0, [], Array.from({ length: 40 }, () => 'preempted'), 300],
    [0, [], [...Array.from({ length: 40 }, () => 'preempted' as const), 'node_lost'], 1],
    [1, [anyExit], ['preempted', 'drained', 1], 10],
    // without a next rung memory is a matter of the file's `retries`
    [0, [anyExit, signal], ['out_of_memory'], null],
    [1, [signal], ['out_of_memory', 'out_of_memory'], null],
    [2, [anyExit, signal], [1, 'out_of_memory'], 20],
    [0, [], ['image_missing'], null],
    [5, [anyExit, signal, timeout], ['storage_full'], null],
    // and the kinds are counted apart
    [1, [anyExit], ['lost', 'lost', 1], 10],
    [1, [anyExit], [1, 'lost'], 1],
    [1, [anyExit], [1, 'lost', 1], null],
    [1, [anyExit], [], null],
  ])('max %s on %j after %j: %s', (max, on, endings, seconds) => {
    expect(pause(max, on, ...endings)).toBe(seconds);
  });

  const gibibyte = 2 ** 30;
  const given = (bytes: number, ceilingBytes: number): AskedResources => ({
    cpu: { millis: 1_000, limited: false },
    memory: { bytes, ceilingBytes },
    storageBytes: gibibyte,
    gpus: 0,
    vramMib: null,
  });
  /** The sizes that a task is given which never has enough, until nobody tries it again. */
  function climb(
    resources: AskedResources,
    max: number,
    on: readonly RetryCause[] = [signal],
  ): readonly number[] {
    const had: { class: OutcomeClass; exitCode: number; finishedAt: Date; resources: AskedResources }[] = [];
    for (let next: AskedResources | null = resources; next !== null;) {
      had.push({ class: 'out_of_memory', exitCode: 137, finishedAt: now, resources: next });
      const decision = retryDecision({ retries: { max, on, backoff: 10 } }, had, now);
      next = decision.retry ? decision.resources : null;
    }
    return had.map((attempt) => attempt.resources.memory.bytes / gibibyte);
  }

  test.each<[number, number, number, readonly number[]]>([
    [2, 16, 0, [2, 4, 8, 16]],
    [3, 16, 0, [3, 6, 12, 16]],
    [2, 2, 0, [2]],
    [2, 3, 0, [2, 3]],
    // at the ceiling the file's own `retries` count, and only there
    [2, 8, 2, [2, 4, 8, 8, 8]],
  ])('memory climbs from %s to %s GiB, with %s retries', (start, ceiling, max, sizes) => {
    expect(climb(given(start * gibibyte, ceiling * gibibyte), max)).toEqual(sizes);
    expect(climb(given(start * gibibyte, ceiling * gibibyte), max, [])).toEqual(
      sizes.slice(0, sizes.length - max),
    );
  });

  test('every rung is at most twice the one before, and the last one is the ceiling', () => {
    const size = fc.integer({ min: 1, max: 2 ** 40 });
    fc.assert(
      fc.property(size, size, (a, b) => {
        const [start, ceiling] = [Math.min(a, b), Math.max(a, b)];
        const rungs = climb(given(start, ceiling), 0).map((gib) => gib * gibibyte);
        expect([rungs[0], rungs.at(-1)]).toEqual([start, ceiling]);
        for (const [at, rung] of rungs.slice(1).entries()) {
          expect(rung).toBeGreaterThan(rungs[at] ?? 0);
          expect(rung).toBeLessThanOrEqual(2 * (rungs[at] ?? 0));
        }
      }),
    );
  });

  test('a raise waits a moment and says its size; what is tried again for another reason keeps it', () => {
    const first = {
      class: 'out_of_memory' as const,
      exitCode: 137,
      finishedAt: now,
      resources: given(2 * gibibyte, 16 * gibibyte),
    };
    const raise = retryDecision({ retries: { max: 0, on: [], backoff: 10 } }, [first], now);
    expect(raise).toMatchObject({
      retry: true,
      at: new Date(now.getTime() + 1_000),
      why: 'out of memory: tried again with 4Gi of memory.',
      resources: { memory: { bytes: 4 * gibibyte, over: 2 * gibibyte } },
    });
    const second = { ...first, class: 'lost' as const, resources: raise.retry ? raise.resources : null };
    const again = retryDecision({ retries: { max: 0, on: [], backoff: 10 } }, [first, second], now);
    expect(again).toMatchObject({ retry: true, resources: second.resources });
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
      resources: null,
    }));
    const decision = retryDecision(
      { retries: { max: 5000, on: [anyExit], backoff: 10 } },
      ended,
      new Date(0),
    );
    expect(decision).toMatchObject({ retry: true, at: new Date(now.getTime() + 300_000) });
  });
});
