import { and, asc, desc, eq, inArray, isNotNull, isNull, or, sql } from 'drizzle-orm';
import type { Check } from '../core/check.ts';
import type { Db } from './connect.ts';
import { ClaimLostError, dueUnlessWoken, notify, stillHeld, type Claim } from './due.ts';
import { checks } from './schema/checks.ts';
import { storableJson } from './schema/columns.ts';
import { runs } from './schema/runs.ts';

/** Between the name of a check and how often it was made anew. */
const renewedBy = '~';

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
  /** Seconds that the first word may wait for a better one, which is told at once. */
  settleSeconds = 0,
): Promise<void> {
  const place =
    row.runId === null
      ? { target: [checks.repositoryId, checks.sha, checks.name], targetWhere: isNull(checks.runId) }
      : { target: [checks.runId], targetWhere: isNotNull(checks.runId) };
  await db.orm
    .insert(checks)
    .values({
      ...row,
      name: row.says.name,
      dueAt: settleSeconds === 0 ? db.now() : sql`${db.now()} + make_interval(secs => ${settleSeconds})`,
    })
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

export type Said = {
  readonly said: Check;
  readonly hostCheckId: string | null;
  readonly annotationsSaid: number;
  readonly updates: number;
  /** A word that was sent before may still arrive, and cover this one. */
  readonly doubtful: boolean;
  /** What the host shows is to be looked at, in so many seconds; null: only with the next word. */
  readonly lookAgainInSeconds: number | null;
};

/** What the commit was told. False where the claim was lost; what it is to be told now may be newer already. */
export async function saveSaid(db: Db, claim: Claim, told: Said): Promise<boolean> {
  const text = storableJson(told.said);
  const again = told.lookAgainInSeconds;
  const next = again === null ? sql`null` : sql`${db.now()} + make_interval(secs => ${again})`;
  const { rowCount } = await db.orm.execute(sql`
    update checks set said = ${text}::jsonb, said_at = ${db.now()}, host_check_id = ${told.hostCheckId},
      annotations_said = ${told.annotationsSaid}, updates = ${told.updates},
      sending_since = ${told.doubtful ? sql`sending_since` : sql`null`}, failures = 0, postponed = 0, last_error = null,
      ${dueUnlessWoken(sql`case when says = ${text}::jsonb then ${next} else ${db.now()} end`)},
      claimed_by = null, claimed_until = null where ${stillHeld(db, claim)}`);
  return rowCount === 1;
}

/** Notes that something is about to be sent, so that whoever comes after a crash knows that it may be there. */
export async function saveSending(db: Db, claim: Claim): Promise<void> {
  const { rowCount } = await db.orm.execute(sql`
    update checks set sending_since = coalesce(sending_since, ${db.now()}) where ${stillHeld(db, claim)}`);
  if (rowCount !== 1) throw new ClaimLostError(`check ${claim.id} is no longer held by this worker`);
}

/** Keeps the host's id as soon as it is known: what follows can fail without making another one. */
export async function saveHostCheck(db: Db, claim: Claim, hostCheckId: string): Promise<void> {
  await db.orm.execute(sql`update checks set host_check_id = ${hostCheckId} where ${stillHeld(db, claim)}`);
}

/**
 * Has a check made anew on its host, as someone asked there: the one before stays as it was, so the new one has a name
 * of its own by which it is found.
 */
export async function renewCheck(db: Db, { id, says }: Pick<CheckRow, 'id' | 'says'>): Promise<void> {
  const [base = '', count = '1'] = says.externalId.split(renewedBy);
  await db.orm
    .update(checks)
    .set({
      says: { ...says, externalId: `${base}${renewedBy}${Number(count) + 1}` },
      hostCheckId: null,
      said: null,
      saidAt: null,
      sendingSince: null,
      annotationsSaid: 0,
      updates: 0,
      dueAt: db.now(),
    })
    .where(eq(checks.id, id));
  await notify(db, 'checks');
}

export async function findCheckByExternalId(
  db: Db,
  repositoryId: number,
  externalId: string,
): Promise<CheckRow | undefined> {
  const [row] = await db.orm
    .select()
    .from(checks)
    .where(
      and(
        eq(checks.repositoryId, repositoryId),
        // Someone may press the button of one that was made anew since.
        sql`split_part(${checks.says}->>'externalId', ${renewedBy}, 1) = split_part(${externalId}, ${renewedBy}, 1)`,
      ),
    );
  return row;
}

/** Checks of runs that a commit's answer shows: a schedule may make a thousand a day. */
const mostOfRuns = 100;

/** The answer of a commit: its file's check first, then one for each run, of many the newest; or only that of `runId`. */
export async function listChecks(
  db: Db,
  about:
    | { readonly sha: string; readonly repositoryId?: number; readonly runId?: number }
    | { readonly runId: number },
): Promise<readonly CheckRow[]> {
  const { repositoryId, sha, runId }: Partial<{ repositoryId: number; sha: string; runId: number }> = about;
  // By the commit of the runs: that has an index.
  const ofRuns = db.orm
    .select({ id: checks.id })
    .from(checks)
    .innerJoin(runs, eq(checks.runId, runs.id))
    .where(
      and(
        sha === undefined ? undefined : eq(runs.commit, sha),
        repositoryId === undefined ? undefined : eq(checks.repositoryId, repositoryId),
        runId === undefined ? undefined : eq(runs.id, runId),
      ),
    )
    .orderBy(desc(runs.id))
    .limit(mostOfRuns);
  const place = and(
    sha === undefined ? undefined : eq(checks.sha, sha),
    repositoryId === undefined ? undefined : eq(checks.repositoryId, repositoryId),
  );
  const ofFile = sha === undefined ? undefined : and(place, isNull(checks.runId));
  return db.orm
    .select()
    .from(checks)
    .where(or(ofFile, inArray(checks.id, ofRuns)))
    .orderBy(sql`${checks.runId} is not null`, asc(checks.id));
}
