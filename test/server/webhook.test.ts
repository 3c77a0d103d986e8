import { createHmac } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { findDelivery, listDeliveries } from '../../src/db/deliveries.ts';
import { isActedOn } from '../../src/github/payload.ts';
import { createLog } from '../../src/log.ts';
import { createInbox, type Inbox } from '../../src/server/inbox.ts';
import { createWebhookDoor, mostBodyBytes } from '../../src/server/webhook.ts';
import { listen, openTestAme, type TestAme } from './ame.ts';
import { pour } from './pour.ts';

const [current, previous] = ['the secret of today', 'the secret of yesterday'] as const;
const fixtures = join(import.meta.dirname, '../../fixtures/deliveries');
const log = createLog('silent');
let opened: TestAme;

beforeAll(async () => {
  opened = await openTestAme({ env: { AME_GITHUB_WEBHOOK_SECRET: `${current}, ${previous}` } });
});

afterAll(() => opened.close());

function sign(body: string | Uint8Array, secret: string = current, algorithm = 'sha256'): string {
  return `${algorithm}=${createHmac(algorithm, secret).update(body).digest('hex')}`;
}

function signedWith(secrets: readonly string[]) {
  return { secrets: () => Promise.resolve(secrets), known: () => secrets };
}

let ids = 0;
function newId(): string {
  ids += 1;
  return `72d3162e-cc78-11e3-81ab-${String(ids).padStart(12, '0')}`;
}

/** Headers as GitHub sends them; neither a token nor a host that this server knows. */
function headersOf(id: string, signature: string | null, event = 'push'): Record<string, string> {
  return {
    host: 'hooks.example.com',
    'content-type': 'application/json',
    'x-github-delivery': id,
    'x-github-event': event,
    ...(signature === null ? {} : { 'x-hub-signature-256': signature }),
  };
}

