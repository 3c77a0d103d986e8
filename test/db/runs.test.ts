import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listAttempts, listTaskStates, saveAttempts } from '../../src/db/attempts.ts';
import { inTransaction } from '../../src/db/connect.ts';
import { claim, release } from '../../src/db/due.ts';
import { insertRun, type NewRun } from '../../src/db/insert-run.ts';
import { findRun, findRunsByNumber, listRetries, requestCancel } from '../../src/db/runs.ts';
import { countAhead, supersede, wakeGroup } from '../../src/db/run-groups.ts';
import { listTransitions } from '../../src/db/transitions.ts';
import {
  connectTestDatabase,
  endRun,
  planOf,
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

describe('a run', () => {
  test('of one cause is one, however many store it at once, and numbers have no gaps', async () => {
    const { db } = connected;
    const row = (causeKey: string): NewRun => ({
      projectId: home.projectId,
      task: 'main',
      commit: 'c'.repeat(40),
      ref: 'refs/heads/main',
      trigger: 'push',
      causeKey,
      trust: 'trusted',
      plan: planOf('train'),
      planDigest: 'd',
      concurrencyGroup: 'g',
      whenBusy: 'allow',
    });
    const causes = ['a', 'b', 'a', 'c', 'b', 'a', 'd', 'd'];
    const stored = await Promise.all(
      causes.map((cause) => inTransaction(db, (tx) => insertRun(tx, row(cause)))),
    );
    const byCause = Map.groupBy(stored, ({ run }) => run.causeKey);
    for (const same of byCause.values()) {
      expect(new Set(same.map(({ run }) => run.id)).size).toBe(1);
      expect(same.filter(({ created }) => created)).toHaveLength(1);
    }
    const numbers = stored.filter(({ created }) => created).map(({ run }) => run.number);
    expect(numbers.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    // One that is undone leaves no gap either.
    await inTransaction(db, async (tx) => {
      await insertRun(tx, row('e'));
      throw new Error('undone');
    }).catch(() => {});
    expect((await inTransaction(db, (tx) => insertRun(tx, row('f')))).run.number).toBe(5);
    // Another project counts for itself, and has causes of its own.
    const other = await storeProject(connected, 'ham');
    expect(await storeRun(connected, other, { causeKey: 'a' })).toMatchObject({ number: 1 });
  });

  test('is born with a waiting attempt for each task, in the order of the plan', async () => {
    const run = await storeRun(connected, home, { plan: planOf('one', 'two', 'three') });
    expect(run).toMatchObject({ state: 'queued', version: 0, dueAt: connected.clock.now, finishedAt: null });
    expect(await listAttempts(connected.db, run.id)).toMatchObject([
      { task: 'one', position: 0, number: 1, state: 'waiting' },
      { task: 'two', position: 1, number: 1, state: 'waiting' },
      { task: 'three', position: 2, number: 1, state: 'waiting' },
    ]);
    expect((await findRun(connected.db, run.id))?.plan).toEqual(planOf('one', 'two', 'three'));
  });

  test('with thousands of tasks is stored by few statements', async () => {
    const [task] = planOf('one').tasks;
    if (!task) throw new Error('no task');
    const tasks = Array.from({ length: 5_000 }, (_, at) => ({ ...task, name: `task-${at}` }));
    const run = await storeRun(connected, home, {
      plan: { project: 'spam', task: 'main', tasks, deadlines: [] },
    });
    const states = await listTaskStates(connected.db, run.id);
    expect(states).toHaveLength(5_000);
    expect(new Set(states)).toEqual(new Set(['waiting']));
    const changes = tasks.map(({ name }, position) => ({
      task: name,
      position,
      number: 1,
      from: 'waiting' as const,
      state: 'queued' as const,
      cause: 'ready',
      queuedAt: connected.clock.now,
    }));
    expect(await saveAttempts(connected.db, run.id, changes)).toHaveLength(5_000);
    expect(await listTransitions(connected.db, run.id)).toHaveLength(5_000);
  });

  test('is found by its number, wherever several projects have it', async () => {
    const other = await storeProject(connected, 'ham');
    const [mine, theirs] = [await storeRun(connected, home), await storeRun(connected, other)];
    const find = async (project: string | null, number: number) =>
      (await findRunsByNumber(connected.db, { project, number })).map(({ id }) => id);
    expect(await find(null, 1)).toEqual([mine.id, theirs.id]);
    expect(await find('ham', 1)).toEqual([theirs.id]);
    expect(await find('ham', 2)).toEqual([]);
    expect(await find('eggs', 1)).toEqual([]);
  });
});

describe('runs of one group', () => {
  const group = { concurrencyGroup: 'one' };

  test('are superseded by a newer one: all, or those that have not started', async () => {
    const { db } = connected;
    const [waiting, started, newer] = [
      await storeRun(connected, home, group),
      await storeRun(connected, home, group),
      await storeRun(connected, home, group),
    ];
    const younger = await storeRun(connected, home, group);
    const elsewhere = await storeRun(connected, home, { concurrencyGroup: 'two' });
    const theirs = await storeRun(connected, await storeProject(connected, 'ham'), group);
    await db.pool.query('update runs set started_at = now() where id = $1', [started.id]);
    await rest();
    expect(await supersede(db, newer, 'waiting', 'Superseded by #3.')).toMatchObject([
      { id: waiting.id, number: 1 },
    ]);
    expect(await supersede(db, newer, 'all', 'Superseded by #3.')).toMatchObject([{ id: started.id }]);
    expect(await supersede(db, newer, 'all', 'again')).toEqual([]);
    expect(await findRun(db, waiting.id)).toMatchObject({
      cancelReason: 'superseded',
      cancelCause: 'Superseded by #3.',
      state: 'queued',
    });
    const due = await Promise.all(
      [waiting, started, newer, younger, elsewhere, theirs].map(({ id }) => isDue(id)),
    );
    expect(due).toEqual([true, true, false, false, false, false]);
  });

  test('wait for the older ones, and hear when one is over', async () => {
    const { db } = connected;
    const [first, second, third] = [
      await storeRun(connected, home, group),
      await storeRun(connected, home, group),
      await storeRun(connected, home, group),
    ];
    await storeRun(connected, home);
    const { rowCount } = await db.pool.query(`update runs set when_busy = 'queue' where id <= $1`, [
      third.id,
    ]);
    expect(rowCount).toBeGreaterThan(2);
    expect([await countAhead(db, first), await countAhead(db, second), await countAhead(db, third)]).toEqual([
      0, 1, 2,
    ]);
    await db.pool.query('update runs set started_at = now() where id = $1', [second.id]);
    await endRun(connected, first.id, 'succeeded');
    expect(await countAhead(db, third)).toBe(1);
    await rest();
    connected.clock.forward(1);
    await wakeGroup(db, first);
    expect([await isDue(second.id), await isDue(third.id)]).toEqual([false, true]);
  });
});

test('a cancel is a wish that is said once', async () => {
  const { db } = connected;
  const run = await storeRun(connected, home);
  await rest();
  expect(await requestCancel(db, run.id, 'Ada')).toBe(true);
  expect(await isDue(run.id)).toBe(true);
  expect(await requestCancel(db, run.id, 'Bob')).toBe(false);
  expect(await findRun(db, run.id)).toMatchObject({
    cancelReason: 'cancel',
    cancelCause: 'Ada',
    state: 'queued',
  });
  const over = await storeRun(connected, home);
  await endRun(connected, over.id, 'failed');
  expect(await requestCancel(db, over.id, 'Ada')).toBe(false);
  expect(await requestCancel(db, 999, 'Ada')).toBe(false);
});

test('a run that takes over attempts names where they came from, also over two steps', async () => {
  const { db } = connected;
  const run = await storeRun(connected, home);
  const ended = await endRun(connected, run.id, 'succeeded');
  const [prepare] = await listAttempts(db, ended.id);
  if (!prepare) throw new Error('no attempt');
  const retry = { trigger: 'retry', retryOf: run.id } as const;
  const second = await storeRun(connected, home, { ...retry, reused: new Map([['prepare', prepare]]) });
  const [taken, own] = await listAttempts(db, second.id);
  expect(taken).toMatchObject({ state: 'succeeded', reusedFrom: prepare.id, number: 1, report: null });
  expect(own).toMatchObject({ task: 'train', state: 'waiting', reusedFrom: null });
  if (!taken) throw new Error('no attempt');
  const third = await storeRun(connected, home, { ...retry, reused: new Map([['prepare', taken]]) });
  expect((await listAttempts(db, third.id))[0]?.reusedFrom).toBe(prepare.id);
  expect((await listRetries(db, run.id)).map(({ id }) => id)).toEqual([second.id, third.id]);
});
