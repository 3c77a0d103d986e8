import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseConfig, type Env } from '../src/config.ts';
import { connect, inTransaction, type Connection } from '../src/db/connect.ts';
import { insertStoredApp } from '../src/db/github-apps.ts';
import { openGithubSource, type GithubSource } from '../src/github-app.ts';
import { createLog } from '../src/log.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

const secretKey = randomBytes(32);
let database: TestDatabase;
let db: Connection;

beforeEach(async () => {
  database = await createTestDatabase();
  db = connect({ url: database.url });
});

afterEach(async () => {
  if (!db.pool.ended) await db.close();
  await database.drop();
});

function open(env: Env = {}): Promise<GithubSource> {
  return openGithubSource({ config: parseConfig(env), db, secretKey, log: createLog('silent') });
}

async function storeApp(): Promise<void> {
  const app = { appId: '7', slug: 'ame', privateKey: 'a key', webhookSecret: 'stored' };
  await inTransaction(db, (tx) => insertStoredApp(tx, secretKey, app));
}

test('many who ask for the secrets at once look once', async () => {
  await storeApp();
  const source = await open();
  const locked = Promise.withResolvers<void>();
  const unlock = Promise.withResolvers<void>();
  const holding = inTransaction(db, async (tx) => {
    await tx.orm.execute(sql`lock table github_apps in access exclusive mode`);
    locked.resolve();
    await unlock.promise;
  });
  await locked.promise;
  const asking = Promise.all(Array.from({ length: 20 }, () => source.webhookSecrets()));
  const waiting = async () =>
    (await db.orm.execute(sql`select from pg_locks where not granted and relation = 'github_apps'::regclass`))
      .rowCount;
  while ((await waiting()) === 0);
  expect([await waiting(), db.pool.totalCount]).toEqual([1, 3]);
  unlock.resolve();
  await holding;
  expect(new Set((await asking).map((secrets) => secrets.join()))).toEqual(new Set(['stored']));
});

test('what was last known stays known while the database is away', async () => {
  const source = await open({ AME_GITHUB_WEBHOOK_SECRET: 'given' });
  expect(source.knownWebhookSecrets()).toEqual(['given']);
  await storeApp();
  expect(await source.webhookSecrets()).toEqual(['given', 'stored']);
  source.forget();
  await db.close();
  await expect(source.webhookSecrets()).rejects.toThrow('github_apps');
  expect(source.knownWebhookSecrets()).toEqual(['given', 'stored']);
});

test('an App that is stored in the middle of a look is found by it', async () => {
  const source = await open();
  const looking = source.webhookSecrets();
  await storeApp();
  source.forget();
  await looking;
  expect(await source.webhookSecrets()).toEqual(['stored']);
});
