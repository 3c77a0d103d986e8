import { and, asc, eq, isNotNull, isNull, sql } from 'drizzle-orm';
import type { Check } from '../core/check.ts';
import type { Db } from './connect.ts';
import { dueUnlessWoken, notify, stillHeld, type Claim } from './due.ts';
import { checks } from './schema/checks.ts';
import { storableJson } from './schema/columns.ts';

export type CheckRow = typeof checks.$inferSelect;

/** What a commit is to be told from now on. The checks' own loop tells it; nothing waits for that. */
export async function saveCheck(
  db: Db,
  row: {
    readonly repositoryId: number;
    readonly sha: string;
    readonly runId: number | null;
    readonly says: Check;
  },
): Promise<void> {
  const place =
    row.runId === null
      ? { target: [checks.repositoryId, checks.sha, checks.name], targetWhere: isNull(checks.runId) }
      : { target: [checks.runId], targetWhere: isNotNull(checks.runId) };
  await db.orm
    .insert(checks)
    .values({ ...row, name: row.says.name, dueAt: db.now() })
    .onConflictDoUpdate({
      ...place,
      set: { says: row.says, dueAt: db.now() },
      setWhere: sql`${checks.says} is distinct from excluded.says`,
    });
  await notify(db, 'checks');
}

export async function findCheck(db: Db, id: number): Promise<CheckRow | undefined> {
  const [row] = await db.orm.select().from(checks).where(eq(checks.id, id));
  return row;
}

/** What the commit was told. False where the claim was lost; what it is to be told now may be newer already. */
export async function saveSaid(
  db: Db,
  claim: Claim,
  said: Check,
  hostCheckId: string | null,
): Promise<boolean> {
  const text = storableJson(said);
  const { rowCount } = await db.orm.execute(sql`
    update checks set said = ${text}::jsonb, said_at = ${db.now()}, host_check_id = ${hostCheckId}, failures = 0,
      postponed = 0, last_error = null,
      ${dueUnlessWoken(sql`case when says = ${text}::jsonb then null else ${db.now()} end`)},
      claimed_by = null, claimed_until = null where ${stillHeld(db, claim)}`);
  return rowCount === 1;
}

/** The answer of a commit: its file's check first, then one for each run. */
export async function listChecks(
  db: Db,
  about: { readonly sha: string; readonly repositoryId?: number } | { readonly runId: number },
): Promise<readonly CheckRow[]> {
  const condition =
    'runId' in about
      ? eq(checks.runId, about.runId)
      : and(
          eq(checks.sha, about.sha),
          about.repositoryId === undefined ? undefined : eq(checks.repositoryId, about.repositoryId),
        );
  return db.orm
    .select()
    .from(checks)
    .where(condition)
    .orderBy(sql`${checks.runId} is not null`, asc(checks.id));
}
