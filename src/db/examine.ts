import pg from 'pg';
import { connectionTimeoutMs } from './connect.ts';

/** What a database says of itself, whether AME was ever there or not. */
export type DatabaseFacts = {
  /** 18 of Postgres 18.1. */
  readonly major: number;
  readonly now: Date;
  /** Whether our role may make what migrations make: a schema in the database, tables in `public`. */
  readonly mayCreate: boolean;
};

/** The oldest Postgres that AME is tried on. */
export const oldestPostgres = 15;

/** Looks at a database and changes nothing. Throws what Postgres or the way to it says. */
export async function examineDatabase(url: string): Promise<DatabaseFacts> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'ame-doctor',
    connectionTimeoutMillis: connectionTimeoutMs,
    query_timeout: connectionTimeoutMs,
  });
  // Without a listener a session that breaks ends the process; the query that was waiting rejects anyway.
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ version: string; now: Date; may: boolean }>(
      `select current_setting('server_version_num') as version, clock_timestamp() as now,
        has_database_privilege(current_database(), 'CREATE') and has_schema_privilege('public', 'CREATE') as may`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error('the database gave no answer');
    return { major: Math.trunc(Number(row.version) / 10_000), now: row.now, mayCreate: row.may };
  } finally {
    await client.end();
  }
}
