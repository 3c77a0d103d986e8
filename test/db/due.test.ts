import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ClaimLostError,
  claim,
  fail,
  listParked,
  postpone,
  release,
  releaseParked,
  wake,
  wakeAtStart,
  wakeRunOf,
  type Claim,
} from '../../src/db/due.ts';
import { listAttempts } from '../../src/db/attempts.ts';
import { insertDeliveries, saveDecided } from '../../src/db/deliveries.ts';
import { findRun, saveRun } from '../../src/db/runs.ts';
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
const unchanged = { class: null, reason: null, startedAt: null, finishedAt: null } as const;

function take(worker = 1, limit = 10): Promise<readonly Claim[]> {
  return claim(connected.db, 'runs', { worker, limit, leaseSeconds: lease });
}

async function takeOne(worker = 1): Promise<Claim> {
  const [first, ...others] = await take(worker);
  if (!first || others.length > 0) throw new Error('not exactly one row was due');
  return first;
}

async function queueOf(id: number) {
  const run = await findRun(connected.db, id);
  if (!run) throw new Error(`there is no run ${id}`);
  const { dueAt, claimedBy, claimedUntil, failures, postponed, lastError } = run;
  return { dueAt, claimedBy, claimedUntil, failures, postponed, lastError };
}

/** Seconds from now by the test's clock. */
async function dueIn(id: number): Promise<number | null> {
  const { dueAt } = await queueOf(id);
  return dueAt && (dueAt.getTime() - connected.clock.now.getTime()) / 1_000;
}

describe('a claim', () => {
  test('of many workers at once takes each row once', async () => {
    const { db } = connected;
    const rows = Array.from({ length: 40 }, (_, at) => ({
      id: `delivery-${at}`,
      host: 'github' as const,
      event: 'push',
      body: Buffer.from('{}'),
    }));
    await insertDeliveries(db, rows);
    const taken = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8].map((worker) =>
        claim(db, 'deliveries', { worker, limit: 5, leaseSeconds: lease }),
      ),
    );
    // A row that another one is just looking at is passed over, so the first round may leave some.
    taken.push(await claim(db, 'deliveries', { worker: 9, limit: 40, leaseSeconds: lease }));
    expect(
      taken
        .flat()
        .map(({ id }) => String(id))
        .sort(),
    ).toEqual(rows.map(({ id }) => id).sort());
    expect(taken.slice(0, 8).every((claims) => claims.length <= 5)).toBe(true);
  });

  test('passes by a row that another transaction holds, and comes back for it', async () => {
    const run = await storeRun(connected, home);
    const other = new Client({ connectionString: connected.url });
    await other.connect();
    await other.query('begin');
    await other.query('select from runs where id = $1 for update', [run.id]);
    expect(await take()).toEqual([]);
    await other.query('rollback');
    await other.end();
    expect(await take()).toHaveLength(1);
  });

  test('takes the longest due first, and nothing that is due later', async () => {
    const [first, second] = [await storeRun(connected, home), await storeRun(connected, home)];
    connected.clock.forward(5);
    await wake(connected.db, 'runs', first.id);
    expect((await take(1, 1)).map(({ id }) => id)).toEqual([second.id]);
    connected.clock.forward(-1);
    expect(await take(1, 1)).toEqual([]);
  });

  test('holds for its lease, and then another one takes the row', async () => {
    await storeRun(connected, home);
    const held = await takeOne(1);
    expect(held.until.getTime() - held.now.getTime()).toBe(lease * 1_000);
    connected.clock.forward(lease - 0.001);
    expect(await take(2)).toEqual([]);
    connected.clock.forward(0.001);
    expect(await take(2)).toHaveLength(1);
  });

  test('that lapsed changes nothing any more, whether or not another one took the row', async () => {
    const { db } = connected;
    const run = await storeRun(connected, home);
    const first = await takeOne(1);
    connected.clock.forward(lease);
    const before = await queueOf(run.id);
    for (const giveBack of [release(db, first, null), fail(db, first, 'late'), postpone(db, first, 'late')]) {
      expect(await giveBack).toBe(false);
    }
    expect(await queueOf(run.id)).toEqual(before);
    const second = await takeOne(1);
    expect(await release(db, first, 5)).toBe(false);
    expect(await queueOf(run.id)).toMatchObject({ claimedBy: 1, claimedUntil: second.until });
    expect(await release(db, second, 5)).toBe(true);
    expect(await release(db, second, 50)).toBe(false);
    expect(await dueIn(run.id)).toBe(5);
  });
});

