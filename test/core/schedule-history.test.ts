import { expect, test } from 'vitest';
import { summarise, type HistoryEntry } from '../../src/core/schedule/history.ts';

const at = (minute: number): Date => new Date(Date.UTC(2026, 4, 1, 12, minute));
const entry = (
  minute: number,
  state: 'succeeded' | 'failed' | 'running' | 'cancelled' | null,
): HistoryEntry => ({
  tickAt: at(minute),
  ticks: state === null ? 4 : 1,
  decidedAt: new Date(at(minute).getTime() + 250),
  rule: state === null ? 'overlap-skip' : 'tick',
  message: '',
  run:
    state === null
      ? null
      : {
          id: minute,
          number: minute,
          commit: 'c',
          state,
          class: state === 'failed' ? 'exit' : null,
          createdAt: at(minute),
          finishedAt: state === 'running' ? null : at(minute + 1),
          retry: null,
        },
});

/** A tick whose run was tried again, a quarter of an hour later. */
function retried(minute: number, state: 'failed' | 'cancelled', again: 'succeeded' | 'failed'): HistoryEntry {
  const { run, ...tick } = entry(minute, state);
  if (run === null) throw new Error('it has a run');
  const finishedAt = at(minute + 15);
  const outcome = again === 'failed' ? ('timeout' as const) : ('succeeded' as const);
  const retry = { id: minute + 100, number: minute + 100, state: again, class: outcome, finishedAt };
  return { ...tick, run: { ...run, retry } };
}

test('three failures in a row are told: since when, and with which class', () => {
  const newest = [entry(9, 'running'), entry(8, 'failed'), entry(7, null), entry(6, 'failed')];
  expect(summarise([...newest, entry(4, 'succeeded')], true).failing).toBeNull();
  const third = [...newest, entry(5, 'cancelled'), entry(4, 'failed')];
  const streak = { count: 3, atLeast: false, since: at(5), class: 'exit', runId: 8 };
  expect(summarise([...third, entry(3, 'succeeded'), entry(2, 'failed')], false).failing).toEqual(streak);
  expect(summarise(third, false).failing).toEqual({ ...streak, atLeast: true });
});

test('the newest retry of a run is what its tick came to', () => {
  const two = [entry(8, 'failed'), entry(7, 'failed')];
  expect(summarise([...two, retried(6, 'failed', 'succeeded')], true).failing).toBeNull();
  expect(summarise([retried(9, 'failed', 'succeeded'), ...two, entry(6, 'failed')], true).failing).toBeNull();
  const again = { count: 3, atLeast: false, since: at(7), class: 'timeout', runId: 109 };
  // It fails since its first failure, and with the class of the last try.
  expect(
    summarise([retried(9, 'failed', 'failed'), entry(8, 'failed'), retried(6, 'failed', 'failed')], true)
      .failing,
  ).toEqual(again);
  expect(
    summarise([...two, retried(5, 'cancelled', 'failed'), entry(4, 'succeeded')], true).failing,
  ).toMatchObject({ count: 3, since: at(20) });
});

test('drift is that of ticks on time, and ticks without a run are counted', () => {
  const late = { ...entry(1, 'succeeded'), rule: 'tick-late', decidedAt: at(30) };
  const slow = { ...entry(2, 'succeeded'), decidedAt: new Date(at(2).getTime() + 900) };
  expect(summarise([entry(3, 'succeeded'), slow, late, entry(0, null)], true)).toEqual({
    failing: null,
    driftSeconds: 0.25,
    mostDriftSeconds: 0.9,
    missedTicks: 4,
  });
  expect(summarise([], true)).toMatchObject({ driftSeconds: null, mostDriftSeconds: null, missedTicks: 0 });
});
