import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { expect, inject, test } from 'vitest';
import { atDatabase, createTestDatabase, query } from '../database.ts';

const migrator = fileURLToPath(new URL('../db/migrator.ts', import.meta.url));
const processes = 20;

async function columnsOf(url: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ told: string }>(`
    select table_name || '.' || column_name || ' ' || data_type as told from information_schema.columns
      where table_schema = 'public'
    union all select hash from drizzle.__drizzle_migrations order by 1`);
  await client.end();
  return rows.map(({ told }) => told);
}

test(`${processes} processes migrate an empty database at once`, async () => {
  await using one = await createTestDatabase();
  const name = `ame_test_${randomBytes(6).toString('hex')}`;
  const server = inject('postgresUrl');
  await query(server, `create database ${name}`);
  const url = atDatabase(server, name);
  const run = promisify(execFile);
  await Promise.all(Array.from({ length: processes }, () => run(process.execPath, [migrator, url])));
  const columns = await columnsOf(url);
  expect(new Set(columns).size).toBe(columns.length);
  expect(columns).toEqual(await columnsOf(one.url));
  await query(server, `drop database ${name} with (force)`);
});
