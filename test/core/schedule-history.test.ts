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
        },
});

test('three failures in a row are told: since when, and with which class', () => {
  const newest = [entry(9, 'running'), entry(8, 'failed'), entry(7, null), entry(6, 'failed')];
  expect(summarise([...newest, entry(4, 'succeeded')], true).failing).toBeNull();
  const third = [...newest, entry(5, 'cancelled'), entry(4, 'failed')];
  const streak = { count: 3, atLeast: false, since: at(5), class: 'exit', runId: 8 };
  expect(summarise([...third, entry(3, 'succeeded'), entry(2, 'failed')], false).failing).toEqual(streak);
  expect(summarise(third, false).failing).toEqual({ ...streak, atLeast: true });
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
