import { and, eq, sql } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { notify } from './due.ts';
import { checks } from './schema/checks.ts';
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

/** What GitHub says of a repository now. */
export type GithubFacts = {
  readonly hostId: string;
  readonly installationId: string;
  readonly owner: string;
  readonly name: string;
  readonly access: Repository['access'];
  /** Left out where what told us does not say. */
  readonly defaultBranch?: string | null;
};

export async function findGithubRepository(db: Db, hostId: string): Promise<Repository | undefined> {
  const [row] = await db.orm
    .select()
    .from(repositories)
    .where(and(eq(repositories.host, 'github'), eq(repositories.hostId, hostId)));
  return row;
}

/** Stores what is known of a repository of GitHub. One that is new, or whose access seems to differ, is looked at now. */
export async function upsertGithubRepository(db: Db, facts: GithubFacts): Promise<Repository> {
  const { defaultBranch, ...said } = facts;
  const branch = defaultBranch === undefined ? {} : { defaultBranch };
  const [stored] = await db.orm
    .insert(repositories)
    .values({ host: 'github', ...said, ...branch, createdAt: db.now(), dueAt: db.now() })
    .onConflictDoUpdate({
      target: [repositories.host, repositories.hostId],
      set: {
        installationId: said.installationId,
        owner: said.owner,
        name: said.name,
        ...branch,
        // What it means that its access is another one is for its own look to say.
        dueAt: sql`case when ${repositories.access} <> excluded.access
          or ${repositories.installationId} is distinct from excluded.installation_id
          or ${repositories.dueAt} is null then ${db.now()} else ${repositories.dueAt} end`,
      },
    })
    .returning();
  if (!stored) throw new Error(`the repository ${facts.owner}/${facts.name} could not be stored`);
  await notify(db, 'repositories');
  return stored;
}

/** What a repository is called now; its default branch only where none was known. */
export async function saveNames(
  db: Db,
  id: number,
  { owner, name, defaultBranch }: RepositoryName & { readonly defaultBranch: string },
): Promise<void> {
  const branch = sql`coalesce(${repositories.defaultBranch}, ${defaultBranch})`;
  await db.orm
    .update(repositories)
    .set({ owner, name, defaultBranch: branch })
    .where(eq(repositories.id, id));
}

/** Says whether a repository can be read; what could not be told meanwhile is told when it can be again. */
export async function saveAccess(db: Db, id: number, access: Repository['access']): Promise<void> {
  await db.orm.update(repositories).set({ access }).where(eq(repositories.id, id));
  if (access !== 'open') return;
  await db.orm
    .update(checks)
    .set({ dueAt: db.now(), failures: 0 })
    .where(and(eq(checks.repositoryId, id), sql`${checks.said} is distinct from ${checks.says}`));
  await notify(db, 'checks');
}

/** Has a repository compared with its host soon. */
export async function wakeRepository(db: Db, id: number): Promise<void> {
  await db.orm.update(repositories).set({ dueAt: db.now() }).where(eq(repositories.id, id));
  await notify(db, 'repositories');
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

/** Holds a repository until the transaction ends: what is decided about its heads is stored one after the other. */
export async function lockRepository(db: Db, id: number): Promise<void> {
  await db.orm.execute(sql`select from ${repositories} where id = ${id} for no key update`);
}

/** Whether something about a ref was stored after `since`, so that what was read of it before may be old by now. */
export async function isSeenSince(db: Db, repositoryId: number, ref: string, since: Date): Promise<boolean> {
  const [row] = await db.orm
    .select({ seenAt: heads.seenAt })
    .from(heads)
    .where(and(eq(heads.repositoryId, repositoryId), eq(heads.ref, ref)));
  return row !== undefined && row.seenAt > since;
}
