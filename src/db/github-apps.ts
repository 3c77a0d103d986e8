import { asc, eq, inArray, isNotNull, sql } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { notify, stillHeld, type Claim } from './due.ts';
import { deliveries } from './schema/deliveries.ts';
import { githubApps } from './schema/github.ts';
import { keyId, seal, unseal } from './seal.ts';

export type GithubAppRow = typeof githubApps.$inferSelect;

/** What proves that we are the App, and that GitHub is GitHub. */
export type AppSecrets = { readonly privateKey: string; readonly webhookSecret: string };

/** The App that `/setup` made; null where there is none. */
export async function findStoredApp(db: Db): Promise<GithubAppRow | null> {
  const [row] = await db.orm
    .select()
    .from(githubApps)
    .where(isNotNull(githubApps.privateKey))
    .orderBy(asc(githubApps.id))
    .limit(1);
  return row ?? null;
}

/** False where there is an App already, which stays. */
export async function insertStoredApp(
  db: Db,
  key: Uint8Array,
  app: AppSecrets & { readonly appId: string; readonly slug: string },
): Promise<boolean> {
  // Two who press the button at the same time: the lock of the table lets one after the other look.
  await db.orm.execute(sql`lock table ${githubApps} in share row exclusive mode`);
  if (await findStoredApp(db)) return false;
  const stored = {
    slug: app.slug,
    privateKey: seal(key, place(app.appId, 'private key'), app.privateKey),
    webhookSecret: seal(key, place(app.appId, 'webhook secret'), app.webhookSecret),
    keyId: keyId(key),
    updatedAt: db.now(),
    dueAt: db.now(),
  };
  await db.orm
    .insert(githubApps)
    .values({ appId: app.appId, createdAt: db.now(), ...stored })
    .onConflictDoUpdate({ target: githubApps.appId, set: stored });
  await notify(db, 'github_apps');
  return true;
}

/** Throws `SecretUnreadableError` where another key wrote them. */
export function openAppSecrets(key: Uint8Array, row: GithubAppRow): AppSecrets {
  const open = (sealed: Uint8Array | null, what: string): string =>
    unseal(key, place(row.appId, what), {
      sealed: sealed ?? new Uint8Array(),
      keyId: row.keyId ?? '',
      what: `the ${what} of the GitHub App ${row.appId}`,
    });
  return {
    privateKey: open(row.privateKey, 'private key'),
    webhookSecret: open(row.webhookSecret, 'webhook secret'),
  };
}

/** The row of the App that the environment names, made where there is none: what was swept is kept there. */
export async function ensureAppRow(db: Db, appId: string): Promise<void> {
  const { rowCount } = await db.orm
    .insert(githubApps)
    .values({ appId, createdAt: db.now(), updatedAt: db.now(), dueAt: db.now() })
    .onConflictDoNothing();
  if (rowCount === 1) await notify(db, 'github_apps');
}

/** Has GitHub's list of installations and deliveries looked at soon. */
export async function wakeApps(db: Db): Promise<void> {
  await db.orm.update(githubApps).set({ dueAt: db.now() });
  await notify(db, 'github_apps');
}

export async function findApp(db: Db, id: number): Promise<GithubAppRow | undefined> {
  const [row] = await db.orm.select().from(githubApps).where(eq(githubApps.id, id));
  return row;
}

/** Which of these deliveries of GitHub are here. */
export async function knownDeliveries(db: Db, guids: readonly string[]): Promise<ReadonlySet<string>> {
  if (guids.length === 0) return new Set();
  const rows = await db.orm
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(inArray(deliveries.id, [...guids]));
  return new Set(rows.map(({ id }) => id));
}

/** Ends a sweep: everything before `until` is here or given up, and the next look is due in so many seconds. */
export async function saveSwept(db: Db, claim: Claim, until: Date, dueInSeconds: number): Promise<void> {
  await db.orm.execute(sql`
    update github_apps set swept_until = ${until.toISOString()}::timestamptz, failures = 0, postponed = 0,
      last_error = null, due_at = case when due_at = claimed_until
        then ${db.now()} + make_interval(secs => ${dueInSeconds}) else due_at end,
      claimed_by = null, claimed_until = null where ${stillHeld(db, claim)}`);
}

function place(appId: string, what: string): string {
  return `github app ${appId}\n${what}`;
}
