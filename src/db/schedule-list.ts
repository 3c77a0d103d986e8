import { and, asc, eq, isNull, sql, type SQL } from 'drizzle-orm';
import type { Db } from './connect.ts';
import type { Schedule } from './schedules.ts';
import { projects, schedules } from './schema/projects.ts';
import { repositories } from './schema/repositories.ts';

/** A schedule and where it belongs. */
export type PlacedSchedule = Schedule & {
  readonly project: { readonly id: number; readonly name: string };
  readonly repository: {
    readonly id: number;
    readonly host: 'local' | 'github';
    readonly owner: string;
    readonly name: string;
    readonly installationId: string | null;
    readonly defaultBranch: string | null;
  };
};

export type ScheduleFilter = {
  readonly projectId?: number;
  readonly projectName?: string;
  readonly name?: string;
  readonly repositoryId?: number;
  readonly installationId?: string;
};

/** Where a schedule stands in the list: a page that begins after it misses none, also where it has gone since. */
export type ScheduleCursor = {
  readonly projectName: string;
  readonly projectId: number;
  readonly name: string;
};

/** Schedules by project and name, at most `limit` of those after a place in that order. */
export async function listSchedules(
  db: Db,
  filter: ScheduleFilter,
  { limit, after }: { readonly limit: number; readonly after?: ScheduleCursor },
): Promise<readonly PlacedSchedule[]> {
  const { owner, name, host, installationId, defaultBranch, id } = repositories;
  const rows = await db.orm
    .select({
      schedule: schedules,
      project: { id: projects.id, name: projects.name },
      repository: { id, host, owner, name, installationId, defaultBranch },
    })
    .from(schedules)
    .innerJoin(projects, eq(schedules.projectId, projects.id))
    .innerJoin(repositories, eq(projects.repositoryId, repositories.id))
    .where(
      and(
        fits(filter),
        after &&
          sql`(${projects.name}, ${projects.id}, ${schedules.name})
            > (${after.projectName}::text, ${after.projectId}::bigint, ${after.name}::text)`,
      ),
    )
    .orderBy(asc(projects.name), asc(projects.id), asc(schedules.name))
    .limit(limit);
  return rows.map(({ schedule, project, repository }) => ({ ...schedule, project, repository }));
}

/** How many there are. */
export async function countSchedules(db: Db, filter: ScheduleFilter): Promise<number> {
  const [row] = await db.orm
    .select({ count: sql<number>`count(*)::int` })
    .from(schedules)
    .innerJoin(projects, eq(schedules.projectId, projects.id))
    .innerJoin(repositories, eq(projects.repositoryId, repositories.id))
    .where(fits(filter));
  return row?.count ?? 0;
}

/** Names of a project's schedules that a person paused. */
export async function listPausedNames(db: Db, projectId: number): Promise<readonly string[]> {
  const rows = await db.orm
    .select({ name: schedules.name })
    .from(schedules)
    .where(and(eq(schedules.projectId, projectId), eq(schedules.paused, true)));
  return rows.map(({ name }) => name);
}

function fits(filter: ScheduleFilter): SQL | undefined {
  const { projectId, projectName, name, repositoryId, installationId } = filter;
  return and(
    isNull(schedules.removedAt),
    projectId === undefined ? undefined : eq(schedules.projectId, projectId),
    projectName === undefined ? undefined : eq(projects.name, projectName),
    name === undefined ? undefined : eq(schedules.name, name),
    repositoryId === undefined ? undefined : eq(projects.repositoryId, repositoryId),
    installationId === undefined ? undefined : eq(repositories.installationId, installationId),
  );
}
