import { sql, type SQL } from 'drizzle-orm';
import { getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Db } from './connect.ts';
import { checks } from './schema/checks.ts';
import { parkedAfter } from './schema/columns.ts';
import { deliveries } from './schema/deliveries.ts';
import { schedules } from './schema/projects.ts';
import { githubApps, installations } from './schema/github.ts';
import { repositories } from './schema/repositories.ts';
import { runs } from './schema/runs.ts';

/** The tables whose rows may need attention. */
export const queues = {
  deliveries,
  github_apps: githubApps,
  installations,
  repositories,
  schedules,
  runs,
  checks,
} as const;
export type Queue = keyof typeof queues;
export type RowId = string | number;

/** A row that this worker holds until `until`; a save after that finds that it no longer does. */
export type Claim = {
  readonly queue: Queue;
  readonly id: RowId;
  readonly worker: number;
  readonly until: Date;
  /** When the claim was made, by the database's clock. */
  readonly now: Date;
  readonly failures: number;
  readonly postponed: number;
};

type ClaimRow = { id: string; claimed_until: Date; now: Date; failures: number; postponed: number };

/** Another worker holds the row by now, so that what this one found out is out of date and was not saved. */
export class ClaimLostError extends Error {
  override name = 'ClaimLostError';
}

/** Takes up to `limit` rows that are due, oldest first, for `leaseSeconds`. */
export async function claim(
  db: Db,
  queue: Queue,
  options: { readonly worker: number; readonly limit: number; readonly leaseSeconds: number },
): Promise<readonly Claim[]> {
  const table = name(queue);
  const until = sql`${db.now()} + make_interval(secs => ${options.leaseSeconds})`;
  // Chosen first and once: with "id in (select … limit n)" Postgres may run the choice again for each row that it joins,
  // and then takes more rows than were asked for (seen: two for one, once the statistics had changed the plan).
  const { rows } = await db.orm.execute<ClaimRow>(sql`
    with chosen as materialized (
      select id as chosen_id, due_at as since, ${urgent(queue)} as urgent from ${table}
      where due_at <= ${db.now()} and (claimed_until is null or claimed_until <= ${db.now()})
        and failures < ${sql.raw(String(parkedAfter))}
      order by urgent desc, since, id limit ${options.limit} for update skip locked),
    taken as (
      update ${table} set claimed_by = ${options.worker}, claimed_until = ${until}, due_at = ${until}
      from chosen where id = chosen_id
      returning id, claimed_until, failures, postponed, urgent, since)
    select id::text, claimed_until, ${db.now()} as now, failures, postponed
    from taken order by urgent desc, since, taken.id`);
  return rows.map((row) => ({
    queue,
    id: queue === 'deliveries' ? row.id : Number(row.id),
    worker: options.worker,
    until: new Date(row.claimed_until),
    now: new Date(row.now),
    failures: row.failures,
    postponed: row.postponed,
  }));
}

/** A commit waits for its verdict longer than for any word before it, so where there are many, verdicts are told first. */
function urgent(queue: Queue): SQL {
  return queue === 'checks' ? sql`(says ->> 'status' = 'completed')` : sql`false`;
}

/**
 * Gives a claimed row back, due again `inSeconds` from now or, with null, not at all. A wake that came in
 * between stays. False where the claim was lost meanwhile, and nothing was changed.
 */
export async function release(db: Db, claim: Claim, inSeconds: number | null): Promise<boolean> {
  const next = inSeconds === null ? sql`null` : sql`${db.now()} + make_interval(secs => ${inSeconds})`;
  return giveBack(db, claim, sql`failures = 0, postponed = 0, last_error = null, ${dueUnlessWoken(next)}`);
}

/** Gives back a row whose step failed. It is tried again after a growing pause, and parked after twenty failures. */
export async function fail(db: Db, claim: Claim, error: string): Promise<boolean> {
  const pause = backOff(claim.failures, 600);
  const next = dueUnlessWoken(sql`${db.now()} + ${pause}`);
  return giveBack(db, claim, sql`failures = failures + 1, last_error = ${error}, ${next}`);
}

/**
 * Gives back a row whose step found the world away, which never counts as a failure of the row. Where the world
 * says when it is worth another try, it is not due before, give or take the same jitter.
 */
export async function postpone(
  db: Db,
  claim: Claim,
  error: string,
  retryAt: Date | null = null,
): Promise<boolean> {
  const pause = backOff(claim.postponed, 60);
  const least = retryAt ? sql`${retryAt.toISOString()}::timestamptz` : db.now();
  const next = dueUnlessWoken(sql`greatest(${db.now()}, ${least}) + ${pause}`);
  return giveBack(db, claim, sql`postponed = postponed + 1, last_error = ${error}, ${next}`);
}

