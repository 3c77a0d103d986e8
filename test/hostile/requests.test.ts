import { createHmac } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attemptToken } from '../../src/attempt/token.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { findDelivery } from '../../src/db/deliveries.ts';
import { saveSchedules } from '../../src/db/schedules.ts';
import { listen, openTestAme, token, type Listening, type TestAme } from '../server/ame.ts';
import { makeRun } from '../server/page-rows.ts';
import { pour } from '../server/pour.ts';
import { describeApi } from '../server/described.ts';
import { agentRequests } from './agent-requests.ts';
import { apiRequests } from './api-requests.ts';
import type { BadRequest } from './bad-request.ts';
import { gitRequests } from './git-requests.ts';
import { pageRequests } from './page-requests.ts';
import { send, sendRaw } from './send.ts';
import { webhookRequests, webhookSecret } from './webhook-requests.ts';

let opened: TestAme;
let server: Listening;
let attempt: number;

beforeAll(async () => {
  opened = await openTestAme({ env: { AME_GITHUB_WEBHOOK_SECRET: webhookSecret } });
  server = await listen(opened.app);
  const made = await makeRun(opened.ame.db, { project: 'spam', repository: 'spam-1' });
  attempt = made.attempts[0]?.id ?? 0;
  // What the requests are about is there, so that one that is let in leaves a trace.
  const { project } = parseProjectFile(
    Buffer.from(
      'projectname: spam\ntasks: {main: echo}\nrecurring_tasks: {nightly: {taskref: main, schedule: "@daily"}}\n',
    ),
  );
  await saveSchedules(opened.ame.db, made.run.projectId, project?.recurringTasks ?? []);
  const set = await opened.ask('/api/v1/projects/spam/secrets/KEY', {
    method: 'PUT',
    json: { value: 'a secret of the test' },
  });
  if (!set.ok) throw new Error(`the secret was not set: ${await set.text()}`);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await opened.close();
});

/** What every table holds, as a digest of its rows: what was refused before any work has added and changed none. */
async function digestRows(): Promise<Readonly<Record<string, string>>> {
  const { rows } = await opened.ame.db.orm.execute<{ name: string }>(
    sql`select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
  );
  const digests: Record<string, string> = {};
  for (const { name } of rows) {
    const found = await opened.ame.db.orm.execute<{ rows: string }>(sql`
      select count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), '') as rows
      from ${sql.identifier(name)} t`);
    digests[name] = found.rows[0]?.rows ?? '';
  }
  return digests;
}

/** What was not refused as it should be. */
async function refuse(table: readonly BadRequest[]): Promise<readonly string[]> {
  const before = await digestRows();
  const wrong: string[] = [];
  for (const request of table) {
    const { status, text } = await send(server.port, request);
    if (status !== request.status)
      wrong.push(`${request.name}: ${status}, not ${request.status}: ${text.slice(0, 200)}`);
    if (request.says && !request.says.test(text)) wrong.push(`${request.name} says ${text.slice(0, 200)}`);
    // Nothing of the inside comes out with a refusal.
    if (/\bat \w+ \(|node_modules|select |insert |ENOENT/.test(text))
      wrong.push(`${request.name}: ${text.slice(0, 300)}`);
    const alive = await send(server.port, { path: '/healthz' });
    expect([request.name, alive.status]).toEqual([request.name, 200]);
  }
  expect(await digestRows()).toEqual(before);
  return wrong;
}

function allOf(): Readonly<Record<string, readonly BadRequest[]>> {
  const key = opened.ame.ownKey;
  return {
    webhook: webhookRequests,
    api: apiRequests(token),
    git: gitRequests(token),
    agent: agentRequests(attempt, {
      own: attemptToken(key, attempt),
      other: attemptToken(key, attempt + 1),
      foreignKey: attemptToken(new Uint8Array(32), attempt),
      server: token,
    }),
    page: pageRequests(server.port, token),
  };
}

test.each(['webhook', 'api', 'git', 'agent', 'page'])(
  'the door %s refuses before any work is done, and lives',
  async (door) => {
    expect(await refuse(allOf()[door] ?? [])).toEqual([]);
  },
);

test('what is let in does leave a trace among the rows', async () => {
  const before = await digestRows();
  const paused = await opened.ask('/api/v1/projects/spam/schedules/nightly/pause', { method: 'POST' });
  expect(paused.status).toBe(200);
  const after = await digestRows();
  expect(Object.keys(after).filter((table) => after[table] !== before[table])).toEqual(['schedules']);
});

test('each route that the API describes has a row without a token, and one of somebody who may', async () => {
  const { description } = await describeApi(opened);
  const rows = apiRequests(token);
  const lacking: string[] = [];
  for (const [template, operations] of Object.entries(description.paths)) {
    const pattern = new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}(\\?.*)?$`);
    for (const [method, { parameters = [] }] of Object.entries(operations)) {
      const mine = rows.filter(
        (row) => (row.method ?? 'GET').toLowerCase() === method && pattern.test(row.path),
      );
      if (!mine.some(({ headers, status }) => headers === undefined && status === 401))
        lacking.push(`${method} ${template}: no token`);
      // A route that is told nothing has nothing to refuse to somebody who may ask it.
      const told = parameters.length > 0 || !['get', 'delete'].includes(method);
      const refused = mine.some(
        ({ headers, status }) => headers?.['authorization'] !== undefined && status !== 401,
      );
      if (told && !refused) lacking.push(`${method} ${template}: nothing refused`);
    }
  }
  expect(lacking).toEqual([]);
  expect(rows.length).toBeGreaterThan(100);
});

