import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { atDatabase, query } from '../database.ts';

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

let expected: readonly string[];

test('many at once bring an empty database to the schema, once', async () => {
  await Promise.all(Array.from({ length: 8 }, () => migrate(url)));
  const migrated = await shape();
  expect(new Set(migrated).size).toBe(migrated.length);
  expected = migrated;
});

test('many processes at once do so too', async () => {
  const run = promisify(execFile);
  await Promise.all(Array.from({ length: 3 }, () => run(process.execPath, [migrator, url])));
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
  // A table that the migrations will want to refer to, held so that they stop there: all of them are one transaction.
  await migrate(url);
  await client.query(
    'delete from drizzle.__drizzle_migrations where id = (select max(id) from drizzle.__drizzle_migrations)',
  );
  const before = await shape();
  await client.query('begin');
  await client.query('lock table runs in access exclusive mode');
  const child = spawn(process.execPath, [migrator, url], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await waitsFor(client, 'relation');
  child.kill('SIGKILL');
  await ended;
  await client.query('rollback');
  // The lock of the migrations ends with the session of the dead one.
  await client.query('select pg_advisory_lock($1), pg_advisory_unlock($1)', [lock]);
  expect(await shape()).toEqual(before);
});

test('a session that breaks is an error of who migrates, and does not end the process', async () => {
  await client.query('select pg_advisory_lock($1)', [lock]);
  const migrating = migrate(url).catch((error: unknown) => error);
  await waitsFor(client, 'advisory');
  await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'ame-migrate' and datname = current_database()`);
  expect(await migrating).toBeInstanceOf(Error);
});

/** Until another session waits for a lock of this kind. */
async function waitsFor(on: Client, kind: string): Promise<void> {
  for (;;) {
    const { rows } = await on.query(
      `select from pg_locks where not granted and locktype = $1
        and database = (select oid from pg_database where datname = current_database())`,
      [kind],
    );
    if (rows.length > 0) return;
  }
}
