import type { SQL } from 'drizzle-orm';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findDelivery, insertDeliveries } from '../../src/db/deliveries.ts';
import { connect } from '../../src/db/connect.ts';
import { listParked, wake, type Claim } from '../../src/db/due.ts';
import { findRun } from '../../src/db/runs.ts';
import { createLog } from '../../src/log.ts';
import { openWorkerSession, type WorkerSession } from '../../src/db/worker.ts';
import { StorageRefusedError } from '../../src/storage/storage.ts';
import { AwayError, createLoop, type LoopOptions, type StepEnd } from '../../src/worker/loop.ts';
import { connectTestDatabase, storeProject, storeRun, type Connected, type Home } from '../db/connected.ts';

const log = createLog('silent');
let connected: Connected;
let home: Home;
let sessions: WorkerSession[];

beforeAll(async () => {
  connected = await connectTestDatabase();
});

beforeEach(async () => {
  await connected.empty();
  home = await storeProject(connected);
  // Their numbers are those of sessions that live, so that no loop frees what another one holds.
  sessions = [await openWorkerSession(connected.url, null), await openWorkerSession(connected.url, null)];
});

afterEach(async () => {
  for (const session of sessions) await session.close();
});

afterAll(() => connected.close());

type Given = Partial<LoopOptions> & { readonly step: (claim: Claim) => Promise<StepEnd> };

function loopOf(given: Given, session = 0) {
  const worker = sessions[session]?.worker ?? 0;
  const options = { queue: 'runs', concurrency: 4, leaseSeconds: 60, worker: () => worker } as const;
  return createLoop({ ...options, db: connected.db, log, ...given });
}

async function storeRuns(count: number): Promise<readonly number[]> {
  const ids: number[] = [];
  for (let at = 0; at < count; at += 1) ids.push((await storeRun(connected, home)).id);
  return ids;
}

function inOrder(ids: readonly Claim['id'][]): readonly Claim['id'][] {
  return ids.toSorted((a, b) => String(a).localeCompare(String(b), 'en', { numeric: true }));
}

/** A step that waits until it is let go, and what is in it. */
function gate() {
  const inside: { readonly id: Claim['id']; go(end?: StepEnd): void }[] = [];
  let changed = Promise.withResolvers<void>();
  return {
    inside,
    step: (claim: Claim) => {
      const { promise, resolve } = Promise.withResolvers<StepEnd>();
      inside.push({ id: claim.id, go: (end = { dueInSeconds: 600 }) => resolve(end) });
      changed.resolve();
      changed = Promise.withResolvers<void>();
      return promise;
    },
    /** Until so many steps have begun. */
    begun: async (count: number): Promise<void> => {
      while (inside.length < count) await changed.promise;
    },
  };
}

