import { sql, type SQL } from 'drizzle-orm';
import type { Digest } from '../core/snapshot.ts';
import { inTransaction, type Db } from './connect.ts';

/**
 * What is kept no longer. Each function takes one small step: it looks at so many rows behind `after` and answers with
 * what it did and where the next step begins; null: it came to the end. So no step holds locks for long, and none
 * depends on how much history there is.
 */
export type SweepStep<Key> = { readonly removed: number; readonly next: Key | null };

/** Rows of a step where nothing else is said. */
export const rowsAtOnce = 1_000;

/** Logs of attempts that ended before `days` ago. */
export function dropLogs(db: Db, days: number, after: number, most: number): Promise<SweepStep<number>> {
  return dropOfAttempts(db, sql`log_archives`, sql`attempt_id`, sql`attempt_id`, days, after, most);
}

/** Artifacts of attempts that ended before `days` ago. */
export function dropArtifacts(db: Db, days: number, after: number, most: number): Promise<SweepStep<number>> {
  return dropOfAttempts(db, sql`artifacts`, sql`id`, sql`attempt_id`, days, after, most);
}

async function dropOfAttempts(
  db: Db,
  table: SQL,
  key: SQL,
  attempt: SQL,
  days: number,
  after: number,
  most: number,
): Promise<SweepStep<number>> {
  const { rows } = await db.orm.execute<{ removed: number; seen: number; last: string | null }>(sql`
    with seen as (
      select ${key} as key, ${attempt} as attempt from ${table} where ${key} > ${after} order by ${key} limit ${most}),
    gone as (
      delete from ${table} where ${key} in (
        select key from seen join attempts on attempts.id = seen.attempt
        where attempts.finished_at < ${before(db, days)})
      returning 1)
    select (select count(*) from gone)::int as removed, count(*)::int as seen, max(key)::text as last from seen`);
  return stepOf(rows[0], most, Number);
}

/** Bodies of deliveries that were decided, and came before `days` ago. The row stays: what was decided refers to it. */
export async function dropBodies(
  db: Db,
  days: number,
  after: string,
  most: number,
): Promise<SweepStep<string>> {
  const { rows } = await db.orm.execute<{ removed: number; seen: number; last: string | null }>(sql`
    with seen as (
      select id, received_at, decided_at, length(body) as bytes from deliveries
      where received_at < ${before(db, days)} and id > ${after} order by id limit ${most}),
    gone as (
      update deliveries set body = ''
      where id in (select id from seen where bytes > 0 and decided_at is not null) returning 1)
    select (select count(*) from gone)::int as removed, count(*)::int as seen, max(id) as last from seen`);
  return stepOf(rows[0], most, String);
}

/** Workspaces that tasks left, of runs that ended before `days` ago: a retry runs those tasks again. */
export async function dropOutputs(
  db: Db,
  days: number,
  after: number,
  most: number,
): Promise<SweepStep<number>> {
  const { rows } = await db.orm.execute<{ removed: number; seen: number; last: string | null }>(sql`
    with seen as (
      select id, run_id, output from attempts where id > ${after} order by id limit ${most}),
    gone as (
      update attempts set output = null
      where id in (
        select seen.id from seen join runs on runs.id = seen.run_id
        where seen.output is not null and runs.finished_at < ${before(db, days)})
      returning 1)
    select (select count(*) from gone)::int as removed, count(*)::int as seen, max(id)::text as last from seen`);
  return stepOf(rows[0], most, Number);
}

function stepOf<Key>(
  row: { removed: number; seen: number; last: string | null } | undefined,
  most: number,
  keyOf: (text: string) => Key,
): SweepStep<Key> {
  const { removed = 0, seen = 0, last = null } = row ?? {};
  return { removed, next: last === null || seen < most ? null : keyOf(last) };
}

/**
 * Workspaces that no attempt names and that are older than `days`: those of tasks, and those of commits that nothing
 * unfinished runs. A commit's comes from git again when it is needed.
 */
export async function dropSnapshots(
  db: Db,
  repositoryId: number,
  days: number,
  most: number,
): Promise<number> {
  return inTransaction(db, async (tx) => {
    // Under the lock that a reader of the commit's content takes: whoever comes later finds no row, and reads git.
    const { rows } = await tx.orm.execute<{ digest: string }>(sql`
      select r.digest from snapshots s join blob_refs r using (repository_id, digest)
      where s.repository_id = ${repositoryId} and s.created_at < ${before(tx, days)}
        and r.used_at < ${before(tx, 1)}
        and not exists (select from attempts a join runs on runs.id = a.run_id
          join projects p on p.id = runs.project_id
          where p.repository_id = ${repositoryId} and a.output = s.digest)
        and not exists (select from runs join projects p on p.id = runs.project_id
          join source_objects o on o.repository_id = p.repository_id and o.oid = runs.commit
          where p.repository_id = ${repositoryId} and o.digest = s.digest and runs.finished_at is null)
      order by r.digest limit ${most} for update of r`);
    const digests = sql.param(rows.map(({ digest }) => digest));
    await tx.orm.execute(sql`delete from source_objects
      where repository_id = ${repositoryId} and digest = any (${digests}::text[])`);
    const { rowCount } = await tx.orm.execute(sql`delete from snapshots
      where repository_id = ${repositoryId} and digest = any (${digests}::text[])`);
    return rowCount ?? 0;
  });
}

