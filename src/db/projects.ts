import { and, asc, eq, inArray, isNotNull, notInArray, or, sql } from 'drizzle-orm';
import type { Problem } from '../core/problems.ts';
import type { Project } from '../core/project.ts';
import type { Db } from './connect.ts';
import { projects, revisions } from './schema/projects.ts';
import { repositories } from './schema/repositories.ts';
import { runs } from './schema/runs.ts';

export type ProjectRow = typeof projects.$inferSelect;
export type Revision = typeof revisions.$inferSelect;

/** The project in one directory of a repository. One that is there keeps its name unless `rename` says otherwise. */
export async function upsertProject(
  db: Db,
  row: { readonly repositoryId: number; readonly path: string; readonly name: string },
  rename: boolean,
): Promise<ProjectRow> {
  const [stored] = await db.orm
    .insert(projects)
    .values({ ...row, createdAt: db.now() })
    .onConflictDoUpdate({
      target: [projects.repositoryId, projects.path],
      set: { name: rename ? row.name : sql`${projects.name}` },
    })
    .returning();
  if (!stored) throw new Error('a project could not be stored');
  return stored;
}

/**
 * Those of these projects of which something may still run: it has a run that is not over, or its repository can be
 * reached and has its file.
 */
export async function findLivingProjects(db: Db, ids: readonly number[]): Promise<ReadonlySet<number>> {
  if (ids.length === 0) return new Set();
  const open = sql`exists (select from ${runs} where ${runs.projectId} = ${projects.id} and ${runs.finishedAt} is null)`;
  const reachable = and(
    isNotNull(projects.revisionId),
    notInArray(repositories.access, ['removed', 'deleted']),
  );
  const rows = await db.orm
    .select({ id: projects.id })
    .from(projects)
    .innerJoin(repositories, eq(projects.repositoryId, repositories.id))
    .where(and(inArray(projects.id, [...ids]), or(open, reachable)));
  return new Set(rows.map(({ id }) => id));
}

export async function findProjectAt(
  db: Db,
  repositoryId: number,
  path: string,
): Promise<ProjectRow | undefined> {
  const [row] = await db.orm
    .select()
    .from(projects)
    .where(and(eq(projects.repositoryId, repositoryId), eq(projects.path, path)));
  return row;
}

/** What the file said at a commit; a commit never changes, so what is there stays. */
export async function insertRevision(
  db: Db,
  row: {
    readonly projectId: number;
    readonly commit: string;
    readonly fileDigest: string;
    readonly project: Project | null;
    readonly problems: readonly Problem[];
  },
): Promise<Revision> {
  await db.orm
    .insert(revisions)
    .values({ ...row, createdAt: db.now() })
    .onConflictDoNothing();
  const [stored] = await db.orm
    .select()
    .from(revisions)
    .where(and(eq(revisions.projectId, row.projectId), eq(revisions.commit, row.commit)));
  if (!stored) throw new Error('a revision could not be stored');
  return stored;
}

/** What the default branch says now; null where it has no file that can be read. */
export async function saveCurrentRevision(
  db: Db,
  projectId: number,
  revisionId: number | null,
): Promise<void> {
  await db.orm.update(projects).set({ revisionId }).where(eq(projects.id, projectId));
}

export type ListedProject = ProjectRow & {
  readonly repository: Pick<
    typeof repositories.$inferSelect,
    'owner' | 'name' | 'host' | 'installationId' | 'defaultBranch'
  >;
};

/** What belongs to one installation, or to one repository, and to no other. */
export type PlaceFilter = { readonly installationId?: string; readonly repositoryId?: number };

export async function listProjects(db: Db, filter: PlaceFilter = {}): Promise<readonly ListedProject[]> {
  const { owner, name, host, installationId, defaultBranch } = repositories;
  const rows = await db.orm
    .select({ project: projects, repository: { owner, name, host, installationId, defaultBranch } })
    .from(projects)
    .innerJoin(repositories, eq(projects.repositoryId, repositories.id))
    .where(
      and(
        filter.installationId === undefined ? undefined : eq(installationId, filter.installationId),
        filter.repositoryId === undefined ? undefined : eq(projects.repositoryId, filter.repositoryId),
      ),
    )
    .orderBy(asc(projects.name), asc(projects.id));
  return rows.map(({ project, repository }) => ({ ...project, repository }));
}

export async function findRevision(db: Db, id: number): Promise<Revision | undefined> {
  const [row] = await db.orm.select().from(revisions).where(eq(revisions.id, id));
  return row;
}

export async function listRevisions(
  db: Db,
  commit: string,
  { repositoryId }: Pick<PlaceFilter, 'repositoryId'> = {},
): Promise<readonly Revision[]> {
  const rows = await db.orm
    .select({ revision: revisions })
    .from(revisions)
    .innerJoin(projects, eq(revisions.projectId, projects.id))
    .where(
      and(
        eq(revisions.commit, commit),
        repositoryId === undefined ? undefined : eq(projects.repositoryId, repositoryId),
      ),
    );
  return rows.map(({ revision }) => revision);
}