describe('one look', () => {
  test('works on what is due, gives it back as the step says, and counts it', async () => {
    const ids = await storeRuns(3);
    const seen: Claim['id'][] = [];
    const loop = loopOf({
      step: (claim) => {
        seen.push(claim.id);
        return Promise.resolve({ dueInSeconds: 30 });
      },
    });
    expect(await loop.once()).toBe(3);
    expect(await loop.once()).toBe(0);
    expect(inOrder(seen)).toEqual(ids);
    connected.clock.forward(30);
    expect(await loop.once()).toBe(3);
  });

  test('takes no more than it may work on at once', async () => {
    await storeRuns(5);
    const { inside, step, begun } = gate();
    const loop = loopOf({ concurrency: 2, step });
    const first = loop.once();
    await begun(2);
    expect(await loop.once()).toBe(0);
    expect(inside).toHaveLength(2);
    for (const one of inside) one.go();
    expect(await first).toBe(2);
  });

  test('keeps the trouble of a row that failed, and the others go on', async () => {
    const [bad = 0, good = 0] = await storeRuns(2);
    const loop = loopOf({
      step: (claim) =>
        claim.id === bad
          ? Promise.reject(new Error('broken', { cause: new Error('postgres://a:secret@host') }))
          : Promise.resolve({ dueInSeconds: 600 }),
    });
    expect(await loop.once()).toBe(2);
    expect(await findRun(connected.db, bad)).toMatchObject({
      failures: 1,
      lastError: 'Error: broken; Error: postgres://a:[redacted]@host',
      claimedBy: null,
    });
    expect(await findRun(connected.db, good)).toMatchObject({ failures: 0, lastError: null });
  });

  test('waits for a world that is away as long as it takes', async () => {
    const [id = 0] = await storeRuns(1);
    const unreachable = connect({ url: 'postgres://ame@127.0.0.1:1/ame' });
    const troubles = [
      () => Promise.reject(new AwayError('GitHub is away')),
      async () => ({ dueInSeconds: (await findRun(unreachable, id)) ? 1 : 2 }),
      () => Promise.reject(new StorageRefusedError('S3 refuses')),
    ];
    for (let times = 1; times <= 24; times += 1) {
      const loop = loopOf({ step: () => troubles[times % 3]?.() ?? Promise.reject(new Error('no trouble')) });
      expect(await loop.once()).toBe(1);
      expect(await findRun(connected.db, id)).toMatchObject({ failures: 0, postponed: times });
      connected.clock.forward(75);
    }
    await unreachable.close();
    expect(await listParked(connected.db)).toEqual([]);
  });

  test('leaves a row that failed twenty times to a person', async () => {
    const [id = 0] = await storeRuns(1);
    const loop = loopOf({ step: () => Promise.reject(new Error('again')) });
    for (let times = 1; times <= 20; times += 1) {
      expect(await loop.once()).toBe(1);
      connected.clock.forward(750);
    }
    expect(await loop.once()).toBe(0);
    expect(await listParked(connected.db)).toMatchObject([{ id: String(id), error: 'Error: again' }]);
  });

  test('frees what a worker held whose session is gone', async () => {
    await storeRuns(1);
    const dead = gate();
    const looking = loopOf({ step: dead.step }, 1).once();
    await dead.begun(1);
    const loop = loopOf({ step: () => Promise.resolve({ dueInSeconds: 600 }) });
    expect(await loop.once()).toBe(0);
    await sessions[1]?.close();
    // The server frees the lock a moment after the client is gone: one look at a lock says when.
    const { worker } = sessions[1] ?? { worker: 0 };
    await connected.db.pool.query('select pg_advisory_lock(20221, $1), pg_advisory_unlock(20221, $1)', [
      worker,
    ]);
    expect(await loop.once()).toBe(1);
    dead.inside[0]?.go();
    expect(await looking).toBe(1);
  });

  test('survives a step whose end the database refuses', async () => {
    const [id = 0] = await storeRuns(1);
    const loop = loopOf({ step: () => Promise.resolve({ dueInSeconds: null }) });
    expect(await loop.once()).toBe(1);
    expect(await findRun(connected.db, id)).toMatchObject({
      failures: 1,
      lastError: expect.stringContaining('runs_due_until_final'),
    });
  });
});

