import { and, asc, eq, isNull, notInArray, sql } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { notify } from './due.ts';
import { installations } from './schema/github.ts';
import { repositories } from './schema/repositories.ts';

export type Installation = typeof installations.$inferSelect;

/** What GitHub says of an installation. */
export type InstallationFacts = {
  readonly hostId: string;
  readonly account: {
    readonly id: string;
    readonly login: string;
    readonly type: Installation['accountType'];
  };
  readonly permissions: Readonly<Record<string, string>>;
  readonly suspendedAt: Date | null;
};

/** Stores what is known of an installation; one that was removed is there again. Due now where anything changed. */
export async function upsertInstallation(db: Db, facts: InstallationFacts): Promise<Installation> {
  const said = {
    accountId: facts.account.id,
    account: facts.account.login,
    accountType: facts.account.type,
    permissions: facts.permissions,
    suspendedAt: facts.suspendedAt,
    removedAt: null,
  };
  const [stored] = await db.orm
    .insert(installations)
    .values({ hostId: facts.hostId, ...said, createdAt: db.now(), dueAt: db.now() })
    .onConflictDoUpdate({
      target: installations.hostId,
      set: {
        ...said,
        dueAt: sql`case when (${installations.account}, ${installations.permissions}, ${installations.suspendedAt},
          ${installations.removedAt}) is distinct from (excluded.account, excluded.permissions, excluded.suspended_at,
          excluded.removed_at) then ${db.now()} else ${installations.dueAt} end`,
      },
    })
    .returning();
  if (!stored) throw new Error('an installation could not be stored');
  await notify(db, 'installations');
  return stored;
}

export async function findInstallation(db: Db, id: number): Promise<Installation | undefined> {
  const [row] = await db.orm.select().from(installations).where(eq(installations.id, id));
  return row;
}

export async function findInstallationByHostId(db: Db, hostId: string): Promise<Installation | undefined> {
  const [row] = await db.orm.select().from(installations).where(eq(installations.hostId, hostId));
  return row;
}

/** By the account's name, those that are gone included. */
export async function listInstallationRows(db: Db): Promise<readonly Installation[]> {
  return db.orm.select().from(installations).orderBy(asc(installations.account), asc(installations.id));
}

export async function saveInstallationRemoved(db: Db, hostId: string): Promise<void> {
  await db.orm
    .update(installations)
    .set({ removedAt: db.now(), dueAt: null, claimedBy: null, claimedUntil: null })
    .where(and(eq(installations.hostId, hostId), isNull(installations.removedAt)));
}

/** Has an installation compared with what GitHub grants soon. */
export async function wakeInstallation(db: Db, hostId: string): Promise<void> {
  await db.orm
    .update(installations)
    .set({ dueAt: db.now() })
    .where(and(eq(installations.hostId, hostId), isNull(installations.removedAt)));
  await notify(db, 'installations');
}

/** Those that we know and GitHub no longer lists. */
export async function listVanished(db: Db, listed: readonly string[]): Promise<readonly Installation[]> {
  return db.orm
    .select()
    .from(installations)
    .where(
      and(
        isNull(installations.removedAt),
        listed.length === 0 ? undefined : notInArray(installations.hostId, [...listed]),
      ),
    );
}

/** The repositories that were seen through an installation last, by GitHub's ids. */
export async function listInstalledRepositories(
  db: Db,
  hostId: string,
): Promise<readonly (typeof repositories.$inferSelect)[]> {
  return db.orm
    .select()
    .from(repositories)
    .where(and(eq(repositories.host, 'github'), eq(repositories.installationId, hostId)))
    .orderBy(asc(repositories.id));
}
