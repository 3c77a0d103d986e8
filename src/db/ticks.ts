import { and, eq, inArray, sql } from 'drizzle-orm';
import type { Plan } from '../core/plan.ts';
import type { Project } from '../core/project.ts';
import type { Db } from './connect.ts';
import { dueUnlessWoken, notify, stillHeld, type Claim } from './due.ts';
import type { Repository } from './repositories.ts';
import type { Run } from './runs.ts';
import type { Schedule } from './schedules.ts';
import { storableJson } from './schema/columns.ts';
import { projects, revisions, schedules } from './schema/projects.ts';
import { heads, repositories } from './schema/repositories.ts';

/** A schedule that is due, with what its ticks are bound to. */
export type DueRow = {
  readonly schedule: Schedule;
  readonly project: { readonly id: number; readonly name: string; readonly revisionId: number | null };
  readonly repository: Repository;
  /** The commit of the default branch when it was last seen; `null`: there is none. */
  readonly head: string | null;
};

/** Any number of schedules at once: thousands may tick in the same minute. */
export async function listDue(db: Db, ids: readonly number[]): Promise<readonly DueRow[]> {
  return db.orm
    .select({
      schedule: schedules,
      project: { id: projects.id, name: projects.name, revisionId: projects.revisionId },
      repository: repositories,
      head: heads.sha,
    })
    .from(schedules)
    .innerJoin(projects, eq(schedules.projectId, projects.id))
    .innerJoin(repositories, eq(projects.repositoryId, repositories.id))
    .leftJoin(
      heads,
      and(
        eq(heads.repositoryId, repositories.id),
        eq(heads.ref, sql`'refs/heads/' || ${repositories.defaultBranch}`),
      ),
    )
    .where(inArray(schedules.id, [...ids]));
}

export type RevisionOfProject = {
  readonly id: number;
  readonly projectId: number;
  readonly commit: string;
  /** `null`: its file has errors. */
  readonly project: Project | null;
};

/** What the files of these projects say on the default branch, and said at these commits. */
export async function listTickRevisions(
  db: Db,
  rows: readonly { readonly project: DueRow['project']; readonly commit: string }[],
): Promise<readonly RevisionOfProject[]> {
  const wanted = rows.map(({ project, commit }) => ({ ...project, commit }));
  const { rows: found } = await db.orm.execute<{
    id: string;
    project_id: string;
    commit: string;
    project: Project | null;
  }>(sql`select r.id, r.project_id, r.commit, r.project
    from (select distinct id, "revisionId", commit
      from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as t (id bigint, "revisionId" bigint, commit text)) as t
    join ${revisions} r on r.project_id = t.id and (r.commit = t.commit or r.id = t."revisionId")`);
  return found.map((row) => ({ ...row, id: Number(row.id), projectId: Number(row.project_id) }));
}

/** Runs of each schedule that are not over, by their concurrency group, and how many ticks wait among them. */
export async function countActive(
  db: Db,
  groups: readonly { readonly projectId: number; readonly group: string }[],
): Promise<ReadonlyMap<string, { readonly number: number | null; readonly waiting: number }>> {
  const { rows } = await db.orm.execute<{ group: string; number: number; waiting: number }>(sql`
    select r.concurrency_group as "group", min(r.number)::int as number,
      (count(*) filter (where r.started_at is null and r.trigger = 'tick'))::int as waiting
    from jsonb_to_recordset(${JSON.stringify(groups)}::jsonb) as t ("projectId" bigint, "group" text)
    join runs r on r.concurrency_group = t."group" and r.project_id = t."projectId" and r.finished_at is null
    group by 1`);
  return new Map(rows.map(({ group, number, waiting }) => [group, { number, waiting }]));
}

/** Holds these projects until the transaction ends, in one order for everybody who holds several. */
export async function lockProjects(db: Db, ids: readonly number[]): Promise<void> {
  await db.orm
    .select({ id: projects.id })
    .from(projects)
    .where(inArray(projects.id, [...ids]))
    .orderBy(projects.id)
    .for('update');
}

export type TickedSchedule = {
  readonly claim: Claim;
  readonly read: Schedule;
  readonly nextTickAt: Date;
  readonly lastTickAt: Date | null;
};

/**
 * Moves claimed schedules to their next ticks and gives the claims back. Answers with the ids of those that are still
 * held and are what was read; of any other nothing may be stored.
 */
export async function moveTicks(db: Db, moved: readonly TickedSchedule[]): Promise<ReadonlySet<number>> {
  const rows = moved.map(({ claim, read, nextTickAt, lastTickAt }) => ({
    id: read.id,
    worker: claim.worker,
    until: claim.until,
    cron: read.cron,
    zone: read.zone,
    task: read.task,
    catchup: read.catchup,
    overlap: read.overlap,
    was: read.nextTickAt,
    next: nextTickAt,
    last: lastTickAt,
  }));
  const { rows: stored } = await db.orm.execute<{ id: string }>(sql`
    update schedules s set next_tick_at = t.next, last_tick_at = t.last, failures = 0, postponed = 0, last_error = null,
      held_reason = null, held_since = null, claimed_by = null, claimed_until = null, ${dueUnlessWoken(sql`t.next`)}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as t (id bigint, worker int, until timestamptz(3), cron text,
      zone text, task text, catchup text, overlap text, was timestamptz(3), next timestamptz(3), last timestamptz(3))
    where s.id = t.id and s.claimed_by = t.worker and s.claimed_until = t.until and s.claimed_until > ${db.now()}
      and (s.cron, s.zone, s.task, s.catchup, s.overlap) = (t.cron, t.zone, t.task, t.catchup, t.overlap)
      and s.next_tick_at is not distinct from t.was
    returning s.id`);
  return new Set(stored.map(({ id }) => Number(id)));
}