describe('the loop', () => {
  test('of two workers takes each of 200 rows exactly once, hints or no hints', async () => {
    const { db } = connected;
    const ids = Array.from({ length: 200 }, (_, at) => `delivery-${String(at).padStart(3, '0')}`);
    await insertDeliveries(
      db,
      ids.map((id) => ({ id, host: 'github' as const, event: 'push', body: Buffer.from('{}') })),
    );
    const seen: Claim['id'][] = [];
    const step = (claim: Claim): Promise<StepEnd> => {
      seen.push(claim.id);
      return Promise.resolve({ dueInSeconds: 600 });
    };
    const loops = [loopOf({ queue: 'deliveries', step }), loopOf({ queue: 'deliveries', step }, 1)];
    // Nobody tells them anything: each goes on while it finds something.
    await Promise.all(
      loops.map(async (loop) => {
        while (seen.length < ids.length) await loop.once();
      }),
    );
    expect(inOrder(seen)).toEqual(ids);
  });

  test('fills its places, looks again as soon as one is free, and hears hints', async () => {
    const [first = 0, ...rest] = await storeRuns(4);
    const { inside, step, begun } = gate();
    const loop = loopOf({ concurrency: 2, step });
    const stop = new AbortController();
    const running = loop.run(stop.signal);
    await begun(2);
    expect(inside).toHaveLength(2);
    inside[0]?.go();
    await begun(3);
    inside[1]?.go();
    await begun(4);
    for (const one of inside) one.go();
    expect(inOrder(inside.map(({ id }) => id))).toEqual([first, ...rest]);
    await wake(connected.db, 'runs', first);
    loop.hint();
    await begun(5);
    expect(inside[4]?.id).toBe(first);
    inside[4]?.go();
    stop.abort();
    await running;
  });

  test('looks once more after a hint where the row was held by somebody else for an instant', async () => {
    const { db } = connected;
    const looked = Promise.withResolvers<void>();
    let holder: pg.PoolClient | null = null;
    // The first look at the row that is held passes it by; by the next one it is free.
    const orm = new Proxy(db.orm, {
      get: (target, key) =>
        key !== 'execute'
          ? Reflect.get(target, key, target)
          : async (query: SQL) => {
              const answer = await target.execute(query);
              looked.resolve();
              await holder?.query('rollback');
              holder?.release();
              holder = null;
              return answer;
            },
    });
    const stop = new AbortController();
    const seen: Claim['id'][] = [];
    const loop = loopOf({
      db: { ...db, orm },
      // No poll would ever find it.
      pollMs: 3_600_000,
      step: (claim) => {
        seen.push(claim.id);
        stop.abort();
        return Promise.resolve({ dueInSeconds: 600 });
      },
    });
    const running = loop.run(stop.signal);
    await looked.promise;
    const [id = 0] = await storeRuns(1);
    const client = await db.pool.connect();
    await client.query('begin');
    await client.query('select from runs where id = $1 for no key update', [id]);
    holder = client;
    loop.hint();
    await running;
    expect(seen).toEqual([id]);
  });

  test('stops at once where nothing is in work, and else when that is done', async () => {
    const [id = 0] = await storeRuns(1);
    const { inside, step, begun } = gate();
    const loop = loopOf({ step });
    const stop = new AbortController();
    const events: string[] = [];
    const running = loop.run(stop.signal).then(() => events.push('stopped'));
    await begun(1);
    stop.abort();
    // Another one finds nothing to wait for.
    await loopOf({ step: () => Promise.resolve({ dueInSeconds: 1 }) }).run(AbortSignal.abort());
    expect(events).toEqual([]);
    events.push('done');
    inside[0]?.go({ dueInSeconds: 40 });
    await running;
    expect(events).toEqual(['done', 'stopped']);
    expect(await findRun(connected.db, id)).toMatchObject({ claimedBy: null });
  });

  test('goes on after a look that failed', async () => {
    const { db } = connected;
    await insertDeliveries(db, [{ id: 'one', host: 'local', event: 'push', body: Buffer.from('') }]);
    const stop = new AbortController();
    let looks = 0;
    const seen: Claim['id'][] = [];
    const loop = loopOf({
      queue: 'deliveries',
      worker: () => {
        looks += 1;
        if (looks > 1) return sessions[0]?.worker ?? 0;
        // Heard during the look that fails, so that the next one comes at once.
        loop.hint();
        throw new Error('no session now');
      },
      step: (claim) => {
        seen.push(claim.id);
        stop.abort();
        return Promise.resolve({ dueInSeconds: 600 });
      },
    });
    await loop.run(stop.signal);
    expect(seen).toEqual(['one']);
    expect(await findDelivery(db, 'one')).toMatchObject({ claimedBy: null, failures: 0 });
  });
});
