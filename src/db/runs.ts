import { and, getTableColumns, inArray, asc, desc, eq, gt, isNull, lt, or, sql } from 'drizzle-orm';
import type { Plan } from '../core/plan.ts';
import type { Db } from './connect.ts';
import { ClaimLostError, notify, type Claim } from './due.ts';
import { createKnownPlans } from './known-plans.ts';
import { projects } from './schema/projects.ts';
import { repositories } from './schema/repositories.ts';
import { runs } from './schema/runs.ts';
import { insertTransitions } from './transitions.ts';

export type Run = typeof runs.$inferSelect;

/** A run with the names and ids of where it belongs. */
export type PlacedRun = Run & {
  readonly project: { readonly id: number; readonly name: string; readonly path: string };
  readonly repository: {
    readonly id: number;
    readonly host: 'local' | 'github';
    readonly hostId: string;
    /** GitHub's id of the installation; null on the local host. */
    readonly installationId: string | null;
    readonly access: (typeof repositories.$inferSelect)['access'];
    readonly owner: string;
    readonly name: string;
  };
};

const knownPlans = createKnownPlans();

const placed = {
  run: runs,
  project: { id: projects.id, name: projects.name, path: projects.path },
  repository: {
    id: repositories.id,
    host: repositories.host,
    hostId: repositories.hostId,
    installationId: repositories.installationId,
    access: repositories.access,
    owner: repositories.owner,
    name: repositories.name,
  },
};

function selectPlaced(db: Db) {
  return db.orm
    .select(placed)
    .from(runs)
    .innerJoin(projects, eq(runs.projectId, projects.id))
    .innerJoin(repositories, eq(projects.repositoryId, repositories.id));
}

export async function findRun(db: Db, id: number): Promise<PlacedRun | undefined> {
  const { plan: _plan, ...columns } = getTableColumns(runs);
  const [row] = await db.orm
    .select({ ...placed, run: columns })
    .from(runs)
    .innerJoin(projects, eq(runs.projectId, projects.id))
    .innerJoin(repositories, eq(projects.repositoryId, repositories.id))
    .where(eq(runs.id, id));
  if (row === undefined) return undefined;
  const plan = knownPlans.find(row.run.planDigest) ?? (await readPlan(db, id));
  if (plan === undefined) return undefined;
  knownPlans.keep(row.run.planDigest, plan);
  return { ...row.run, plan, project: row.project, repository: row.repository };
}

async function readPlan(db: Db, id: number): Promise<Plan | undefined> {
  const [row] = await db.orm.select({ plan: runs.plan }).from(runs).where(eq(runs.id, id));
  return row?.plan;
}

/** The run of a project that has this cause. */
export async function findRunByCause(db: Db, projectId: number, causeKey: string): Promise<Run | undefined> {
  const [row] = await db.orm
    .select()
    .from(runs)
    .where(and(eq(runs.projectId, projectId), eq(runs.causeKey, causeKey)));
  return row;
}

/** Runs that `<project>#<number>` may mean; more than one where several repositories have such a project. */
export async function findRunsByNumber(
  db: Db,
  name: { readonly project: string | null; readonly number: number },
): Promise<readonly PlacedRun[]> {
  const rows = await selectPlaced(db)
    .where(
      and(eq(runs.number, name.number), name.project === null ? undefined : eq(projects.name, name.project)),
    )
    .orderBy(asc(runs.id))
    .limit(20);
  return rows.map((row) => ({ ...row.run, project: row.project, repository: row.repository }));
}

/** Whether a task has run, or is to run, at a commit of a repository. */
export async function hasRunAt(db: Db, repositoryId: number, commit: string, task: string): Promise<boolean> {
  const count = await db.orm.$count(
    runs,
    and(
      eq(runs.commit, commit),
      eq(runs.task, task),
      sql`${runs.projectId} in (select id from ${projects} where repository_id = ${repositoryId})`,
    ),
  );
  return count > 0;
}

export async function listRunsById(db: Db, ids: readonly number[]): Promise<readonly Run[]> {
  if (ids.length === 0) return [];
  return db.orm
    .select()
    .from(runs)
    .where(inArray(runs.id, [...ids]))
    .orderBy(asc(runs.id));
}

