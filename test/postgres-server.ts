import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../src/db/embedded.ts';
import { migrate } from '../src/db/migrate.ts';
import { atDatabase, query } from './database.ts';
import { rememberRows } from './empty-database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The maintenance database of the run's server. */
    postgresUrl: string;
    /** The migrated database that each test's own is a copy of. */
    postgresTemplate: string;
  }
}

/**
 * One Postgres for the whole run: the embedded one, in a directory that goes with it, or the server that
 * AME_TEST_DATABASE_URL names. On it one migrated template, which `createTestDatabase` copies.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer();
  const template = `ame_template_${randomBytes(4).toString('hex')}`;
  await query(server.url, `create database ${template}`);
  await migrate(atDatabase(server.url, template));
  await query(atDatabase(server.url, template), rememberRows);
  project.provide('postgresUrl', server.url);
  project.provide('postgresTemplate', template);
  return async () => {
    // The embedded server goes with its directory.
    if (server.isGiven) await dropAll(server.url, template);
    await server.stop();
  };
}

/** The template, its copies, and what tests gave back. */
async function dropAll(url: string, template: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>(
      'select datname from pg_database where starts_with(datname, $1)',
      [template],
    );
    for (const { datname } of rows) await client.query(`drop database ${datname} with (force)`);
  } finally {
    await client.end();
  }
}

type Server = {
  readonly url: string;
  /** It was there before, and stays. */
  readonly isGiven: boolean;
  readonly stop: () => Promise<void>;
};

async function startServer(): Promise<Server> {
  const given = process.env['AME_TEST_DATABASE_URL'];
  if (given !== undefined && given !== '')
    return { url: given, isGiven: true, stop: () => Promise.resolve() };
  const directory = await mkdtemp(join(tmpdir(), 'ame-test-postgres-'));
  const log = { info: () => {}, error: console.error };
  const { url, stop } = await startEmbeddedPostgres({ directory, log });
  // Nobody pulls the plug of the tests' own server; AME's has both on, which test/db/embedded.test.ts looks at.
  await query(url, 'alter system set fsync = off');
  await query(url, 'alter system set full_page_writes = off');
  await query(url, 'select pg_reload_conf()');
  return {
    url,
    isGiven: false,
    stop: async () => {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