/** Makes a row due now. Safe at any time, claimed or not; the notice only makes it sooner. */
export async function wake(db: Db, queue: Queue, id: RowId): Promise<void> {
  // A delivery that is decided is never due again.
  const open = queue === 'deliveries' ? sql` and decided_at is null` : sql``;
  await db.orm.execute(sql`update ${name(queue)} set due_at = ${db.now()} where id = ${id}${open}`);
  await notify(db, queue);
}

/** Tells the loop of `queue`, in every process, to look now; heard when the transaction commits. */
export async function notify(db: Db, queue: Queue): Promise<void> {
  await db.orm.execute(sql`select pg_notify('ame', ${queue})`);
}

/** Frees what workers held whose sessions are gone; a worker holds an advisory lock on its number while it lives. */
export async function releaseDead(db: Db, queue: Queue): Promise<number> {
  // The dead are named first: with "not exists" in the update itself, a row that another worker had freed and
  // claimed meanwhile was freed again under its living holder (measured; Postgres checks only the row once more).
  const { rowCount } = await db.orm.execute(sql`
    with dead as materialized (
      select distinct claimed_by as worker from ${name(queue)} where claimed_by is not null and not exists (
        select from pg_locks where locktype = 'advisory' and granted and classid = ${workerLockClass}
          and objid = claimed_by::oid and objsubid = 2
          and database = (select oid from pg_database where datname = current_database())))
    update ${name(queue)} set claimed_by = null, claimed_until = null, due_at = ${db.now()}
    from dead where claimed_by = dead.worker`);
  return rowCount ?? 0;
}

/** The first half of the advisory lock that a living worker holds; the second is its number. */
export const workerLockClass = 20_221;

export type ParkedRow = {
  readonly queue: Queue;
  readonly id: string;
  readonly failures: number;
  readonly error: string | null;
};

/** Rows that failed so often that only a person releases them. */
export async function listParked(db: Db): Promise<readonly ParkedRow[]> {
  const parts = Object.keys(queues).map(
    (
      queue,
    ) => sql`select ${queue} as queue, id::text, failures, last_error as error from ${sql.identifier(queue)}
      where due_at is not null and failures >= ${sql.raw(String(parkedAfter))}`,
  );
  const { rows } = await db.orm.execute<ParkedRow>(sql.join(parts, sql` union all `));
  return rows;
}

/** Lets a parked row be tried again. False where there is no such parked row. */
export async function releaseParked(db: Db, queue: Queue, id: string): Promise<boolean> {
  const { rowCount } = await db.orm.execute(sql`
    update ${name(queue)} set failures = 0, due_at = ${db.now()}
    where id::text = ${id} and due_at is not null and failures >= ${sql.raw(String(parkedAfter))}`);
  await notify(db, queue);
  return rowCount === 1;
}

/** `due_at` for the save of a claimed row: `next`, unless a wake moved it from the end of the lease. */
export function dueUnlessWoken(next: SQL): SQL {
  return sql`due_at = case when due_at = claimed_until then ${next} else due_at end`;
}

/**
 * The row is still held under this very lease, which has not lapsed: after that a wake at the instant of its end
 * would look like the claim itself.
 */
export function stillHeld(db: Db, claim: Claim): SQL {
  return sql`id = ${claim.id} and claimed_by = ${claim.worker}
    and claimed_until = ${claim.until.toISOString()}::timestamptz and claimed_until > ${db.now()}`;
}

async function giveBack(db: Db, claim: Claim, change: SQL): Promise<boolean> {
  const { rowCount } = await db.orm.execute(sql`
    update ${name(claim.queue)} set ${change}, claimed_by = null, claimed_until = null where ${stillHeld(db, claim)}`);
  return rowCount === 1;
}

/** One second doubled with every time before, up to `mostSeconds`, give or take a quarter. */
function backOff(before: number, mostSeconds: number): SQL {
  const seconds = Math.min(mostSeconds, 2 ** Math.min(before, 20));
  return sql`make_interval(secs => ${seconds} * (0.75 + random() / 2))`;
}

function name(queue: Queue): SQL {
  const table: PgTable = queues[queue];
  return sql`${sql.identifier(getTableName(table))}`;
}

/** Makes everything due that a start should look at: nobody else would say what ended while nobody was here. */
export async function wakeAtStart(db: Db): Promise<void> {
  await db.orm.execute(sql`update runs set due_at = ${db.now()} where finished_at is null`);
  await db.orm.execute(sql`update repositories set due_at = ${db.now()} where due_at is not null`);
  // What GitHub sent while nobody was here.
  await db.orm.execute(sql`update github_apps set due_at = ${db.now()} where due_at is not null`);
}

/** Makes the run of an attempt due. */
export async function wakeRunOf(db: Db, attemptId: number): Promise<void> {
  await db.orm.execute(sql`update runs set due_at = ${db.now()} from attempts
    where attempts.id = ${attemptId} and runs.id = attempts.run_id and runs.finished_at is null`);
  await notify(db, 'runs');
}