export type NewTickRun = {
  readonly projectId: number;
  readonly task: string;
  readonly commit: string;
  readonly ref: string;
  readonly causeKey: string;
  readonly plan: Plan;
  readonly planDigest: string;
  readonly concurrencyGroup: string;
  readonly whenBusy: Run['whenBusy'];
};

export type MadeTickRun = {
  readonly id: number;
  readonly projectId: number;
  readonly number: number;
  readonly causeKey: string;
  readonly created: boolean;
};

/**
 * Stores a run for each tick, with an attempt for each of its tasks, or finds the run that has the same cause. The
 * projects are to be locked (`lockProjects`), so that numbers have no gaps and causes no race.
 */
export async function insertTickRuns(db: Db, rows: readonly NewTickRun[]): Promise<readonly MadeTickRun[]> {
  if (rows.length === 0) return [];
  // Each plan travels once: a hundred ticks that are made up for may be of one plan of ten thousand tasks.
  const wanted = storableJson(rows.map((row, place) => ({ place, ...row, plan: undefined })));
  const plans = storableJson([
    ...new Map(rows.map(({ planDigest, plan }) => [planDigest, { planDigest, plan }])).values(),
  ]);
  const { rows: made } = await db.orm.execute<{
    id: string;
    project_id: string;
    number: number;
    cause_key: string;
    created: boolean;
  }>(sql`
    with wanted as materialized (
      select * from jsonb_to_recordset(${wanted}::jsonb) as t (place int, "projectId" bigint, task text, commit text, ref text,
        "causeKey" text, "planDigest" text, "concurrencyGroup" text, "whenBusy" text)),
    plans as materialized (select * from jsonb_to_recordset(${plans}::jsonb) as t ("planDigest" text, plan jsonb)),
    known as (
      select r.id, r.project_id, r.number, r.cause_key from wanted w
      join runs r on r.project_id = w."projectId" and r.cause_key = w."causeKey"),
    fresh as (
      select w.*, row_number() over (partition by w."projectId" order by w.place) as place_in_project from wanted w
      where not exists (select from known k where k.project_id = w."projectId" and k.cause_key = w."causeKey")),
    counted as (
      update projects p set last_number = p.last_number + f.count
      from (select "projectId", count(*)::int as count from fresh group by 1) f where p.id = f."projectId"
      returning p.id, p.last_number - f.count as before),
    made as (
      insert into runs (project_id, number, task, commit, ref, trigger, cause_key, trust, plan, plan_digest,
        concurrency_group, when_busy, state, created_at, due_at)
      select f."projectId", c.before + f.place_in_project, f.task, f.commit, f.ref, 'tick', f."causeKey", 'trusted', p.plan,
        f."planDigest", f."concurrencyGroup", f."whenBusy", 'queued', ${db.now()}, ${db.now()}
      from fresh f join counted c on c.id = f."projectId" join plans p on p."planDigest" = f."planDigest" order by f.place
      returning id, project_id, number, cause_key)
    select id, project_id, number, cause_key, true as created from made
    union all select id, project_id, number, cause_key, false from known`);
  const found = made.map((row) => ({
    id: Number(row.id),
    projectId: Number(row.project_id),
    number: row.number,
    causeKey: row.cause_key,
    created: row.created,
  }));
  const created = found.filter((row) => row.created).map(({ id }) => id);
  await db.orm.execute(sql`
    insert into attempts (run_id, task, position, number, state, created_at)
    select r.id, t.task ->> 'name', t.place - 1, 1, 'waiting', ${db.now()}
    from runs r, jsonb_array_elements(r.plan -> 'tasks') with ordinality as t (task, place)
    where r.id = any(${sql.param(created)}::bigint[])`);
  await notify(db, 'runs');
  return found;
}

/** Gives a claimed schedule back whose ticks must wait, with the reason that people read. */
export async function holdTicks(
  db: Db,
  claim: Claim,
  { reason, seconds }: { readonly reason: string; readonly seconds: number },
): Promise<void> {
  const next = sql`${db.now()} + make_interval(secs => ${seconds})`;
  await db.orm.execute(sql`
    update schedules set held_since = case when held_reason = ${reason} then held_since else ${db.now()} end,
      held_reason = ${reason}, failures = 0, postponed = 0, last_error = null, ${dueUnlessWoken(next)},
      claimed_by = null, claimed_until = null where ${stillHeld(db, claim)}`);
}

/**
 * Gives claimed schedules back, all at once, about which nothing could be done because the database was away: five
 * hundred that are given back one by one would each wait for it, and each say so.
 */
export async function postponeTicks(db: Db, claims: readonly Claim[], error: string): Promise<void> {
  const rows = claims.map(({ id, worker, until }) => ({ id, worker, until }));
  const next = sql`${db.now()} + make_interval(secs => 0.75 + random() / 2)`;
  await db.orm.execute(sql`
    update schedules s set postponed = postponed + 1, last_error = ${error}, ${dueUnlessWoken(next)}, claimed_by = null,
      claimed_until = null
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as t (id bigint, worker int, until timestamptz(3))
    where s.id = t.id and s.claimed_by = t.worker and s.claimed_until = t.until and s.claimed_until > ${db.now()}`);
}
