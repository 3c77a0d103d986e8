import { fileURLToPath } from 'node:url';
import { existsSync } from 'node:fs';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';

/** Any number that nothing else in this database locks with. */
const migrationLock = 4_206_913_377;

/**
 * Brings a database to the schema of this version. Any number of processes may do so at once: drizzle's
 * migrator takes no lock of its own, and three at once on an empty database failed ten times of ten.
 */
export async function migrate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'ame-migrate' });
  // Without a listener a session that breaks ends the process; the query that was waiting rejects anyway.
  client.on('error', () => {});
  await client.connect();
  try {
    await refuseOldServer(client);
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    await applyMigrations(drizzle({ client }), { migrationsFolder: migrationsFolder() });
  } finally {
    // The lock ends with its session.
    await client.end();
  }
}

/** The oldest Postgres that AME is tried on. */
const oldestMajor = 15;

/** The database is there, and it is not one that AME can work with. */
export class DatabaseTooOldError extends Error {
  override name = 'DatabaseTooOldError';
}

async function refuseOldServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ version: string }>(
    "select current_setting('server_version_num') as version",
  );
  const major = Math.trunc(Number(rows[0]?.version) / 10_000);
  if (major < oldestMajor) {
    throw new DatabaseTooOldError(
      `DATABASE_URL leads to Postgres ${major}; AME needs ${oldestMajor} or newer`,
    );
  }
}

/** `drizzle/` beside `src/`, or beside `dist/` in the package. */
function migrationsFolder(): string {
  const candidates = ['../../drizzle', '../drizzle'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const found = candidates.find((path) => existsSync(`${path}/meta/_journal.json`));
  if (found === undefined) throw new Error(`no migrations at ${candidates.join(' or ')}`);
  return found;
}
