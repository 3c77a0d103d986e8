import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { atDatabase, createTestDatabase, query } from '../database.ts';

const migrator = fileURLToPath(new URL('migrator.ts', import.meta.url));
const lock = 4_206_913_377;
let name: string;
let url: string;
let client: Client;

beforeEach(async () => {
  name = `ame_test_${randomBytes(6).toString('hex')}`;
  await query(inject('postgresUrl'), `create database ${name}`);
  url = atDatabase(inject('postgresUrl'), name);
  client = new Client({ connectionString: url });
  await client.connect();
});

afterEach(async () => {
  await client.end();
  await query(inject('postgresUrl'), `drop database ${name} with (force)`);
});

/** What the migrations left: every relation, rule and trigger, and what was noted as applied. */
async function shape(of: Client = client): Promise<readonly string[]> {
  const { rows } = await of.query<{ text: string }>(`
    select 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable as text
      from information_schema.columns where table_schema = 'public'
    union all select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
      where connamespace = 'public'::regnamespace
    union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
    union all select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all select 'applied ' || hash from drizzle.__drizzle_migrations order by 1`);
  return rows.map((row) => row.text);
}

/** That of a database which was migrated by nobody else at the same time. */
let expected: readonly string[];

beforeAll(async () => {
  await using database = await createTestDatabase();
  const once = new Client({ connectionString: database.url });
  await once.connect();
  expected = await shape(once);
  await once.end();
});

test('many at once bring an empty database to the schema, once', async () => {
  await Promise.all(Array.from({ length: 8 }, () => migrate(url)));
  expect(await shape()).toEqual(expected);
  expect(new Set(expected).size).toBe(expected.length);
});

test('many processes at once do so too', async () => {
  const run = promisify(execFile);
  await Promise.all(Array.from({ length: 2 }, () => run(process.execPath, [migrator, url])));
  expect(await shape()).toEqual(expected);
});

test('a second time changes nothing', async () => {
  await migrate(url);
  await query(
    url,
    `insert into repositories (host, host_id, owner, name, created_at) values ('local', '1', 'a', 'b', now())`,
  );
  const before = await shape();
  await migrate(url);
  expect(await shape()).toEqual(before);
  expect((await client.query('select from repositories')).rowCount).toBe(1);
});

test('a process that is killed in the middle leaves nothing half done, and nobody waiting', async () => {
  // A table of that name is just being made elsewhere, so the migrations stop there: all of them are one transaction.
  await client.query('begin');
  await client.query('create table runs (n int)');
  const child = spawn(process.execPath, [migrator, url], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  await othersWait(() => child.exitCode === null);
  child.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
  await client.query('rollback');
  // The lock of the migrations ends with the session of the dead one.
  await client.query('select pg_advisory_lock($1), pg_advisory_unlock($1)', [lock]);
  const { rows } = await client.query(`select from pg_class where relnamespace = 'public'::regnamespace`);
  expect(rows).toHaveLength(0);
  await migrate(url);
  expect(await shape()).toEqual(expected);
});

test('a session that breaks is an error of who migrates, and does not end the process', async () => {
  await client.query('select pg_advisory_lock($1)', [lock]);
  const migrating = migrate(url).catch((error: unknown) => error);
  await othersWait();
  await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'ame-migrate' and datname = current_database()`);
  expect(await migrating).toBeInstanceOf(Error);
});

/**
 * Until another session of this database waits for a lock, or there is nobody who could. Looked at from outside of any
 * transaction: within one, Postgres lists for ever the sessions that there were at the first look, which is only taken
 * once anybody on the server waits for a lock (measured: that of another test, and this one then waited for good).
 */
async function othersWait(isThere: () => boolean = () => true): Promise<void> {
  const watcher = new Client({ connectionString: url });
  await watcher.connect();
  try {
    while (isThere()) {
      const { rows } = await watcher.query(`select from pg_locks where not granted
        and pid in (select pid from pg_stat_activity where datname = current_database())`);
      if (rows.length > 0) return;
    }
  } finally {
    await watcher.end();
  }
}
