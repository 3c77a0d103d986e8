import { sql } from 'drizzle-orm';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { insertDeliveries } from '../../src/db/deliveries.ts';
import { createWire } from '../journeys/wire.ts';
import { openTestAme, read, token, type TestAme } from './ame.ts';

function ask(opened: TestAme, path: string): Promise<Response> {
  return Promise.resolve(opened.app.request(path, { headers: { host: '127.0.0.1' } }));
}

test('health and the schema are for anybody on this machine, and say nothing that is worth a token', async () => {
  await using opened = await openTestAme();
  const { db } = opened.ame;
  await insertDeliveries(db, [
    { id: 'stuck', host: 'local', event: 'push', body: Buffer.from('private words') },
  ]);
  await db.orm.execute(sql`update deliveries set failures = 20, last_error = 'private words'`);
  const [live, ready, schema] = [
    await ask(opened, '/healthz'),
    await ask(opened, '/readyz'),
    await ask(opened, '/schema/ame.json'),
  ];
  expect([live.status, ready.status, schema.status]).toEqual([200, 200, 200]);
  expect(await live.json()).toEqual({ ok: true });
  expect(await ready.json()).toEqual({
    ok: true,
    parked: [{ queue: 'deliveries', id: 'stuck', failures: 20 }],
  });
  const described = await read<object>(schema);
  const isProject = new Ajv({ strict: false }).compile(described);
  expect(isProject({ projectname: 'spam', tasks: { train: 'python train.py' } })).toBe(true);
  expect(isProject({ projectname: 'spam', taks: {} })).toBe(false);
});

test('a server without its database lives, is not ready, and says so at every door', async () => {
  await using opened = await openTestAme({ databaseUrl: 'postgres://ame@127.0.0.1:1/ame' });
  expect((await ask(opened, '/healthz')).status).toBe(200);
  const ready = await ask(opened, '/readyz');
  expect([ready.status, await ready.json()]).toEqual([503, { ok: false, why: 'the database is away' }]);
  const runs = await opened.ask('/api/v1/runs');
  expect([runs.status, await runs.json()]).toMatchObject([503, { error: { code: 'database-away' } }]);
  expect(JSON.stringify(await (await ask(opened, '/readyz')).json())).not.toContain(token);
});

test('a server whose database hangs is not ready, whether it hangs in the middle or from the start', async () => {
  await using opened = await openTestAme();
  await using wire = await createWire(opened.database.url);
  await using through = await openTestAme({ databaseUrl: wire.url });
  expect((await ask(through, '/readyz')).status).toBe(200);
  wire.freeze();
  await using fresh = await openTestAme({ databaseUrl: wire.url });
  const answers = await Promise.all([through, through, fresh].map((hung) => ask(hung, '/readyz')));
  for (const answer of answers)
    expect([answer.status, await answer.json()]).toEqual([503, { ok: false, why: 'the database is away' }]);
  // Both asked over one connection.
  expect(through.ame.db.pool.totalCount).toBe(1);
  wire.cut();
});