export type RunFilter = {
  readonly project?: string;
  readonly repositoryId?: number;
  readonly installationId?: string;
  readonly state?: Run['state'];
  readonly ref?: string;
  readonly commit?: string;
  readonly task?: string;
};

/** Newest first; `beforeId` is the last one of the page before. */
export async function listRuns(
  db: Db,
  filter: RunFilter,
  page: { readonly limit: number; readonly beforeId?: number },
): Promise<readonly PlacedRun[]> {
  const rows = await selectPlaced(db)
    .where(
      and(
        filter.project === undefined ? undefined : eq(projects.name, filter.project),
        filter.repositoryId === undefined ? undefined : eq(repositories.id, filter.repositoryId),
        filter.installationId === undefined
          ? undefined
          : eq(repositories.installationId, filter.installationId),
        filter.state === undefined ? undefined : eq(runs.state, filter.state),
        filter.ref === undefined
          ? undefined
          : or(eq(runs.ref, filter.ref), eq(runs.ref, `refs/heads/${filter.ref}`)),
        filter.commit === undefined ? undefined : eq(runs.commit, filter.commit),
        filter.task === undefined ? undefined : eq(runs.task, filter.task),
        page.beforeId === undefined ? undefined : lt(runs.id, page.beforeId),
      ),
    )
    .orderBy(desc(runs.id))
    .limit(page.limit);
  return rows.map((row) => ({ ...row.run, project: row.project, repository: row.repository }));
}

/** Asks every unfinished run of a repository to end. */
export async function requestCancelOf(db: Db, repositoryId: number, cause: string): Promise<void> {
  await db.orm.execute(sql`
    update runs set cancel_requested_at = ${db.now()}, cancel_reason = 'cancel', cancel_cause = ${cause}, due_at = ${db.now()}
    from projects where projects.id = runs.project_id and projects.repository_id = ${repositoryId}
      and runs.finished_at is null and runs.cancel_requested_at is null`);
  await notify(db, 'runs');
}

/** Asks a run to end. False where it has ended, or was asked before. */
export async function requestCancel(db: Db, id: number, cause: string): Promise<boolean> {
  const { rowCount } = await db.orm
    .update(runs)
    .set({ cancelRequestedAt: db.now(), cancelReason: 'cancel', cancelCause: cause, dueAt: db.now() })
    .where(and(eq(runs.id, id), isNull(runs.finishedAt), isNull(runs.cancelRequestedAt)));
  await notify(db, 'runs');
  return rowCount === 1;
}

/**
 * Saves the state of a claimed run and gives the claim back: due again in so many seconds, or with null not
 * at all, which the database grants only to a run that is final with its verdict in its check.
 */
export async function saveRun(
  db: Db,
  claim: Claim,
  run: Run,
  change: Pick<Run, 'state' | 'class' | 'reason' | 'startedAt' | 'finishedAt'>,
  dueInSeconds: number | null,
): Promise<void> {
  const next = dueInSeconds === null ? sql`null` : sql`${db.now()} + make_interval(secs => ${dueInSeconds})`;
  const [saved] = await db.orm
    .update(runs)
    .set({
      ...change,
      version: run.version + 1,
      failures: 0,
      postponed: 0,
      lastError: null,
      dueAt: sql`case when ${runs.dueAt} = ${runs.claimedUntil} then ${next} else ${runs.dueAt} end`,
      claimedBy: null,
      claimedUntil: null,
    })
    .where(
      and(
        eq(runs.id, run.id),
        eq(runs.version, run.version),
        eq(runs.claimedBy, claim.worker),
        eq(runs.claimedUntil, claim.until),
        gt(runs.claimedUntil, db.now()),
      ),
    )
    .returning({ id: runs.id });
  if (!saved) throw new ClaimLostError(`run ${run.id} was saved by another worker`);
  if (change.state !== run.state) {
    await insertTransitions(db, [
      { runId: run.id, from: run.state, to: change.state, cause: change.reason ?? change.state },
    ]);
  }
}

/** Retries of a run, oldest first. */
export async function listRetries(db: Db, of: number): Promise<readonly Run[]> {
  return db.orm.select().from(runs).where(eq(runs.retryOf, of)).orderBy(asc(runs.id));
}