async function deliver(
  body: string | Uint8Array,
  given: { id?: string; signature?: string | null; event?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; id: string; said: unknown }> {
  const id = given.id ?? newId();
  const signature = given.signature === undefined ? sign(body) : given.signature;
  const headers = { ...headersOf(id, signature, given.event), ...given.headers };
  const answer = await opened.app.request('/webhooks/github', { method: 'POST', headers, body });
  return { status: answer.status, id, said: await answer.json() };
}

async function stored(id: string): Promise<Buffer | null> {
  const row = await findDelivery(opened.ame.db, id);
  return row ? Buffer.from(row.body) : null;
}

describe('a delivery that is signed', () => {
  test('is kept to the byte, committed before it is answered, and kept as ignored where AME does nothing about it', async () => {
    for (const name of await readdir(fixtures)) {
      const fixture = JSON.parse(await readFile(join(fixtures, name), 'utf8')) as {
        readonly event: string;
        readonly payload: object;
      };
      const { event } = fixture;
      const body = Buffer.from(JSON.stringify(fixture.payload));
      const { status, id, said } = await deliver(body, { event });
      expect({ name, status, said }).toEqual({ name, status: 202, said: { delivery: id } });
      const row = await findDelivery(opened.ame.db, id);
      const outcome = isActedOn(event) ? null : 'ignored';
      expect({ name, ...row }).toMatchObject({ name, host: 'github', event, outcome, repositoryId: null });
      expect(row?.dueAt === null).toBe(outcome === 'ignored');
      expect(Buffer.from(row?.body ?? []).equals(body)).toBe(true);
    }
  });

  test.each<readonly [string, string | Uint8Array]>([
    ['with a byte order mark', '\uFEFF{"ref": "x"}'],
    ['with NUL bytes', Buffer.from('{"ref": "a\0b"}\0')],
    ['that is no JSON', 'payload=%7B%7D'],
    [
      'with what jsonb refuses',
      String.raw`{"ref": "refs/heads/nul", "message": "a \u0000, \ud83d a half of a pair"}`,
    ],
    ['of one byte', ' '],
    ['with an odd space', '{"a":  1 ,\r\n"b":\u2028 2}'],
  ])('%s is kept to the byte', async (_, body) => {
    const { status, id } = await deliver(body);
    expect(status).toBe(202);
    expect(await stored(id)).toEqual(Buffer.from(body));
  });

  test('with the secret of before its rotation is as good', async () => {
    expect(await deliver('{}', { signature: sign('{}', previous) })).toMatchObject({ status: 202 });
  });

  test('of an event that nobody knows is kept as ignored', async () => {
    const { status, id } = await deliver('{}', { event: 'quantum_leap' });
    expect(status).toBe(202);
    expect(await findDelivery(opened.ame.db, id)).toMatchObject({
      event: 'quantum_leap',
      outcome: 'ignored',
    });
  });

  test('and comes again changes nothing', async () => {
    const { id } = await deliver('{"first": true}');
    const before = await findDelivery(opened.ame.db, id);
    expect(await deliver('{"second": true}', { id })).toMatchObject({ status: 202 });
    expect(await findDelivery(opened.ame.db, id)).toEqual(before);
  });

  test.each<Record<string, string>>([
    { 'x-github-delivery': '' },
    { 'x-github-delivery': 'a b' },
    { 'x-github-delivery': 'x'.repeat(101) },
    { 'x-github-event': '' },
    { 'x-github-event': 'Push; drop' },
  ])('but says with %j not what it is, is refused', async (headers) => {
    expect(await deliver('{}', { headers })).toMatchObject({
      status: 400,
      said: { error: { code: 'headers' } },
    });
  });
});

describe('a delivery that is not signed', () => {
  const body = '{"message": "Ærø"}';
  const good = sign(body);
  test.each<readonly [string, string | Uint8Array, string | null]>([
    ['not at all', body, null],
    ['with nothing', body, ''],
    ['with SHA-1', body, sign(body, current, 'sha1')],
    ['with SHA-1 under the name of SHA-256', body, sign(body, current, 'sha1').replace('sha1', 'sha256')],
    ['with another secret', body, sign(body, 'a guess')],
    ['with no secret', body, sign(body, '')],
    ['with a digest cut short', body, good.slice(0, -1)],
    ['with a digest too long', body, `${good}0`],
    ['in capitals', body, good.toUpperCase()],
    ['with a digest in capitals', body, `sha256=${good.slice(7).toUpperCase()}`],
    ['without the name of the digest', body, good.slice(7)],
    ['with two', body, `${sign(body, 'a guess')}, ${good}`],
    ['over other bytes', `${body} `, good],
    ['over the same words in another encoding', Buffer.from(body, 'latin1'), good],
    ['over the same JSON written anew', JSON.stringify(JSON.parse(body)), good],
    ['over text with the byte order mark taken off', `\uFEFF${body}`, good],
    ['over broken UTF-8 as it was repaired', Buffer.of(0x22, 0xff, 0x22), sign('"\uFFFD"')],
    ['as empty', '', sign('')],
  ])('rightly (%s) is refused, and nothing of it is kept', async (_, sent, signature) => {
    const answer = await deliver(sent, { signature });
    expect(answer).toMatchObject({ status: 401, said: { error: { code: 'signature' } } });
    expect(await stored(answer.id)).toBeNull();
  });

  test('is not told what else is wrong with it', async () => {
    expect(await deliver('', { id: '', event: '', signature: null })).toMatchObject({ status: 401 });
  });

  test('never comes to the inbox', async () => {
    const inbox: Inbox = { put: () => Promise.reject(new Error('it came to the inbox')) };
    const door = createWebhookDoor({ ...signedWith([current]), inbox, log });
    const answer = await door.request('/webhooks/github', {
      method: 'POST',
      headers: headersOf('one', sign(body, 'a guess')),
      body,
    });
    expect(answer.status).toBe(401);
  });

  test('finds no door where no secret is set', async () => {
    const inbox: Inbox = { put: () => Promise.reject(new Error('it came to the inbox')) };
    const door = createWebhookDoor({ ...signedWith([]), inbox, log });
    const headers = headersOf('one', sign(body, ''));
    const answer = await door.request('/webhooks/github', { method: 'POST', headers, body });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { code: 'not-configured' } });
  });
});

describe('a delivery of many bytes', () => {
  test('may have 25 MiB and no byte more', async () => {
    await using server = await listen(opened.app);
    const most = Buffer.alloc(mostBodyBytes, 0x20);
    const id = newId();
    const send = (body: Uint8Array, signed: string) =>
      fetch(`${server.url}/webhooks/github`, {
        method: 'POST',
        headers: { ...headersOf(id, signed), host: 'x' },
        body,
      });
    const good = await send(most, sign(most));
    expect(good.status).toBe(202);
    expect((await stored(id))?.equals(most)).toBe(true);
  });

  test('that says so is refused before it is read', async () => {
    await using server = await listen(opened.app);
    const head = [`Content-Length: ${mostBodyBytes + 1}`, 'X-GitHub-Delivery: a', 'X-GitHub-Event: push'];
    const { answer, sent } = await pour(server.port, head, false);
    expect(answer).toBe('HTTP/1.1 413 Payload Too Large');
    expect(sent).toBeLessThan(25);
  });

  test('that does not say so is refused when it becomes too long, and read no further', async () => {
    await using server = await listen(opened.app);
    const head = ['Transfer-Encoding: chunked', 'X-GitHub-Delivery: b', 'X-GitHub-Event: push'];
    const { answer, sent } = await pour(server.port, head, true);
    expect(answer).toBe('HTTP/1.1 413 Payload Too Large');
    // What lies in the buffers of two sockets comes on top.
    expect(sent).toBeLessThan(60);
  });

  test('is refused at one byte too many', async () => {
    const body = Buffer.alloc(mostBodyBytes + 1, 0x20);
    expect(await deliver(body)).toMatchObject({ status: 413, said: { error: { code: 'too-large' } } });
  });
});

