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

async function rows(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}
