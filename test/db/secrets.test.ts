import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SecretUnreadableError } from '../../src/db/seal.ts';
import { deleteSecret, listSecrets, readSecrets, saveSecret } from '../../src/db/secrets.ts';
import { connectTestDatabase, storeProject, type Connected, type Home } from './connected.ts';

let connected: Connected;
let home: Home;
const key = randomBytes(32);

beforeAll(async () => {
  connected = await connectTestDatabase();
  home = await storeProject(connected);
});

afterAll(() => connected.close());

function save(name: string, value: string, projectId = home.projectId): Promise<void> {
  return saveSecret(connected.db, key, { projectId, name, value });
}

async function stored(): Promise<readonly { name: string; ciphertext: Buffer; key_id: string }[]> {
  const { rows } = await connected.db.pool.query<{ name: string; ciphertext: Buffer; key_id: string }>(
    'select name, ciphertext, key_id from secrets order by name, project_id',
  );
  return rows;
}

test('any text comes back as it was, and only what was asked for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), async (value) => {
      await save('any', value);
      const read = await readSecrets(connected.db, key, home.projectId, ['any', 'none']);
      // Half a pair is no text, and becomes what every encoder makes of it.
      expect(read).toEqual(new Map([['any', value.toWellFormed()]]));
    }),
    { numRuns: 20 },
  );
  expect(await readSecrets(connected.db, key, home.projectId, [])).toEqual(new Map());
});

test('the same value looks different each time, and says nothing of itself', async () => {
  await save('one', 'a value in the open');
  const [, first] = await stored();
  await save('one', 'a value in the open');
  const [, second] = await stored();
  expect(first?.name).toBe('one');
  expect(first?.ciphertext.equals(second?.ciphertext ?? Buffer.alloc(0))).toBe(false);
  expect(first?.ciphertext.includes('value')).toBe(false);
  expect(JSON.stringify(await stored())).not.toContain(key.toString('hex'));
});

test('a row that was moved or changed, or was written with another key, does not open', async () => {
  const { db } = connected;
  const other = await storeProject(connected, 'ham');
  await save('mine', 'a secret of spam');
  await db.pool.query(
    `insert into secrets (project_id, name, ciphertext, key_id, updated_at)
     select $1, name, ciphertext, key_id, updated_at from secrets where name = 'mine'`,
    [other.projectId],
  );
  await db.pool.query(
    `insert into secrets (project_id, name, ciphertext, key_id, updated_at)
     select project_id, 'copy', ciphertext, key_id, updated_at from secrets where name = 'mine' and project_id = $1`,
    [home.projectId],
  );
  await save('bent', 'a secret of spam');
  await db.pool.query(
    `update secrets set ciphertext = set_byte(ciphertext, 20, get_byte(ciphertext, 20) # 1) where name = 'bent'`,
  );
  await save('short', 'a secret of spam');
  await db.pool.query(`update secrets set ciphertext = substr(ciphertext, 1, 5) where name = 'short'`);
  for (const [projectId, name] of [
    [other.projectId, 'mine'],
    [home.projectId, 'copy'],
    [home.projectId, 'bent'],
    [home.projectId, 'short'],
  ] as const) {
    const error = await readSecrets(db, key, projectId, [name]).catch((caught: unknown) => caught);
    expect(error, name).toBeInstanceOf(SecretUnreadableError);
    expect(String(error)).toContain('its row was changed');
    expect(String(error)).not.toContain('secret of spam');
  }
  const error = await readSecrets(db, randomBytes(32), home.projectId, ['mine']).catch(
    (caught: unknown) => caught,
  );
  expect(String(error)).toMatch(/the secret mine cannot be read: it was written with the key [0-9a-f]{16}$/);
});

test('names are listed with their ages, and deleted once', async () => {
  const { db, clock } = connected;
  const ham = await storeProject(connected, 'eggs');
  await save('b', 'a secret', ham.projectId);
  clock.forward(60);
  await save('a', 'a secret', ham.projectId);
  const before = new Date(clock.now.getTime() - 60_000);
  expect(await listSecrets(db, ham.projectId)).toEqual([
    { name: 'a', updatedAt: clock.now },
    { name: 'b', updatedAt: before },
  ]);
  expect(await deleteSecret(db, home.projectId, 'b')).toBe(false);
  expect(await deleteSecret(db, ham.projectId, 'b')).toBe(true);
  expect(await deleteSecret(db, ham.projectId, 'b')).toBe(false);
  expect((await listSecrets(db, ham.projectId)).map(({ name }) => name)).toEqual(['a']);
});