test('the table has at least 200 requests, each under a name of its own', () => {
  const names = Object.values(allOf())
    .flat()
    .map(({ door, name }) => `${door}: ${name}`);
  expect(names.length).toBeGreaterThanOrEqual(200);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});

test.each([
  ['no HTTP', 'hello\r\n\r\n', 400],
  ['a length below zero', 'POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 400],
  [
    'two lengths',
    'POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}',
    400,
  ],
  [
    'a length and chunks',
    'POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  [
    'chunks that are none',
    'POST /webhooks/github HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    400,
  ],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\n${'x: y\r\n'.repeat(10_000)}`, 431],
  ['an address of 100 KB', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
  ['a header with a NUL', 'GET / HTTP/1.1\r\nHost: x\r\nCookie: a\0b\r\n\r\n', 400],
  ['a header over two lines', 'GET / HTTP/1.1\r\nHost: x\r\nX-Y: a\r\n b: c\r\n\r\n', 400],
  [
    'a body that never comes whole',
    'POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"ref"',
    400,
  ],
  ['half of a first line', 'POST /webh', 400],
])('on the wire: %s', async (_, bytes, status) => {
  const before = await digestRows();
  const answer = await sendRaw(server.port, bytes);
  expect([answer.status, answer.text.split('\r\n')[0]]).toEqual([status, answer.text.split('\r\n')[0]]);
  expect((await send(server.port, { path: '/healthz' })).status).toBe(200);
  expect(await digestRows()).toEqual(before);
});

test('one byte over 25 MiB is not read on, announced or not', async () => {
  const announced = await pour(server.port, [`Content-Length: ${200 * 1024 * 1024}`], false);
  expect([announced.answer, announced.sent < 60]).toEqual(['HTTP/1.1 413 Payload Too Large', true]);
  const chunked = await pour(server.port, ['Transfer-Encoding: chunked'], true);
  expect([chunked.answer, chunked.sent < 100]).toEqual(['HTTP/1.1 413 Payload Too Large', true]);
});

test('a delivery that is sent again word for word is accepted, and is no second one', async () => {
  const body = '{"zen": "Keep it logically awesome."}';
  const headers = {
    'x-github-delivery': 'replayed',
    'x-github-event': 'ping',
    'x-hub-signature-256': `sha256=${createHmac('sha256', webhookSecret).update(body).digest('hex')}`,
  };
  const once = async (): Promise<number> =>
    (await send(server.port, { method: 'POST', path: '/webhooks/github', headers, body })).status;
  expect(await once()).toBe(202);
  const first = await findDelivery(opened.ame.db, 'replayed');
  const before = await digestRows();
  for (let times = 0; times < 20; times += 1) expect(await once()).toBe(202);
  expect(await digestRows()).toEqual(before);
  expect(await findDelivery(opened.ame.db, 'replayed')).toEqual(first);
});
