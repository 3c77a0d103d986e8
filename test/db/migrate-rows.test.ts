import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { atDatabase, query } from '../database.ts';
import { another, insert, sampleRows, times, verdict, type Row, type Table } from './rows.ts';

const folder = fileURLToPath(new URL('../../drizzle', import.meta.url));
const { entries }: { entries: readonly { readonly idx: number; readonly tag: string }[] } = JSON.parse(
  await readFile(join(folder, 'meta/_journal.json'), 'utf8'),
);
/** The identity's only row is the migrations' own. */
const tables = Object.keys(sampleRows)
  .map((name) => name as Table)
  .filter((name) => name !== 'identity');

/** Copies of the migrations' folder that end with an earlier one, as that version had it. */
let copies: string;

beforeAll(async () => {
  copies = await mkdtemp(join(tmpdir(), 'ame-migrations-'));
});
afterAll(() => rm(copies, { recursive: true, force: true }));

type Stored = Readonly<Record<string, unknown>>;
type Rows = ReadonlyMap<string, readonly Stored[]>;

type Old = AsyncDisposable & {
  readonly url: string;
  readonly client: Client;
  /** Columns that each table had. */
  readonly columns: ReadonlyMap<string, ReadonlySet<string>>;
};

/** A database as the version had it whose last migration this was. */
async function openOld(last: number): Promise<Old> {
  const copy = join(copies, String(last));
  await cp(folder, copy, { recursive: true });
  const until = { version: '7', dialect: 'postgresql', entries: entries.slice(0, last + 1) };
  await writeFile(join(copy, 'meta/_journal.json'), JSON.stringify(until));
  const server = inject('postgresUrl');
  const name = `ame_test_${randomBytes(6).toString('hex')}`;
  await query(server, `create database ${name}`);
  const url = atDatabase(server, name);
  const client = new Client({ connectionString: url });
  await client.connect();
  await applyMigrations(drizzle({ client }), { migrationsFolder: copy });
  const { rows } = await client.query<{ table_name: string; column_name: string }>(
    `select table_name, column_name from information_schema.columns where table_schema = 'public'`,
  );
  const columns = new Map(
    [...Map.groupBy(rows, (row) => row.table_name)].map(([table, of]) => [
      table,
      new Set(of.map((row) => row.column_name)),
    ]),
  );
  return {
    url,
    client,
    columns,
    async [Symbol.asyncDispose]() {
      await client.end();
      await query(server, `drop database ${name} with (force)`);
    },
  };
}

const ofSecondRun: Partial<Record<Table, Row>> = { attempts: { run_id: 2 }, checks: { run_id: 2 } };

/**
 * Two rows of every table that there was, with what it had of columns, as that version would have stored them: a run
 * that is over and one that goes on.
 */
async function storeRows(old: Old): Promise<void> {
  const { client, columns } = old;
  const store = async (table: Table, change: Row): Promise<void> => {
    const had = columns.get(table);
    if (had === undefined) return;
    const row = Object.entries({ ...sampleRows[table], ...change, ...asStoredThen(table, had) });
    const kept = row.filter(([column]) => had.has(column));
    await client.query(
      `insert into "${table}" (${kept.map(([column]) => `"${column}"`).join()})
        overriding system value values (${kept.map(([, value]) => value).join()})`,
    );
  };
  for (const table of tables) await store(table, {});
  // Of these there is one a row of another, or one at all.
  const single: readonly Table[] = ['blobs', 'blob_refs', 'snapshots', 'learned_memory', 'log_archives'];
  for (const table of tables)
    if (!single.includes(table)) await store(table, { ...another(table), ...ofSecondRun[table] });
  await end(old, 1);
}

/** A run, its attempt and its check end and are at rest. */
async function end({ client }: Old, run: number): Promise<void> {
  const over = `state = 'succeeded', class = 'succeeded', finished_at = ${times.later}`;
  await client.query('begin');
  await client.query(`update attempts set ${over} where run_id = ${run}`);
  await client.query(`update checks set says = ${verdict} where run_id = ${run}`);
  await client.query(`update runs set ${over}, due_at = null where id = ${run}`);
  await client.query('commit');
}

/** Before schedules ticked nobody looked at one. */
function asStoredThen(table: Table, had: ReadonlySet<string>): Row {
  return table === 'schedules' && !had.has('line') ? { due_at: 'null' } : {};
}

async function read({ client, columns }: Old): Promise<Rows> {
  const read = new Map<string, readonly Stored[]>();
  for (const [table, had] of columns) {
    const names = [...had].map((column) => `"${column}"`).join();
    const { rows } = await client.query<{ row: Stored }>(
      `select to_jsonb(of) as row from (select ${names} from "${table}") as of order by to_jsonb(of)::text`,
    );
    read.set(
      table,
      rows.map(({ row }) => row),
    );
  }
  return read;
}

/** What a later migration changes in rows that are there, on purpose. */
function changedOnPurpose(rows: Rows, last: number): Rows {
  const named = (idx: number): boolean => last < idx;
  const changed = new Map(rows);
  // Those that did not tick are looked at now.
  if (named(7))
    changed.set(
      'schedules',
      (rows.get('schedules') ?? []).map((row) => ({ ...row, due_at: expect.any(String) as unknown })),
    );
  return changed;
}

/** The first version, and the last four before this one. */
const versions = entries.slice(0, -1).filter(({ idx }) => idx === 0 || idx >= entries.length - 5);

test.each(versions)('rows of the version of $tag survive', async ({ idx }) => {
  await using old = await openOld(idx);
  await storeRows(old);
  const before = await read(old);
  expect([...before.values()].every((rows) => rows.length > 0)).toBe(true);
  await migrate(old.url);
  const after = await read(old);
  expect(Object.fromEntries(after)).toEqual(Object.fromEntries(changedOnPurpose(before, idx)));
  // Content of before it was swept counts as used now, and a house without an identity is to be given one.
  const { rows: fresh } = await old.client.query(
    `select used_at > now() - interval '1 hour' as used, id from blobs, identity`,
  );
  if (idx < 8) expect(fresh).toEqual([{ used: true, id: '' }]);

  // What was open is ended by this version, by all of its rules.
  await end(old, 2);
  const { rows } = await old.client.query('select state, due_at from runs order by id');
  expect(rows).toEqual([
    { state: 'succeeded', due_at: null },
    { state: 'succeeded', due_at: null },
  ]);
});

test('schedules of before they ticked are due now, and those that were paused are so since now', async () => {
  await using old = await openOld(6);
  for (const table of ['repositories', 'projects'] as const) await old.client.query(insert(table));
  const had = { due_at: 'null' };
  await old.client.query(insert('schedules', had));
  await old.client.query(insert('schedules', { ...had, ...another('schedules'), paused: 'true' }));
  await migrate(old.url);
  const { rows } = await old.client
    .query(`select paused, due_at is not null as due, paused_at is not null as since,
    line, held_reason, removed_at from schedules order by id`);
  const fresh = { line: 1, held_reason: null, removed_at: null };
  expect(rows).toEqual([
    { paused: false, due: true, since: false, ...fresh },
    { paused: true, due: false, since: true, ...fresh },
  ]);
});

test('a database that held nothing has an identity', async () => {
  await using old = await openOld(9);
  await migrate(old.url);
  const { rows } = await old.client.query('select id from identity');
  expect(rows).toEqual([{ id: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown }]);
});
