import { once } from 'node:events';
import { connect } from 'node:net';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attemptToken } from '../../src/attempt/token.ts';
import { createLog } from '../../src/log.ts';
import { createAgentApp } from '../../src/server/agent-app.ts';
import { slowest, systemBodyClock, type BodyClock } from '../../src/server/agent/body.ts';
import { createAgentDoor } from '../../src/server/agent.ts';
import { createSetup } from '../../src/server/setup.ts';
import { createWebhookDoor } from '../../src/server/webhook.ts';
import { createManualClock } from '../agent/manual-clock.ts';
import { listen, openTestAme, refusalOf, token, type Listening, type TestAme } from '../server/ame.ts';

const clock = createManualClock();
let opened: TestAme;
beforeAll(async () => {
  opened = await openTestAme();
});
afterAll(() => opened.close());

/** The door for webhooks, which nobody may make store anything. */
function webhookDoor(clock: BodyClock) {
  return createWebhookDoor({
    secrets: () => Promise.resolve(['a secret of the test']),
    known: () => ['a secret of the test'],
    inbox: { put: () => Promise.reject(new Error('stored')) },
    log: createLog('silent'),
    clock,
  });
}

/** A sender who has not proved anything. */
function send(body: ReadableStream<Uint8Array>): Promise<Response> {
  const headers = { 'x-hub-signature-256': 'sha256=00' };
  return Promise.resolve(
    webhookDoor(clock).request('/webhooks/github', { method: 'POST', body, duplex: 'half', headers }),
  );
}

test('a delivery that never comes is not waited for', async () => {
  const answer = send(new ReadableStream<Uint8Array>());
  await clock.armed(slowest.silentMs);
  clock.advance(slowest.silentMs);
  expect(await refusalOf(await answer)).toEqual([408, 'too-slow']);
  expect((await answer).headers.get('connection')).toBe('close');
});

test('a delivery of which a byte comes now and then is not waited for', async () => {
  let pieces = 0;
  const drips = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pieces += 1;
        clock.advance(slowest.silentMs / 6);
        controller.enqueue(new Uint8Array(1));
      },
    },
    { highWaterMark: 0 },
  );
  expect(await refusalOf(await send(drips))).toEqual([408, 'too-slow']);
  expect(pieces).toBeLessThan(10);
});

/**
 * Sends this at once and then a byte every 20 ms, until the server has closed the connection: the statuses of all
 * that it answered. A server that waits for such a sender never lets this end.
 */
async function dripInto(port: number, first: string, drop: string): Promise<readonly number[]> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
  // It closes while we write.
  socket.on('error', () => undefined);
  socket.write(first);
  const drips = drop === '' ? undefined : setInterval(() => socket.write(drop), 20);
  await once(socket, 'close');
  clearInterval(drips);
  return [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
}

const head = (line: string, ...headers: readonly string[]): string =>
  `${[`${line} HTTP/1.1`, 'Host: 127.0.0.1', ...headers].join('\r\n')}\r\n\r\n`;
const long = 'Content-Length: 1000000';
const form = 'Content-Type: application/x-www-form-urlencoded';
const patience = { headersMs: 200, lookMs: 20 };

/** A minute passes in 200 ms. */
const hurried: BodyClock = {
  now: () => performance.now() * 300,
  after: (milliseconds, callback) => systemBodyClock.after(milliseconds / 300, callback),
};

describe('headers on the wire, at the door of people and at that of agents', () => {
  const doors: Listening[] = [];
  beforeAll(async () => {
    doors.push(await listen(opened.app, patience), await listen(createAgentApp(opened.ame), patience));
  });
  afterAll(async () => {
    for (const door of doors) await door[Symbol.asyncDispose]();
  });

  test.each([
    ['no byte', '', '', [408]],
    ['half of a first line', 'GET /healthz', '', [408]],
    ['a first line without end', 'GET /', 'a', [408]],
    ['headers without end', 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n', 'X: y\r\n', [408]],
    ['a second request that stays half', `${head('GET /healthz')}GET /heal`, '', [200]],
  ])('%s: the connection is closed', async (_, first, drop, statuses) => {
    expect(doors).toHaveLength(2);
    for (const { port } of doors) expect(await dripInto(port, first, drop)).toEqual(statuses);
  });
});

describe('bodies on the wire', () => {
  let server: Listening;
  beforeAll(async () => {
    server = await listen(opened.app, patience);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  // Nothing of these is read: the answer does not wait for them, nor does the connection outlive it for long.
  test.each([
    ['the Git host', head('POST /git/ada/spam/git-receive-pack', long), 401],
    ['the API', head('POST /api/v1/runs', long), 401],
    ['a request of the API that asks for nothing', head('GET /api/v1/runs', long), 401],
    ['the agents’ door', head('PUT /agent/v1/attempts/1/report', long), 401],
    ['metrics', head('GET /metrics', long), 401],
    ['a form of /setup that says how long it is', head('POST /setup', form, long), 413],
    ['nowhere', head('POST /nowhere', long), 401],
    ['health', head('GET /healthz', long), 200],
  ])('%s closes where nobody is waited for', async (_, first, status) => {
    expect(await dripInto(server.port, first, 'x')).toEqual([status]);
  });

  test.each([
    ['/setup', '', 408],
    ['/setup', 'x', 408],
    ['/webhooks/github', '', 408],
    ['/webhooks/github', 'x', 408],
    ['/agent/v1/attempts/7/report', '', 408],
    ['/agent/v1/attempts/7/report', 'x', 408],
  ])('%s reads a body that comes as "%s" no longer than it has patience', async (path, drop, status) => {
    const { ame } = opened;
    const door = createAgentDoor({ door: ame.door, ownKey: ame.ownKey, log: ame.log, clock: hurried });
    const all = new Hono()
      .route('/', createSetup(ame, { bodyClock: hurried }))
      .route('/', webhookDoor(hurried))
      .route('/', door);
    await using own = await listen(all);
    const authorization = `Authorization: Bearer ${attemptToken(ame.ownKey, 7)}`;
    const method = path.startsWith('/agent') ? 'PUT' : 'POST';
    const first = head(`${method} ${path}`, form, authorization, 'Content-Length: 1000');
    expect(await dripInto(own.port, first, drop)).toEqual([status]);
  });

  test('a form that comes in good time is read', async () => {
    const answer = await fetch(`${server.url}/setup`, {
      method: 'POST',
      body: new URLSearchParams({ token }),
      redirect: 'manual',
    });
    expect(answer.status).toBe(303);
  });
});
