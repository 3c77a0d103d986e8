import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { inTransaction } from '../../src/db/connect.ts';
import { claim } from '../../src/db/due.ts';
import {
  findDelivery,
  insertDecisions,
  insertDeliveries,
  listDecisions,
  listDeliveries,
  saveDecided,
  type NewDelivery,
} from '../../src/db/deliveries.ts';
import { recordMoves } from '../../src/db/moves.ts';
import { findRepository, listHeads } from '../../src/db/repositories.ts';
import { connectTestDatabase, storeProject, storeRun, type Connected, type Home } from './connected.ts';

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

const push: NewDelivery = { id: 'one', host: 'local', event: 'push', body: Buffer.of(0, 255, 10) };

test('a delivery is stored once, whatever comes again under its name', async () => {
  const { db, clock } = connected;
  await insertDeliveries(db, [push]);
  const before = await findDelivery(db, 'one');
  clock.forward(5);
  await insertDeliveries(db, [{ ...push, event: 'other', body: Buffer.from('other'), ignored: true }]);
  expect(await findDelivery(db, 'one')).toEqual(before);
  expect(Buffer.from(before?.body ?? [])).toEqual(push.body);
  expect(before).toMatchObject({ outcome: null, decidedAt: null, repositoryId: null });
});

test('what is ignored is decided at once', async () => {
  const { db, clock } = connected;
  await insertDeliveries(db, [
    { ...push, ignored: true },
    { ...push, id: 'two' },
  ]);
  expect(await findDelivery(db, 'one')).toMatchObject({
    outcome: 'ignored',
    decidedAt: clock.now,
    dueAt: null,
  });
  const claims = await claim(db, 'deliveries', { worker: 1, limit: 9, leaseSeconds: 60 });
  expect(claims.map(({ id }) => id)).toEqual(['two']);
});

test('a decision is stored with the end of its delivery or not at all', async () => {
  const { db, clock } = connected;
  await insertDeliveries(db, [push]);
  const [held] = await claim(db, 'deliveries', { worker: 1, limit: 1, leaseSeconds: 60 });
  if (!held) throw new Error('nothing was due');
  const decide = (): Promise<void> =>
    inTransaction(db, async (tx) => {
      const row = { deliveryId: 'one', trigger: 'push', outcome: 'no_run', rule: 'r', message: 'm' } as const;
      await insertDecisions(tx, [row]);
      await saveDecided(tx, held, 'decided');
    });
  clock.forward(60);
  const [second] = await claim(db, 'deliveries', { worker: 2, limit: 1, leaseSeconds: 60 });
  await expect(decide()).rejects.toThrow('no longer held');
  expect(await listDecisions(db, { deliveries: ['one'] })).toEqual([]);
  if (second) await saveDecided(db, second, 'decided');
  await expect(decide()).rejects.toThrow('no longer held');
  expect(await findDelivery(db, 'one')).toMatchObject({ outcome: 'decided', dueAt: null, claimedBy: null });
});

test('decisions are found by delivery, run and commit, in their order', async () => {
  const { db } = connected;
  const run = await storeRun(connected, home);
  await insertDeliveries(db, [push, { ...push, id: 'two' }]);
  const row = { ...home, trigger: 'push', rule: 'r', message: 'm' };
  await insertDecisions(db, [
    { ...row, deliveryId: 'one', commit: 'a', outcome: 'run', runId: run.id, task: 'main' },
    { ...row, deliveryId: 'one', commit: 'a', outcome: 'no_run', task: 'other' },
    { ...row, deliveryId: 'two', commit: 'b', outcome: 'problems' },
  ]);
  await insertDecisions(db, []);
  const outcomes = async (about: Parameters<typeof listDecisions>[1]): Promise<string[]> =>
    (await listDecisions(db, about)).map(({ outcome }) => outcome);
  expect(await outcomes({ deliveries: ['one'] })).toEqual(['run', 'no_run']);
  expect(await outcomes({ deliveries: ['two', 'one', 'none'] })).toEqual(['run', 'no_run', 'problems']);
  expect(await outcomes({ deliveries: [] })).toEqual([]);
  expect(await outcomes({ run: run.id })).toEqual(['run']);
  expect(await outcomes({ commit: 'b' })).toEqual(['problems']);
});

test('moved refs become deliveries, heads and the default branch together', async () => {
  const { db } = connected;
  const [a, b, zero] = ['a'.repeat(40), 'b'.repeat(40), '0'.repeat(40)] as const;
  const ids = await recordMoves(
    db,
    home.repositoryId,
    [
      { ref: 'refs/heads/trunk', before: zero, after: a },
      { ref: 'refs/tags/v1', before: zero, after: b },
    ],
    'refs/heads/trunk',
  );
  expect(ids).toHaveLength(2);
  expect(await findDelivery(db, ids[1] ?? '')).toMatchObject({
    ref: 'refs/tags/v1',
    before: zero,
    after: b,
    event: 'push',
  });
  expect(await listHeads(db, home.repositoryId)).toEqual(
    new Map([
      ['refs/heads/trunk', a],
      ['refs/tags/v1', b],
    ]),
  );
  expect(await findRepository(db, home.repositoryId)).toMatchObject({ defaultBranch: 'trunk' });
  await recordMoves(db, home.repositoryId, [{ ref: 'refs/tags/v1', before: b, after: zero }], null);
  expect(await listHeads(db, home.repositoryId)).toEqual(new Map([['refs/heads/trunk', a]]));
  expect(await findRepository(db, home.repositoryId)).toMatchObject({ defaultBranch: 'trunk' });
  // All or nothing: one that the database refuses undoes the others.
  const refused = recordMoves(
    db,
    home.repositoryId,
    [
      { ref: 'refs/heads/x', before: zero, after: a },
      { ref: 'refs/heads/\0', before: zero, after: a },
    ],
    null,
  );
  await expect(refused).rejects.toThrow('Failed query');
  expect((await listHeads(db, home.repositoryId)).has('refs/heads/x')).toBe(false);
  expect(await listDeliveries(db, { limit: 9 })).toHaveLength(3);
});
