import { connect as openSocket, createServer, type AddressInfo } from 'node:net';
import { sql } from 'drizzle-orm';
import { Client, type PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  connect,
  inTransaction,
  isDatabaseAway,
  isReachable,
  sqlState,
  type Connection,
} from '../../src/db/connect.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { createWire } from '../journeys/wire.ts';

let database: TestDatabase;
let db: Connection;

beforeAll(async () => {
  database = await createTestDatabase();
  db = connect({ url: database.url, max: 3 });
});

afterAll(async () => {
  await db.close();
  await database.drop();
});

function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
}

describe('the database is away where', () => {
  test('nobody listens', async () => {
    const nowhere = connect({ url: 'postgres://ame@127.0.0.1:1/ame' });
    expect(isDatabaseAway(await failure(nowhere.orm.execute(sql`select 1`)))).toBe(true);
    expect(await isReachable(nowhere)).toBe(false);
    await nowhere.close();
  });

  test('its socket is gone as a file', async () => {
    const nowhere = connect({ url: 'postgres://ame@localhost/ame?host=/nonexistent' });
    expect(isDatabaseAway(await failure(nowhere.orm.execute(sql`select 1`)))).toBe(true);
    await nowhere.close();
  });

  test('the connection is cut before, during and after a query', async () => {
    // A door between, which the test closes.
    const sockets = new Set<ReturnType<typeof openSocket>>();
    const { port } = new URL(database.url);
    const door = createServer((socket) => {
      const behind = openSocket(Number(port), '127.0.0.1');
      for (const one of [socket, behind]) {
        sockets.add(one);
        one.on('error', () => {});
      }
      socket.pipe(behind).pipe(socket);
    });
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    const address = door.address() as AddressInfo;
    const through = new URL(database.url);
    through.port = String(address.port);
    const broken: Error[] = [];
    const cut = connect({ url: through.href, max: 1, onError: (error) => broken.push(error) });
    expect(await isReachable(cut)).toBe(true);
    const asking = failure(cut.orm.execute(sql`select pg_sleep(60)`));
    const holder = new Client({ connectionString: database.url });
    await holder.connect();
    for (;;) {
      const { rows } = await holder.query(
        `select from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`,
      );
      if (rows.length > 0) break;
    }
    for (const socket of sockets) socket.destroy();
    expect(isDatabaseAway(await asking)).toBe(true);
    door.close();
    expect(isDatabaseAway(await failure(cut.orm.execute(sql`select 1`)))).toBe(true);
    await holder.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`,
    );
    await holder.end();
    await cut.close();
  });

  test('it falls silent: the query is given up with its connection, and another one works', async () => {
    await using wire = await createWire(database.url);
    const broken: Error[] = [];
    const onError = (error: Error) => broken.push(error);
    const silent = connect({ url: wire.url, max: 1, answerMs: 1_000, onError });
    const pids: unknown[] = [];
    const notePid = async (): Promise<void> => {
      pids.push(
        (await silent.orm.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)).rows[0]?.pid,
      );
    };
    await notePid();
    wire.freeze();
    expect(isDatabaseAway(await failure(silent.orm.execute(sql`select 1`)))).toBe(true);
    wire.mend();
    await notePid();
    expect(pids[0]).not.toBe(pids[1]);
    // What is undone and given back after it finds the connection broken, and waits no second time.
    const inner = failure(
      inTransaction(silent, async (tx) => {
        await tx.orm.execute(sql`select 1`);
        wire.freeze();
        await tx.orm.execute(sql`select 1`);
      }),
    );
    expect(isDatabaseAway(await inner)).toBe(true);
    wire.mend();
    await notePid();
    expect(new Set(pids).size).toBe(3);
    expect(broken.map(({ message }) => message)).toContain('the database did not answer within 1 s');
    await silent.close();
  });

  test('it hangs in the middle of a stop, which does not wait for it', async () => {
    await using wire = await createWire(database.url);
    const hung = connect({ url: wire.url });
    expect(await isReachable(hung)).toBe(true);
    wire.freeze();
    const asking = failure(hung.orm.execute(sql`select 1`));
    hung.hasten();
    expect(isDatabaseAway(await asking)).toBe(true);
    await hung.close();
  });

  test('an administrator ends the session, and the pool goes on', async () => {
    const asking = failure(
      inTransaction(db, async (tx) => {
        const { rows } = await tx.orm.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
        await db.orm.execute(sql`select pg_terminate_backend(${rows[0]?.pid})`);
        await tx.orm.execute(sql`select 1`);
      }),
    );
    expect(isDatabaseAway(await asking)).toBe(true);
    expect(await isReachable(db)).toBe(true);
  });

  test.each(['EPIPE', 'ECONNRESET', 'EAI_AGAIN', 'ENOTFOUND', 'ETIMEDOUT'])('the network says %s', (code) => {
    const error = new Error('query', { cause: Object.assign(new Error('network'), { code }) });
    expect(isDatabaseAway(error)).toBe(true);
    expect(sqlState(error)).toBeUndefined();
  });
});

test('a connection that is closed is closed for the server too', async () => {
  const told: Error[] = [];
  const own = connect({ url: database.url, onError: (error) => told.push(error) });
  const asked = Array.from({ length: 5 }, () =>
    own.orm.execute<{ pid: number }>(sql`select pg_backend_pid() as pid, pg_sleep(0.05)`),
  );
  const pids = (await Promise.all(asked)).map(({ rows }) => rows[0]?.pid ?? 0);
  await own.close();
  const left = await db.orm.execute(sql`select from pg_stat_activity where pid in ${pids}`);
  expect([left.rowCount, told]).toEqual([0, []]);
});

describe('the database is not away where', () => {
  test('it refuses', async () => {
    const error = await failure(db.orm.execute(sql`insert into heads values (1, 'a', 'b', now())`));
    expect([isDatabaseAway(error), sqlState(error)]).toEqual([false, '23503']);
    expect(sqlState(await failure(db.orm.execute(sql`select 1 / 0`)))).toBe('22012');
  });

  test.each<unknown>([
    Object.assign(new Error('no such file'), { code: 'ENOENT', syscall: 'open' }),
    Object.assign(new Error('no room'), { code: 'ENOSPC', syscall: 'write' }),
    Object.assign(new Error('not allowed'), { code: 'EPERM' }),
    Object.assign(new Error('no git'), { code: 'ENOENT', syscall: 'spawn git' }),
    new Error('anything'),
    'text',
    null,
  ])('it is something else: %s', (error) => {
    expect(isDatabaseAway(error)).toBe(false);
  });
});

test('a transaction is undone as a whole, and one within it alone', async () => {
  await db.orm.execute(sql`create table noted (n int)`);
  await failure(
    inTransaction(db, async (tx) => {
      await tx.orm.execute(sql`insert into noted values (1)`);
      throw new Error('no');
    }),
  );
  await inTransaction(db, async (tx) => {
    await tx.orm.execute(sql`insert into noted values (2)`);
    await failure(
      inTransaction(tx, async (inner) => {
        await inner.orm.execute(sql`insert into noted values (3)`);
        throw new Error('no');
      }),
    );
  });
  expect((await db.orm.execute(sql`select n from noted`)).rows).toEqual([{ n: 2 }]);
});

test('the time is that of the database in whole milliseconds, or what a test says', async () => {
  const { rows } = await db.orm.execute<{ whole: boolean }>(
    sql`select ${db.now()} = date_trunc('milliseconds', ${db.now()}) and ${db.now()} <= clock_timestamp() as whole`,
  );
  expect(rows).toEqual([{ whole: true }]);
  const stopped = connect({ url: database.url, clock: () => new Date('2026-05-01T12:00:00.123Z') });
  const said = await stopped.orm.execute<{ now: Date }>(sql`select ${stopped.now()} as now`);
  expect(new Date(said.rows[0]?.now ?? 0).toISOString()).toBe('2026-05-01T12:00:00.123Z');
  await stopped.close();
});

test('connections that break before their transaction begins are given back', async () => {
  await using database = await createTestDatabase();
  const db = connect({ url: database.url, max: 2 });
  try {
    const cut = (client: PoolClient): void => void client.connection.stream.destroy();
    db.pool.on('acquire', cut);
    for (let n = 0; n < 5; n += 1)
      await expect(inTransaction(db, () => Promise.resolve(n))).rejects.toThrow(/begin/);
    db.pool.off('acquire', cut);
    expect(await inTransaction(db, () => Promise.resolve('begun'))).toBe('begun');
    expect(db.pool.waitingCount).toBe(0);
  } finally {
    await db.close();
  }
});

test('a connection on which nobody heard that a transaction began is not used again', async () => {
  await using database = await createTestDatabase();
  const db = connect({ url: database.url, max: 1 });
  try {
    const loseAnswer = (client: PoolClient): void => {
      const ask = client.query.bind(client) as (...asked: unknown[]) => Promise<unknown>;
      const lost = async (...asked: unknown[]): Promise<never> => {
        await ask(...asked);
        throw new Error('nobody heard the answer');
      };
      Object.assign(client, { query: lost });
    };
    db.pool.on('acquire', loseAnswer);
    await expect(inTransaction(db, () => Promise.resolve('begun'))).rejects.toThrow(/begin/);
    db.pool.off('acquire', loseAnswer);
    await db.orm.execute(sql`create table noted (n int)`);
    const other = connect({ url: database.url });
    expect((await other.orm.execute(sql`select * from noted`)).rows).toEqual([]);
    await other.close();
  } finally {
    await db.close();
  }
});

test('a database that may only be read for a while, as in a failover, is away', async () => {
  await using database = await createTestDatabase();
  const before = connect({ url: database.url });
  await before.orm.execute(sql`create table noted (n int)`);
  await before.orm.execute(
    sql`do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$`,
  );
  await before.close();
  const db = connect({ url: database.url });
  try {
    const refused = await db.orm.execute(sql`insert into noted values (1)`).catch((error: unknown) => error);
    expect([sqlState(refused), isDatabaseAway(refused)]).toEqual(['25006', true]);
    expect((await db.orm.execute(sql`select n from noted`)).rows).toEqual([]);
  } finally {
    await db.close();
  }
});
