import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect, type Connection } from '../../src/db/connect.ts';
import { listDeliveries, type NewDelivery } from '../../src/db/deliveries.ts';
import { createInbox } from '../../src/server/inbox.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';

let database: TestDatabase;
let db: Connection;

beforeAll(async () => {
  database = await createTestDatabase();
  db = connect({ url: database.url });
  // A trigger of the test's own notes what the database is really asked.
  await db.orm.execute(sql`create table asked (rows int)`);
  await db.orm.execute(sql`create function count_rows() returns trigger language plpgsql as
    $$ begin insert into asked select count(*) from added; return null; end $$`);
  await db.orm.execute(sql`create trigger count_rows after insert on deliveries
    referencing new table as added for each statement execute function count_rows()`);
});

beforeEach(async () => {
  await db.orm.execute(sql`delete from deliveries`);
  await db.orm.execute(sql`delete from asked`);
});

afterAll(async () => {
  await db.close();
  await database.drop();
});

function delivery(id: string, bytes = 2): NewDelivery {
  return { id, host: 'github', event: 'push', body: Buffer.alloc(bytes, 0x20), ignored: true };
}

/** Rows of each insert, in order. */
async function asked(): Promise<readonly number[]> {
  const { rows } = await db.orm.execute<{ rows: number }>(sql`select rows from asked`);
  return rows.map((row) => row.rows);
}

test('what waits at the same time goes in one statement, at most 64 rows', async () => {
  const inbox = createInbox(db);
  await Promise.all(Array.from({ length: 150 }, (_, at) => inbox.put(delivery(`d-${at}`))));
  // The first one found nobody waiting.
  expect(await asked()).toEqual([1, 64, 64, 21]);
  expect(await listDeliveries(db, { limit: 200 })).toHaveLength(150);
});

test('a statement stays small, and what is large goes alone', async () => {
  const inbox = createInbox(db);
  const mebi = 1024 * 1024;
  const sizes = [1, 3 * mebi, 3 * mebi, 3 * mebi, 9 * mebi, 1, 1];
  await Promise.all(sizes.map((bytes, at) => inbox.put(delivery(`d-${at}`, bytes))));
  expect(await asked()).toEqual([1, 2, 1, 1, 2]);
});

test('one that comes twice at the same time is stored once, and both are told', async () => {
  const inbox = createInbox(db);
  await Promise.all(['first', 'same', 'same', 'other'].map((id) => inbox.put(delivery(id))));
  expect(await asked()).toEqual([1, 2]);
});

test('each is told when its statement failed, and the next ones go on', async () => {
  const inbox = createInbox(db);
  const bad: NewDelivery = { ...delivery('bad'), event: 'a\0b' };
  const answers = await Promise.allSettled([inbox.put(bad), inbox.put(delivery('good'))]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  await inbox.put(delivery('later'));
  expect((await listDeliveries(db, { limit: 9 })).map(({ id }) => id).sort()).toEqual(['good', 'later']);
});

test('what nobody waits for any more is let go before its turn', async () => {
  const inbox = createInbox(db);
  const gone = new AbortController();
  const first = inbox.put(delivery('first'), gone.signal);
  const second = inbox.put(delivery('second'), gone.signal);
  const third = inbox.put(delivery('third'));
  gone.abort(new Error('nobody waits'));
  await expect(second).rejects.toThrow('nobody waits');
  // On its way already: it may as well arrive.
  await Promise.all([first, third]);
  expect((await listDeliveries(db, { limit: 9 })).map(({ id }) => id).sort()).toEqual(['first', 'third']);
});
