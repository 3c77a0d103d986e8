import { and, eq, sql } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { heads, repositories } from './schema/repositories.ts';

export type Repository = typeof repositories.$inferSelect;
export type RepositoryName = { readonly owner: string; readonly name: string };

/** Seconds between two looks at a repository whose pushes we should have heard of anyway. */
export const sweepSeconds = 60;

/** A repository of AME's own host, by the name that people push to, whatever its case. */
export async function findLocalRepository(db: Db, name: RepositoryName): Promise<Repository | undefined> {
  const [row] = await db.orm
    .select()
    .from(repositories)
    .where(
      and(
        eq(repositories.host, 'local'),
        sql`lower(${repositories.owner}) = lower(${name.owner})`,
        sql`lower(${repositories.name}) = lower(${name.name})`,
      ),
    );
  return row;
}

/** Makes a repository of AME's own host, or finds the one that is there. */
export async function insertLocalRepository(db: Db, name: RepositoryName): Promise<Repository> {
  await db.orm
    .insert(repositories)
    .values({
      host: 'local',
      // The local host counts by the row's own sequence: unique, and a number as GitHub's ids are.
      hostId: sql`currval(pg_get_serial_sequence('repositories', 'id'))`,
      owner: name.owner,
      name: name.name,
      createdAt: db.now(),
      dueAt: sql`${db.now()} + make_interval(secs => ${sweepSeconds})`,
    })
    .onConflictDoNothing();
  const found = await findLocalRepository(db, name);
  if (!found) throw new Error(`the repository ${name.owner}/${name.name} could not be stored`);
  return found;
}

export async function findRepository(db: Db, id: number): Promise<Repository | undefined> {
  const [row] = await db.orm.select().from(repositories).where(eq(repositories.id, id));
  return row;
}

export async function saveDefaultBranch(db: Db, id: number, branch: string): Promise<void> {
  await db.orm.update(repositories).set({ defaultBranch: branch }).where(eq(repositories.id, id));
}

/** Where each ref was when it was last seen. */
export async function listHeads(db: Db, repositoryId: number): Promise<ReadonlyMap<string, string>> {
  const rows = await db.orm.select().from(heads).where(eq(heads.repositoryId, repositoryId));
  return new Map(rows.map((row) => [row.ref, row.sha]));
}

/** Notes that `ref` is now at `sha`, or gone with null. */
export async function saveHead(db: Db, repositoryId: number, ref: string, sha: string | null): Promise<void> {
  if (sha === null) {
    await db.orm.delete(heads).where(and(eq(heads.repositoryId, repositoryId), eq(heads.ref, ref)));
    return;
  }
  await db.orm
    .insert(heads)
    .values({ repositoryId, ref, sha, seenAt: db.now() })
    .onConflictDoUpdate({ target: [heads.repositoryId, heads.ref], set: { sha, seenAt: db.now() } });
}
