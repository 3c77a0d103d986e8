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
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    await applyMigrations(drizzle({ client }), { migrationsFolder: migrationsFolder() });
  } finally {
    // The lock ends with its session.
    await client.end();
  }
}

/** `drizzle/` beside `src/`, or beside `dist/` in the package. */
function migrationsFolder(): string {
  const candidates = ['../../drizzle', '../drizzle'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const found = candidates.find((path) => existsSync(`${path}/meta/_journal.json`));
  if (found === undefined) throw new Error(`no migrations at ${candidates.join(' or ')}`);
  return found;
}