describe('while the database is away', () => {
  test('a delivery is refused so that it is sent again', async () => {
    const db = connect({ url: 'postgres://ame@127.0.0.1:1/ame' });
    const door = createWebhookDoor({
      ...signedWith([current]),
      inbox: createInbox(db),
      log,
    });
    const headers = headersOf('one', sign('{}'));
    const answer = await door.request('/webhooks/github', { method: 'POST', headers, body: '{}' });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { code: 'database-away' } });
    await db.close();
  });

  test('or does not answer in time, a delivery is refused as well', async () => {
    const inbox: Inbox = { put: () => new Promise(() => {}) };
    const door = createWebhookDoor({ ...signedWith([current]), inbox, log });
    const headers = headersOf('one', sign('{}'));
    const answer = await door.request('/webhooks/github', { method: 'POST', headers, body: '{}' });
    expect(answer.status).toBe(503);
  });

  const hung: Inbox = { put: () => new Promise(() => {}) };
  const away = (): Promise<never> => Promise.reject(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }));
  const silent = (): Promise<never> => new Promise(() => {});

  test.each([
    { what: 'away', secrets: away },
    { what: 'silent', secrets: silent },
  ])('($what) what was last known tells the signed from the unsigned', async ({ secrets }) => {
    const door = createWebhookDoor({ secrets, known: () => [current], inbox: hung, log });
    const send = async (signature: string | null): Promise<number> => {
      const headers = headersOf('one', signature);
      return (await door.request('/webhooks/github', { method: 'POST', headers, body: '{}' })).status;
    };
    const statuses = [send(null), send(sign('{}', 'a guess')), send(sign('{}'))];
    expect(await Promise.all(statuses)).toEqual([401, 401, 503]);
  });

  test.each([
    { what: 'away', secrets: away },
    { what: 'silent', secrets: silent },
  ])('($what) and no secret was ever known, nothing is judged', async ({ secrets }) => {
    const door = createWebhookDoor({ secrets, known: () => [], inbox: hung, log });
    const headers = headersOf('one', null);
    const answer = await door.request('/webhooks/github', { method: 'POST', headers, body: '{}' });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { code: 'database-away' } });
  });

  test('a failure of our own is no matter of the database', async () => {
    const secrets = (): Promise<never> => Promise.reject(new Error('another key wrote it'));
    const door = createWebhookDoor({ secrets, known: () => [current], inbox: hung, log });
    door.onError((error, c) => c.text(error.message, 500));
    const answer = await door.request('/webhooks/github', { method: 'POST', body: '{}' });
    expect([answer.status, await answer.text()]).toEqual([500, 'another key wrote it']);
  });

  test('a delivery is answered only after the commit', async () => {
    const { db } = opened.ame;
    const id = newId();
    const locked = Promise.withResolvers<void>();
    const unlock = Promise.withResolvers<void>();
    const holding = db.orm.transaction(async (tx) => {
      await tx.execute(sql`lock table deliveries in exclusive mode`);
      locked.resolve();
      await unlock.promise;
    });
    await locked.promise;
    const events: string[] = [];
    const delivering = deliver('{}', { id }).then((answer) => {
      events.push('answered');
      return answer;
    });
    for (;;) {
      const { rows } = await db.orm.execute(sql`select from pg_locks
        where not granted and database = (select oid from pg_database where datname = current_database())`);
      if (rows.length > 0) break;
    }
    events.push('let go');
    unlock.resolve();
    await holding;
    expect(await delivering).toMatchObject({ status: 202 });
    expect(events).toEqual(['let go', 'answered']);
  });
});

test('many deliveries at once are all kept', async () => {
  const before = (await listDeliveries(opened.ame.db, { limit: 200 })).length;
  const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => deliver(`{"at": ${at}}`)));
  expect(answers.every(({ status }) => status === 202)).toBe(true);
  const rows = await listDeliveries(opened.ame.db, { limit: 200 });
  expect(rows).toHaveLength(before + 100);
});
