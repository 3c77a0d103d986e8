import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { attemptToken, verifyAttemptToken } from '../../src/attempt/token.ts';
import { ownKeyOf } from '../../src/attempt/own-key.ts';
import { identify } from '../../src/db/identity.ts';
import { migrate } from '../../src/db/migrate.ts';
import { instanceOf } from '../../src/executor/kubernetes/names.ts';
import { createTestDatabase } from '../database.ts';
import { insert, sampleRows, type Table } from './rows.ts';

const secretKey = new Uint8Array(32).fill(3);

/** The statement of the migration that gives a database its row. */
async function statement(): Promise<string> {
  const text = await readFile(new URL('../../drizzle/0010_identity.sql', import.meta.url), 'utf8');
  return text.split('--> statement-breakpoint').at(-1) ?? '';
}

test('a database says which one it is, and says the same after every start', async () => {
  await using database = await createTestDatabase();
  const first = await identify(database.url);
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  await migrate(database.url);
  expect(await identify(database.url)).toBe(first);
});

test('the next one to be made is another one, and one that was in use before goes on as it was', async () => {
  await using database = await createTestDatabase();
  const before = await identify(database.url);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query('delete from identity');
    await client.query(await statement());
    expect(await identify(database.url)).not.toBe(before);
    await client.query('delete from identity');
    for (const table of Object.keys(sampleRows)) await client.query(insert(table as Table));
    await client.query('delete from identity');
    await client.query(await statement());
    expect(await identify(database.url)).toBe('');
  } finally {
    await client.end();
  }
});

test('one key with two databases is two AMEs, of which none knows the tokens and the Jobs of the other', () => {
  const [one, two] = [ownKeyOf(secretKey, 'one'), ownKeyOf(secretKey, 'two')];
  expect(instanceOf(one)).not.toBe(instanceOf(two));
  expect(verifyAttemptToken(two, attemptToken(one, 7))).toBeNull();
  expect(verifyAttemptToken(one, attemptToken(one, 7))).toBe(7);
  // A database that is older than such ids knows what was started before.
  expect(ownKeyOf(secretKey, '')).toBe(secretKey);
});
