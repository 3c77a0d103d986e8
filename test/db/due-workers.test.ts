import { sql } from 'drizzle-orm';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claim, releaseDead, type Claim } from '../../src/db/due.ts';
import { findRun } from '../../src/db/runs.ts';
import { openWorkerSession, type WorkerSession } from '../../src/db/worker.ts';
import { createWire } from '../journeys/wire.ts';
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

const lease = 60;

function take(worker = 1, limit = 10): Promise<readonly Claim[]> {
  return claim(connected.db, 'runs', { worker, limit, leaseSeconds: lease });
}

async function queueOf(id: number) {
  const run = await findRun(connected.db, id);
  if (!run) throw new Error(`there is no run ${id}`);
  const { dueAt, claimedBy, claimedUntil, failures, postponed, lastError } = run;
  return { dueAt, claimedBy, claimedUntil, failures, postponed, lastError };
}

describe('a worker that is gone', () => {
  let sessions: WorkerSession[] = [];
  const open = async (): Promise<WorkerSession> => {
    const session = await openWorkerSession(connected.url, null);
    sessions.push(session);
    return session;
  };
  afterEach(async () => {
    for (const session of sessions) await session.close();
    sessions = [];
  });

  test('gives up its claims at once, and nobody else does', async () => {
    const { db } = connected;
    const [dead, alive] = [await open(), await open()];
    expect(alive.worker).not.toBe(dead.worker);
    const [one, two] = [await storeRun(connected, home), await storeRun(connected, home)];
    await take(dead.worker, 1);
    await take(alive.worker, 1);
    expect(await releaseDead(db, 'runs')).toBe(0);
    await killSession(dead);
    expect(await releaseDead(db, 'runs')).toBe(1);
    expect(await queueOf(one.id)).toMatchObject({ claimedBy: null, dueAt: connected.clock.now });
    expect(await queueOf(two.id)).toMatchObject({ claimedBy: alive.worker });
    expect(await take(alive.worker)).toHaveLength(1);
  });

  test('learns that its session fell silent, and can leave it', async () => {
    await using wire = await createWire(connected.url);
    const silent = await openWorkerSession(wire.url, () => {}, { beatMs: 20, answerMs: 1_000 });
    wire.freeze();
    expect(await silent.lost).toMatchObject({ code: 'ETIMEDOUT' });
    await silent.close();
    wire.mend();
    const hung = await openWorkerSession(wire.url, () => {});
    wire.freeze();
    await hung.close();
  });

  test('asks again and again whether its session is there', async () => {
    const session = await openWorkerSession(connected.url, () => {}, { beatMs: 20, answerMs: 20_000 });
    const beats = new Set<unknown>();
    while (beats.size < 3) {
      const { rows } = await connected.db.orm.execute<{ at: string }>(
        sql`select query_start::text as at from pg_stat_activity
            where datname = current_database() and application_name = 'ame-worker' and query = 'select 1'`,
      );
      for (const { at } of rows) beats.add(at);
    }
    await session.close();
    expect(await session.lost).toMatchObject({ message: 'the session ended' });
  });

  test('is not taken for dead because of another lock, or another database', async () => {
    await using elsewhere = await connectTestDatabase();
    const { db } = connected;
    const worker = 12_345;
    await storeRun(connected, home);
    await take(worker);
    const other = new Client({ connectionString: elsewhere.url });
    const same = new Client({ connectionString: connected.url });
    await Promise.all([other.connect(), same.connect()]);
    await other.query('select pg_advisory_lock(20221, $1)', [worker]);
    // One number of 64 bits shows as the same two halves.
    await same.query('select pg_advisory_lock((20221::bigint << 32) + $1)', [worker]);
    expect(await releaseDead(db, 'runs')).toBe(1);
    await Promise.all([other.end(), same.end()]);
  });

  test('does not take with it what a living one claims at that moment', async () => {
    const { db } = connected;
    const alive = await open();
    const run = await storeRun(connected, home);
    await take(9_999);
    const other = new Client({ connectionString: connected.url });
    await other.connect();
    await other.query('begin');
    await other.query('update runs set claimed_by = $1 where id = $2', [alive.worker, run.id]);
    const releasing = releaseDead(db, 'runs');
    await waitsForLock(other);
    await other.query('commit');
    await other.end();
    expect(await releasing).toBe(0);
    expect(await queueOf(run.id)).toMatchObject({ claimedBy: alive.worker });
  });

  test('hears of it', async () => {
    const session = await open();
    await killSession(session);
    expect(await session.lost).toBeInstanceOf(Error);
  });

  /** Ends the session as a crash would, and waits until the server has noticed. */
  async function killSession(session: WorkerSession): Promise<void> {
    await connected.db.orm.execute(sql`select pg_terminate_backend(pid) from pg_locks
      where locktype = 'advisory' and objid = ${session.worker}::oid and granted
        and database = (select oid from pg_database where datname = current_database())`);
    await session.lost;
    await connected.db.orm.execute(sql`select pg_advisory_lock(20221, ${session.worker}),
      pg_advisory_unlock(20221, ${session.worker})`);
  }

  /** Until another session waits for a row. */
  async function waitsForLock(client: Client): Promise<void> {
    for (;;) {
      const { rows } = await client.query<{ waiting: boolean }>(`select exists (
        select from pg_locks where not granted and transactionid is not null) as waiting`);
      if (rows[0]?.waiting) return;
    }
  }
});
