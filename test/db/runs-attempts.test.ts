import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AttemptReport } from '../../src/core/attempt.ts';
import {
  insertRetries,
  listActiveAttempts,
  listAttempts,
  listTaskStates,
  readReport,
  saveAttempts,
  saveReport,
  saveSaidStarted,
} from '../../src/db/attempts.ts';
import { claim, release } from '../../src/db/due.ts';
import { findRun } from '../../src/db/runs.ts';
import { listTransitions } from '../../src/db/transitions.ts';
import {
  connectTestDatabase,
  endRun,
  storeProject,
  storeRun,
  type Connected,
  type Home,
} from './connected.ts';

let connected: Connected;
let home: Home;

beforeAll(async () => {
  connected = await connectTestDatabase();
});

beforeEach(async () => {
  await connected.empty();
  home = await storeProject(connected);
});

afterAll(() => connected.close());

/** Nothing is due for a while. */
async function rest(): Promise<void> {
  for (const one of await claim(connected.db, 'runs', { worker: 1, limit: 100, leaseSeconds: 60 })) {
    await release(connected.db, one, 600);
  }
}

async function isDue(id: number): Promise<boolean> {
  const run = await findRun(connected.db, id);
  return run !== undefined && run.dueAt !== null && run.dueAt <= connected.clock.now;
}

describe('an attempt', () => {
  test('changes with what is noted beside it, and no more once it is over', async () => {
    const { db, clock } = connected;
    const run = await storeRun(connected, home);
    const step = { task: 'prepare', position: 0, number: 1 } as const;
    const started = clock.now;
    await saveAttempts(db, run.id, [
      { ...step, from: 'waiting', state: 'queued', cause: 'ready', queuedAt: started, host: 'here' },
    ]);
    await saveAttempts(db, run.id, [
      { ...step, from: 'queued', state: 'running', cause: 'started', startedAt: started },
    ]);
    // Nothing new is nothing to note.
    await saveAttempts(db, run.id, [
      { ...step, from: 'running', state: 'running', cause: 'still', stopReason: 'cancel' },
    ]);
    const ending = { class: 'exit', exitCode: 3, finishedAt: started } as const;
    const saved = await saveAttempts(db, run.id, [
      { ...step, from: 'running', state: 'failed', cause: 'exit 3', ...ending },
    ]);
    expect(saved).toMatchObject([{ host: 'here', startedAt: started, stopReason: 'cancel', exitCode: 3 }]);
    const late = { class: 'succeeded', finishedAt: started } as const;
    expect(
      await saveAttempts(db, run.id, [
        { ...step, from: 'failed', state: 'succeeded', cause: 'late', ...late },
      ]),
    ).toEqual([]);
    const notes = await listTransitions(db, run.id);
    expect(notes.map(({ from, to, cause }) => `${from} ${to} ${cause}`)).toEqual([
      'waiting queued ready',
      'queued running started',
      'running failed exit 3',
    ]);
  });

  test('is tried again once, however often that is said', async () => {
    const { db, clock } = connected;
    const run = await storeRun(connected, home);
    const again = [{ task: 'prepare', position: 0, number: 2, notBefore: clock.now, resources: null }];
    await insertRetries(db, run.id, again);
    await insertRetries(db, run.id, again);
    const attempts = await listAttempts(db, run.id);
    expect(attempts.map(({ task, number }) => `${task} ${number}`)).toEqual([
      'prepare 1',
      'prepare 2',
      'train 1',
    ]);
    expect(await listTaskStates(db, run.id)).toEqual(['waiting', 'waiting']);
    expect((await listActiveAttempts(db, run.id)).map(({ number }) => number)).toEqual([2]);
  });

  test('says once that it runs and once that it is over, and wakes its run', async () => {
    const { db, clock } = connected;
    const run = await storeRun(connected, home);
    const [attempt] = await listAttempts(db, run.id);
    const id = attempt?.id ?? 0;
    await rest();
    const phases = { preparedFrom: clock.now, startedAt: clock.now, endedAt: null, storedAt: null };
    const report: AttemptReport = {
      ending: { exitCode: 0, signal: null },
      fault: null,
      phases,
      output: null,
      artifacts: [],
      notices: ['a notice'],
      peakMemoryBytes: 5,
    };
    expect(await saveSaidStarted(db, id, clock.now)).toBe(true);
    expect(await isDue(run.id)).toBe(true);
    expect(await saveReport(db, id, report)).toBe(true);
    expect(await saveReport(db, id, { ...report, notices: ['another'] })).toBe(true);
    const [said] = await listAttempts(db, run.id);
    if (!said) throw new Error('no attempt');
    expect(readReport(said)).toEqual(report);
    await endRun(connected, run.id, 'succeeded');
    expect(await saveSaidStarted(db, id, clock.now)).toBe(false);
    expect(await saveReport(db, id, report)).toBe(false);
    expect(await saveReport(db, 999, report)).toBe(false);
  });
});