describe('a wake', () => {
  // Also at the first and the last instant of the claim, which a clock that stands still makes easy.
  test.each([0, 0.001, 30, lease - 0.001])(
    '%s s into a claim outlives every way to give it back',
    async (into) => {
      const { db, clock } = connected;
      const run = await storeRun(connected, home);
      const ways: readonly ((held: Claim) => Promise<unknown>)[] = [
        (held) => release(db, held, 600),
        (held) => fail(db, held, 'no'),
        (held) => postpone(db, held, 'away'),
        async (held) => {
          const now = await findRun(db, run.id);
          if (now) await saveRun(db, held, now, { ...unchanged, state: 'running' }, 600);
        },
      ];
      for (const giveBack of ways) {
        const held = await takeOne();
        clock.forward(into);
        await wake(db, 'runs', run.id);
        expect(await take(2)).toEqual([]);
        await giveBack(held);
        expect(await dueIn(run.id)).toBe(0);
        expect(await queueOf(run.id)).toMatchObject({ claimedBy: null, claimedUntil: null });
      }
    },
  );

  test('at the very end of a claim is answered by the next one', async () => {
    const { db, clock } = connected;
    const run = await storeRun(connected, home);
    const held = await takeOne();
    clock.forward(lease);
    await wake(db, 'runs', run.id);
    expect(await release(db, held, 600)).toBe(false);
    expect(await take()).toHaveLength(1);
  });

  test('of an attempt is one of its run, as long as that goes on', async () => {
    const { db } = connected;
    const run = await storeRun(connected, home);
    const [attempt] = await listAttempts(db, run.id);
    const held = await takeOne();
    await release(db, held, 600);
    await wakeRunOf(db, attempt?.id ?? 0);
    expect(await dueIn(run.id)).toBe(0);
  });

  test('of a decided delivery is nothing', async () => {
    const { db } = connected;
    await insertDeliveries(db, [{ id: 'one', host: 'local', event: 'push', body: Buffer.from('') }]);
    const [held] = await claim(db, 'deliveries', { worker: 1, limit: 1, leaseSeconds: lease });
    if (held) await saveDecided(db, held, 'ignored');
    await wake(db, 'deliveries', 'one');
    expect(await claim(db, 'deliveries', { worker: 1, limit: 1, leaseSeconds: lease })).toEqual([]);
  });

  test('of everything at a start leaves what others hold to them', async () => {
    const { db } = connected;
    const [held, waiting] = [await storeRun(connected, home), await storeRun(connected, home)];
    const claims = await take(1, 1);
    const [later] = await take(2, 1);
    if (later) await release(db, later, 600);
    await wakeAtStart(db);
    expect(await take(3)).toHaveLength(1);
    expect(claims.map(({ id }) => id)).toEqual([held.id]);
    expect(await queueOf(waiting.id)).toMatchObject({ claimedBy: 3 });
  });
});

describe('what is given back', () => {
  test('is due when its step says, and its troubles are forgotten', async () => {
    const { db, clock } = connected;
    const run = await storeRun(connected, home);
    await fail(db, await takeOne(), 'a');
    clock.forward(2);
    await postpone(db, await takeOne(), 'b');
    expect(await queueOf(run.id)).toMatchObject({ failures: 1, postponed: 1, lastError: 'b' });
    clock.forward(2);
    await release(db, await takeOne(), 7.5);
    expect(await dueIn(run.id)).toBe(7.5);
    expect(await queueOf(run.id)).toMatchObject({ failures: 0, postponed: 0, lastError: null });
  });

  test('without a time is due no more, where the row may be that', async () => {
    const { db, clock } = connected;
    await storeRun(connected, home);
    await expect(release(db, await takeOne(), null)).rejects.toMatchObject({
      cause: { constraint: 'runs_due_until_final' },
    });
    clock.forward(600);
    const [repository] = await claim(db, 'repositories', { worker: 1, limit: 1, leaseSeconds: lease });
    if (repository) expect(await release(db, repository, null)).toBe(true);
    clock.forward(600);
    expect(await claim(db, 'repositories', { worker: 1, limit: 1, leaseSeconds: lease })).toEqual([]);
  });

  test('after a failure waits twice as long each time, up to ten minutes, and is parked after twenty', async () => {
    const { db, clock } = connected;
    const run = await storeRun(connected, home);
    for (let failures = 0; failures < 20; failures += 1) {
      expect(await listParked(db)).toEqual([]);
      const held = await takeOne();
      expect(held.failures).toBe(failures);
      await fail(db, held, `failure ${failures + 1}`);
      const plain = Math.min(600, 2 ** failures);
      const pause = (await dueIn(run.id)) ?? 0;
      expect(pause).toBeGreaterThanOrEqual(plain * 0.75 - 0.001);
      expect(pause).toBeLessThanOrEqual(plain * 1.25 + 0.001);
      clock.forward(750);
    }
    expect(await take()).toEqual([]);
    await wake(db, 'runs', run.id);
    expect(await take()).toEqual([]);
    expect(await listParked(db)).toEqual([
      { queue: 'runs', id: String(run.id), failures: 20, error: 'failure 20' },
    ]);
    expect(await releaseParked(db, 'runs', String(run.id))).toBe(true);
    expect(await releaseParked(db, 'runs', String(run.id))).toBe(false);
    expect(await releaseParked(db, 'runs', 'nonsense')).toBe(false);
    expect(await takeOne()).toMatchObject({ failures: 0 });
  });

  test('because the world was away waits up to a minute, and is never parked', async () => {
    const { db, clock } = connected;
    const run = await storeRun(connected, home);
    for (let times = 0; times < 30; times += 1) {
      const held = await takeOne();
      expect(held).toMatchObject({ postponed: times, failures: 0 });
      await postpone(db, held, 'away');
      const plain = Math.min(60, 2 ** times);
      const pause = (await dueIn(run.id)) ?? 0;
      expect(pause).toBeGreaterThanOrEqual(plain * 0.75 - 0.001);
      expect(pause).toBeLessThanOrEqual(plain * 1.25 + 0.001);
      clock.forward(75);
    }
    expect(await listParked(db)).toEqual([]);
  });

  test('is not saved over what another worker saved', async () => {
    const { db, clock } = connected;
    const stored = await storeRun(connected, home);
    const run = await findRun(db, stored.id);
    if (!run) throw new Error('no run');
    const first = await takeOne(1);
    clock.forward(lease);
    const second = await takeOne(2);
    await saveRun(db, second, run, { ...unchanged, state: 'running' }, 10);
    await expect(saveRun(db, first, run, { ...unchanged, state: 'queued' }, 10)).rejects.toThrow(
      ClaimLostError,
    );
    await expect(saveRun(db, second, run, { ...unchanged, state: 'queued' }, 10)).rejects.toThrow(
      ClaimLostError,
    );
    expect(await findRun(db, run.id)).toMatchObject({ state: 'running', version: 1 });
  });
});
