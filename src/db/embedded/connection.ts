import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { z } from 'zod';
import { EmbeddedPostgresError, reason } from './error.ts';

/** Where the server listens, and the password of its user `ame`. The port is 0 until there is one. */
export type Connection = { readonly port: number; readonly password: string };

const Connection = z.object({ port: z.number().int().min(0).max(65535), password: z.string().min(1) });

/** Reads port and password. Absent where the cluster was never made. */
export async function readConnection(folder: string): Promise<Connection | undefined> {
  const path = join(folder, 'connection.json');
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new EmbeddedPostgresError(`${path} cannot be read (${reason(error)}): it belongs to another user.`);
  });
  if (text === undefined) return undefined;
  try {
    return Connection.parse(JSON.parse(text));
  } catch {
    throw new EmbeddedPostgresError(`${path} is damaged: it must hold port and password of the database.`);
  }
}

/** Stores port and password, whole or not at all, readable by our user only. */
export async function writeConnection(folder: string, connection: Connection): Promise<void> {
  const path = join(folder, 'connection.json');
  const unfinished = `${path}.unfinished`;
  await rm(unfinished, { force: true });
  const file = await open(unfinished, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(connection)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}

/** The address of one of the server's databases. It names `sslmode`, so that a PGSSLMODE of the person does not count. */
export function databaseUrl(connection: Connection, database: string): string {
  return `postgres://ame:${connection.password}@127.0.0.1:${connection.port}/${database}?sslmode=disable`;
}

/** Whether the server takes our sessions yet. */
export async function answers(connection: Connection): Promise<boolean> {
  return await ask(connection, 'select 1 as answer').then(
    () => true,
    (error: unknown) => {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      // A password that is refused will be refused for ever: not a matter of waiting.
      if (code === '28P01')
        throw new EmbeddedPostgresError('Postgres refuses the password in connection.json.');
      return false;
    },
  );
}

/** The column `answer` of a query's first row, on a session of its own. Throws what `pg` throws. */
export async function ask(connection: Connection, query: string): Promise<unknown> {
  const client = new Client({
    connectionString: databaseUrl(connection, 'postgres'),
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  // A connection that breaks while it is idle says so by an event, and an event without a listener ends us.
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ answer: unknown }>(query);
    return rows[0]?.answer;
  } finally {
    await client.end().catch(() => {});
  }
}
