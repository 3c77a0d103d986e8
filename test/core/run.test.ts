import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AttemptReport, Observation } from '../../src/core/attempt.ts';
import { outcomes } from '../../src/core/outcome/classes.ts';
import {
  advance,
  attemptStates,
  finalStates,
  isFinal,
  runState,
  runStates,
  settle,
  stopReasons,
  type Attempt,
  type AttemptState,
  type RunState,
} from '../../src/core/run.ts';

const now = new Date('2026-02-03T04:05:06Z');
const earlier = new Date('2026-02-03T04:00:00Z');

const fresh: Attempt = {
  state: 'waiting',
  class: null,
  reason: null,
  exitCode: null,
  signal: null,
  queuedAt: null,
  startedAt: null,
  finishedAt: null,
  stopReason: null,
};

function report(given: Partial<AttemptReport> = {}): AttemptReport {
  const phases = { preparedFrom: null, startedAt: earlier, endedAt: null, storedAt: null };
  return {
    ending: { exitCode: 0, signal: null },
    fault: null,
    phases,
    output: null,
    artifacts: [],
    notices: [],
    peakMemoryBytes: null,
    ...given,
  };
}

const preempted = { class: 'preempted', reason: 'It made room.', exitCode: null, signal: null } as const;

const observations = {
  absent: { kind: 'absent' },
  pending: { kind: 'pending' },
  running: { kind: 'running', startedAt: earlier },
  'ended 0': { kind: 'ended', report: report() },
  'ended 3': { kind: 'ended', report: report({ ending: { exitCode: 3, signal: null } }) },
  fault: {
    kind: 'ended',
    report: report({ ending: null, fault: { class: 'store_failed', message: 'No room.' } }),
  },
  'waits for room': { kind: 'pending', why: 'No node has room.' },
  'being taken': { kind: 'running', startedAt: earlier, taken: preempted },
  taken: { kind: 'ended', report: report({ interrupted: 'taken' }), word: preempted },
  'taken unexplained': { kind: 'ended', report: report({ interrupted: 'taken' }) },
  'out of time': { kind: 'ended', report: report({ interrupted: 'timeout' }) },
  over: { kind: 'over', ending: preempted },
} as const satisfies { readonly [name: string]: Observation };