/** The roots of all that a repository still has: workspaces, artifacts and logs. Only the first lead to more content. */
export async function listRoots(
  db: Db,
  repositoryId: number,
): Promise<{ readonly trees: readonly Digest[]; readonly files: readonly Digest[] }> {
  const { rows } = await db.orm.execute<{ digest: string; tree: boolean }>(sql`
    with mine as (
      select a.id, a.output from attempts a join runs on runs.id = a.run_id
      join projects p on p.id = runs.project_id where p.repository_id = ${repositoryId})
    select output as digest, true as tree from mine where output is not null
    union select digest, true from snapshots where repository_id = ${repositoryId}
    union select digest, false from artifacts where attempt_id in (select id from mine)
    union select digest, false from log_archives where attempt_id in (select id from mine)`);
  const of = (tree: boolean): Digest[] => rows.filter((row) => row.tree === tree).map(({ digest }) => digest);
  return { trees: of(true), files: of(false) };
}

/** Content that a repository may see and that nobody used for a day, nor since its oldest unfinished run was made. */
export async function listIdleRefs(
  db: Db,
  repositoryId: number,
  after: Digest,
  most: number,
): Promise<readonly Digest[]> {
  const { rows } = await db.orm.execute<{ digest: string }>(sql`
    select digest from blob_refs where repository_id = ${repositoryId} and digest > ${after}
      and used_at < ${idleBefore(db, repositoryId)}
    order by digest limit ${most}`);
  return rows.map(({ digest }) => digest);
}

/** Takes these from a repository, those apart that were used meanwhile. */
export async function dropRefs(db: Db, repositoryId: number, digests: readonly Digest[]): Promise<number> {
  return inTransaction(db, async (tx) => {
    const { rows } = await tx.orm.execute<{ digest: string }>(sql`
      select digest from blob_refs where repository_id = ${repositoryId}
        and digest = any (${sql.param([...digests])}::text[]) and used_at < ${idleBefore(tx, repositoryId)}
      order by digest for update`);
    const idle = sql.param(rows.map(({ digest }) => digest));
    await tx.orm.execute(sql`delete from source_objects
      where repository_id = ${repositoryId} and digest = any (${idle}::text[])`);
    const { rowCount } = await tx.orm.execute(sql`delete from blob_refs
      where repository_id = ${repositoryId} and digest = any (${idle}::text[])`);
    return rowCount ?? 0;
  });
}

/** Workspaces that are put together for an unfinished run stand in no row: what is as young as it is kept. */
function idleBefore(db: Db, repositoryId: number): SQL {
  return sql`least(${before(db, 1)}, (
    select min(runs.created_at) - interval '1 hour' from runs join projects p on p.id = runs.project_id
    where p.repository_id = ${repositoryId} and runs.finished_at is null))`;
}

/**
 * Removes content that no repository has and that nobody wrote for a day, from the rows and then from the store. The
 * rows stay locked until the store has let go: who wants to write the same waits, and writes it anew. A handful at
 * once, since this is the one place where a transaction waits for the store.
 */
export async function dropBlobs(db: Db, remove: (digest: Digest) => Promise<void>): Promise<number> {
  return inTransaction(db, async (tx) => {
    const { rows } = await tx.orm.execute<{ digest: string }>(sql`
      with idle as materialized (
        select digest as chosen from blobs b where used_at < ${before(tx, 1)}
          and not exists (select from blob_refs r where r.digest = b.digest)
        limit 20 for update skip locked)
      delete from blobs using idle where digest = chosen
      returning digest`);
    for (const { digest } of rows) await remove(digest);
    return rows.length;
  });
}

/**
 * Gives what lies in the store without a row one that says that it was used just now and that nobody has it. Its writer
 * may be about to name it, so it is not removed here: it goes with the rest a day later, if still nobody has it.
 * Answers with how many there were.
 */
export async function adoptStrays(
  db: Db,
  found: readonly { readonly digest: Digest; readonly size: number }[],
): Promise<number> {
  let strays = 0;
  for (let from = 0; from < found.length; from += rowsAtOnce) {
    const part = found.slice(from, from + rowsAtOnce);
    const { rowCount } = await db.orm.execute(sql`
      insert into blobs (digest, size, created_at, used_at)
      select digest, size, ${db.now()}, ${db.now()}
      from unnest(${sql.param(part.map(({ digest }) => digest))}::text[],
        ${sql.param(part.map(({ size }) => size))}::bigint[]) as found (digest, size)
      order by digest on conflict (digest) do nothing`);
    strays += rowCount ?? 0;
  }
  return strays;
}

/** The hour of the day, by the database's clock in UTC: all servers agree about it. */
export async function readHour(db: Db): Promise<number> {
  const { rows } = await db.orm.execute<{ hour: number }>(
    sql`select extract(hour from ${db.now()} at time zone 'UTC')::int as hour`,
  );
  return rows[0]?.hour ?? 0;
}

/** The next repository, in the order of their ids; null after the last one. */
export async function nextRepository(db: Db, after: number): Promise<number | null> {
  const { rows } = await db.orm.execute<{ id: string }>(
    sql`select id::text from repositories where id > ${after} order by id limit 1`,
  );
  return rows[0] === undefined ? null : Number(rows[0].id);
}

function before(db: Db, days: number): SQL {
  return sql`${db.now()} - make_interval(days => ${days})`;
}
