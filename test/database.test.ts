import { Client } from 'pg';
import { expect, test } from 'vitest';
import { createTestDatabase } from './database.ts';

test("a test's database is migrated, its own, and gone afterwards", async () => {
  let url: string;
  {
    await using one = await createTestDatabase();
    await using two = await createTestDatabase();
    ({ url } = one);
    await rows(one.url, 'create table mine (n int)');
    await expect(rows(two.url, 'select * from mine')).rejects.toThrow(/does not exist/);
    expect(await rows(two.url, 'select * from runs')).toEqual([]);
  }
  await expect(rows(url, 'select 1')).rejects.toThrow(/does not exist/);
});

test('what one test has left, rows, ids or tables, no other one finds', async () => {
  const seen = new Set<string>();
  for (let time = 0; time < 3; time += 1) {
    await using database = await createTestDatabase();
    expect(seen.has(database.url)).toBe(false);
    seen.add(database.url);
    const tables = await rows(
      database.url,
      "select tablename from pg_tables where schemaname = 'public' and tablename = 'mine'",
    );
    expect(tables).toEqual([]);
    expect(await rows(database.url, 'select * from repositories')).toEqual([]);
    expect(await rows(database.url, 'select count(*)::int as known from identity')).toEqual([{ known: 1 }]);
    expect(
      await rows(
        database.url,
        "insert into repositories (host, host_id, owner, name, created_at) values ('local', '1', 'a', 'b', now()) returning id::int",
      ),
    ).toEqual([{ id: 1 }]);
    if (time === 1) await rows(database.url, 'create table mine (n int)');
  }
});

async function rows(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}