describe('advance: every state against every observation', () => {
  const ends = ['succeeded', 'failed exit', 'failed store_failed'];
  const taken = ['failed preempted', 'failed deleted', 'failed timeout', 'failed preempted'];
  test.each([
    ['waiting', 'waiting', 'queued', 'running', ...ends, 'queued', 'running', ...taken],
    ['queued', 'failed lost', 'queued', 'running', ...ends, 'queued', 'running', ...taken],
    ['running', 'failed lost', 'running', 'running', ...ends, 'running', 'running', ...taken],
    ['succeeded', ...Array.from({ length: 12 }, () => 'succeeded')],
    ['failed', ...Array.from({ length: 12 }, () => 'failed')],
    ['cancelled', ...Array.from({ length: 12 }, () => 'cancelled')],
    ['skipped', ...Array.from({ length: 12 }, () => 'skipped')],
  ] as [AttemptState, ...string[]][])('%s', (state, ...wanted) => {
    const seen = Object.values(observations).map((observation) => {
      const next = advance({ ...fresh, state }, observation, now);
      return next.state === 'failed' && next.class !== null ? `failed ${next.class}` : next.state;
    });
    expect(seen).toEqual(wanted);
  });

  test.each([
    ['cancel', 'cancelled', 'cancelled'],
    ['superseded', 'cancelled', 'superseded'],
    ['timeout', 'failed', 'timeout'],
    ['queue_timeout', 'failed', 'queue_timeout'],
    ['deadline', 'failed', 'deadline'],
  ] as const)('a stop for %s decides however it ended', (stopReason, state, name) => {
    for (const from of ['waiting', 'queued', 'running'] as const) {
      for (const key of ['absent', 'ended 0', 'ended 3', 'fault', 'taken', 'out of time', 'over'] as const) {
        expect(advance({ ...fresh, state: from, stopReason }, observations[key], now)).toMatchObject({
          state,
          class: name,
          finishedAt: now,
        });
      }
      const still = advance({ ...fresh, state: from, stopReason }, observations.running, now);
      expect(still).toMatchObject({ state: 'running', class: null });
    }
  });

  test('times: queued and started once, never in the future', () => {
    const ahead = new Date(now.getTime() + 5000);
    const started = advance(
      { ...fresh, state: 'queued', queuedAt: earlier },
      { kind: 'running', startedAt: ahead },
      now,
    );
    expect(started).toMatchObject({ queuedAt: earlier, startedAt: now });
    expect(advance(started, observations.running, ahead)).toBe(started);
    expect(advance(fresh, observations.pending, now).queuedAt).toBe(now);
    expect(advance(fresh, observations['ended 0'], now)).toMatchObject({
      queuedAt: now,
      startedAt: earlier,
      finishedAt: now,
    });
  });

  test('keeps what else a row carries', () => {
    expect(advance({ ...fresh, id: 7 }, observations.running, now).id).toBe(7);
  });

  const order: { readonly [state in AttemptState]: number } = {
    waiting: 0,
    queued: 1,
    running: 2,
    succeeded: 3,
    failed: 3,
    cancelled: 3,
    skipped: 3,
  };
  const observation = fc.constantFrom<Observation>(...Object.values(observations));
  const attempt = fc
    .record({
      state: fc.constantFrom(...attemptStates),
      stopReason: fc.option(fc.constantFrom(...stopReasons)),
    })
    .map((given): Attempt => ({ ...fresh, ...given }));

  test('states only move forward, finals absorb everything, and saying it twice changes nothing', () => {
    fc.assert(
      fc.property(attempt, fc.array(observation), (attempt, seen) => {
        let current = attempt;
        for (const observed of seen) {
          const next = advance(current, observed, now);
          expect(order[next.state]).toBeGreaterThanOrEqual(order[current.state]);
          expect(isFinal(current.state) ? next : null).toBe(isFinal(current.state) ? current : null);
          expect(advance(next, observed, now).state === next.state || observed.kind === 'absent').toBe(true);
          current = next;
        }
      }),
    );
  });

  test('a final state and a time, class and reason come together', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('waiting', 'queued', 'running'),
        observation,
        fc.option(fc.constantFrom(...stopReasons)),
        (state, observed, stopReason) => {
          const next = advance({ ...fresh, state, stopReason }, observed, now);
          const facts = [next.finishedAt !== null, next.class !== null, next.reason !== null];
          expect(facts).toEqual(facts.map(() => isFinal(next.state)));
          expect(next.class === null ? null : outcomes[next.class].state).toBe(
            next.class === null ? null : next.state,
          );
        },
      ),
    );
  });
});

test('settle ends what never started, and nothing that has ended', () => {
  const skipped = settle(fresh, 'skipped', 'Because.', now);
  expect(skipped).toMatchObject({ state: 'skipped', class: 'skipped', reason: 'Because.', finishedAt: now });
  expect(settle(skipped, 'cancelled', 'No.', now)).toBe(skipped);
});

describe('runState', () => {
  test.each<[readonly AttemptState[], boolean, RunState, RunState]>([
    [['waiting', 'waiting'], false, 'queued', 'queued'],
    [['queued', 'waiting'], false, 'queued', 'queued'],
    [['running', 'waiting'], false, 'queued', 'running'],
    [['succeeded', 'waiting'], false, 'queued', 'running'],
    // a failed attempt is tried again
    [['waiting'], false, 'running', 'running'],
    [['failed', 'running'], false, 'running', 'running'],
    [['succeeded', 'succeeded'], false, 'running', 'succeeded'],
    [['succeeded', 'skipped'], false, 'running', 'succeeded'],
    [['failed', 'succeeded', 'skipped', 'cancelled'], true, 'running', 'failed'],
    [['cancelled', 'succeeded'], true, 'running', 'cancelled'],
    [['succeeded'], true, 'running', 'succeeded'],
    [['skipped', 'skipped'], false, 'queued', 'skipped'],
    [['skipped'], true, 'queued', 'cancelled'],
    [['running'], false, 'failed', 'failed'],
  ])('%j, cancel %s, from %s: %s', (tasks, cancel, before, after) => {
    expect(runState(tasks, cancel, before)).toBe(after);
  });

  test('is final exactly when all tasks are, and does not depend on their order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...attemptStates), { minLength: 1 }),
        fc.boolean(),
        (tasks, cancel) => {
          const state = runState(tasks, cancel);
          expect(isFinal(state)).toBe(tasks.every(isFinal));
          expect(runState(tasks.toReversed(), cancel)).toBe(state);
          expect(runState(['running'], cancel, state)).toBe(isFinal(state) ? state : 'running');
        },
      ),
    );
  });
});

test('finals are the same for runs and attempts', () => {
  expect(runStates.filter(isFinal)).toEqual([...finalStates]);
});
