import fc from 'fast-check';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attemptToken, verifyAttemptToken } from '../../src/attempt/token.ts';
import {
  AttemptFaultError,
  AttemptOverError,
  type AttemptDoor,
  type LogChunk,
} from '../../src/core/attempt.ts';
import { BlobMismatchError, BlobMissingError } from '../../src/core/blob.ts';
import { decodeLogChunk, doorLimits, encodeLogChunk } from '../../src/core/door-wire.ts';
import { logLimits } from '../../src/core/log-lines.ts';
import { digestOf } from '../../src/core/snapshot.ts';
import { createLog } from '../../src/log.ts';
import { answerWithinMs } from '../../src/server/agent/long-answer.ts';
import { createAgentDoor, type AgentDoorDeps } from '../../src/server/agent.ts';
import { slowest } from '../../src/server/agent/body.ts';
import { StorageAwayError } from '../../src/storage/storage.ts';
import { createManualClock } from '../agent/manual-clock.ts';
import { createMemoryDoor } from '../agent/memory-door.ts';
import { openTestAme, read, refusalOf, type TestAme } from './ame.ts';
import { pour } from './pour.ts';
import { overHttp } from '../agent/over-http.ts';

const key = new Uint8Array(32).fill(5);
const own = attemptToken(key, 1);
const digest = digestOf(Buffer.from('x'));
const base = '/agent/v1/attempts/1';

type Asked = { readonly method?: string; readonly token?: string; readonly body?: BodyOf };
type BodyOf = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

/** The door before this one, and what it wrote into its log. */
function agentDoor(door: Partial<AttemptDoor> = {}, deps: Partial<AgentDoorDeps> = {}) {
  const logged: string[] = [];
  const sink = new PassThrough().on('data', (line: Buffer) => logged.push(line.toString()));
  const log = createLog('debug', sink);
  const app = createAgentDoor({ door: createMemoryDoor({}, door), ownKey: key, log, ...deps });
  const ask = async (path: string, { method = 'GET', token = own, body }: Asked = {}): Promise<Response> =>
    app.request(path.startsWith('/') ? path : `${base}/${path}`, {
      method,
      headers: token === '' ? {} : { authorization: `Bearer ${token}` },
      ...(body !== undefined && { body, duplex: 'half' }),
    });
  return { ask, logged };
}

const json = (value: unknown): string => JSON.stringify(value);
const chunk: LogChunk = {
  seq: 0,
  firstLine: 0,
  offset: 0,
  bytes: Buffer.from('one\ntwo'),
  lines: [
    [1, 5, 4],
    [2, 6, 3],
  ],
};

describe('a token', () => {
  test('is good for its attempt and its key alone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 40 }),
        fc.uint8Array({ minLength: 32 }),
        (attempt, other) => {
          const token = attemptToken(key, attempt);
          expect(verifyAttemptToken(key, token)).toBe(attempt);
          expect(verifyAttemptToken(other, token)).toBe(null);
          expect(verifyAttemptToken(key, token.replace(/^\d+/, String(attempt + 1)))).toBe(null);
        },
      ),
    );
  });

  test('has one spelling', () => {
    const token = attemptToken(key, 17);
    for (let at = 0; at < token.length; at += 1)
      for (const other of 'A0z-_.=') {
        const changed = token.slice(0, at) + other + token.slice(at + 1);
        expect(verifyAttemptToken(key, changed)).toBe(changed === token ? 17 : null);
      }
    for (const wrong of ['', '.', `0${token}`, `${token}=`, ` ${token}`, `${token}\n`, '17.', token.slice(3)])
      expect(verifyAttemptToken(key, wrong)).toBe(null);
  });
});

describe('who may ask', () => {
  test.each([
    ['nobody', '', [401, 'token-needed']],
    ['a token of another key', attemptToken(new Uint8Array(32), 1), [401, 'token-needed']],
    ['a token of another attempt', attemptToken(key, 2), [403, 'token-foreign']],
  ])('%s', async (_, token, expected) => {
    const { ask, logged } = agentDoor();
    const paths = [
      ['GET', 'input'],
      ['GET', `blobs/${digest}`],
      ['PUT', `blobs/${digest}`],
      ['POST', 'missing'],
      ['PUT', 'started'],
      ['PUT', 'log/0'],
      ['PUT', 'report'],
      ['GET', 'anything'],
    ] as const;
    for (const [method, path] of paths)
      expect(await refusalOf(await ask(path, { method, token }))).toEqual(expected);
    expect(logged).toEqual([]);
  });

  test.each(['01', '1.0', '%31x', 'x', '11'])('a token of attempt 1 does not open %s', async (id) => {
    const { ask } = agentDoor();
    expect((await ask(`/agent/v1/attempts/${id}/input`)).status).toBe(403);
  });

  test('nothing else is here', async () => {
    const { ask } = agentDoor();
    for (const path of ['/agent', '/agent/v1', '/agent/v1/attempts', base, `${base}/blobs`])
      expect([path, (await ask(path)).status]).toEqual([path, 404]);
    expect((await ask('input', { method: 'DELETE' })).status).toBe(404);
  });
});

describe('what the door throws', () => {
  const fault = { class: 'conflict', message: 'a and b changed x' } as const;
  const away = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  test.each<[Error, number, object]>([
    [
      new AttemptOverError('attempt 1 is over'),
      410,
      { error: { code: 'attempt-over', message: 'attempt 1 is over' } },
    ],
    [new AttemptFaultError(fault), 422, { error: { code: 'attempt-fault', message: fault.message }, fault }],
    [new BlobMissingError('none'), 404, { error: { code: 'blob-missing', message: 'none' } }],
    [new BlobMismatchError('other'), 422, { error: { code: 'blob-mismatch', message: 'other' } }],
    [
      new StorageAwayError('S3 was silent'),
      503,
      { error: { code: 'store-away', message: 'the store is away; try again in a moment' } },
    ],
    [away, 503, { error: { code: 'database-away', message: expect.any(String) } }],
    [
      new Error('password is 123'),
      500,
      { error: { code: 'internal', message: 'AME failed to answer; its log says why' } },
    ],
  ])('%s becomes %i', async (error, status, body) => {
    const { ask } = agentDoor({ input: () => Promise.reject(error) });
    const answer = await ask('input');
    expect([answer.status, await read(answer)]).toEqual([status, body]);
    expect(answer.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
  });

  test('is logged without a secret or a token', async () => {
    const { ask, logged } = agentDoor({
      ...createMemoryDoor({ secrets: [{ name: 'KEY', value: 'hush' }] }),
      started: () => Promise.reject(new Error('broken')),
    });
    expect(await read(await ask('input'))).toMatchObject({ secrets: [{ name: 'KEY', value: 'hush' }] });
    expect((await ask('input')).headers.get('cache-control')).toBe('no-store');
    expect((await ask('started', { method: 'PUT', body: json({ at: new Date(0) }) })).status).toBe(500);
    expect(logged.join()).toContain('broken');
    expect(logged.join()).not.toContain('hush');
    expect(logged.join()).not.toContain(own.slice(2));
  });
});

describe('what is sent', () => {
  const notJson = '{';
  test.each<[string, Asked & { readonly path: string }, number]>([
    ['a report that is no JSON', { path: 'report', method: 'PUT', body: notJson }, 400],
    ['a report without phases', { path: 'report', method: 'PUT', body: json({ ending: null }) }, 400],
    ['a time that is none', { path: 'started', method: 'PUT', body: json({ at: 'today' }) }, 400],
    [
      'a question about no digest',
      { path: 'missing', method: 'POST', body: json({ digests: ['../x'] }) },
      400,
    ],
    [
      'a question about too many',
      {
        path: 'missing',
        method: 'POST',
        body: json({ digests: Array(doorLimits.digests + 1).fill(digest) }),
      },
      413,
    ],
    ['a name that is no digest', { path: 'blobs/abc', method: 'PUT', body: 'x' }, 400],
    ['a part from nowhere', { path: `blobs/${digest}?from=-1` }, 400],
    ['a chunk without its line', { path: 'log/0', method: 'PUT', body: 'x' }, 400],
    ['a chunk of no number', { path: 'log/x', method: 'PUT', body: encodeLogChunk(chunk) }, 400],
    [
      'a chunk with more bytes than one may have',
      {
        path: 'log/0',
        method: 'PUT',
        body: encodeLogChunk({
          ...chunk,
          bytes: Buffer.alloc(logLimits.chunk + 1),
          lines: [[1, 1, logLimits.chunk + 1]],
        }),
      },
      400,
    ],
    [
      'a chunk that is too large',
      { path: 'log/0', method: 'PUT', body: new Uint8Array(doorLimits.logBody + 1) },
      413,
    ],
    [
      'a chunk that is too large, of no announced length',
      {
        path: 'log/0',
        method: 'PUT',
        body: ReadableStream.from([new Uint8Array(doorLimits.logBody), new Uint8Array(1)]),
      },
      413,
    ],
  ])('%s is refused', async (_, { path, ...asked }, status) => {
    const told: string[] = [];
    const tell = async (): Promise<void> => void told.push(path);
    const { ask } = agentDoor({ appendLog: tell, finish: tell, started: tell, writeBlob: tell });
    expect((await ask(path, asked)).status).toBe(status);
    expect(told).toEqual([]);
  });

  test('content beyond the bound is cut off, whatever its reader makes of that', async () => {
    let got = 0;
    const { ask } = agentDoor(
      {
        async writeBlob(_, __, content) {
          try {
            for await (const bytes of content) got += bytes.length;
          } catch {
            throw new Error('the store has words of its own');
          }
        },
      },
      { limits: { blob: 10 } },
    );
    const body = (bytes: number) => ReadableStream.from([new Uint8Array(6), new Uint8Array(bytes - 6)]);
    const put = { method: 'PUT' };
    expect((await ask(`blobs/${digest}`, { ...put, body: body(10) })).status).toBe(204);
    expect(got).toBe(10);
    const refused = await ask(`blobs/${digest}`, { ...put, body: body(11) });
    expect(await refusalOf(refused)).toEqual([413, 'too-large']);
    expect(got).toBe(16);
  });

  test('a chunk comes as it went, and what does not fit together is none', () => {
    const line = fc.tuple(fc.constantFrom(0 as const, 1 as const, 2 as const), fc.nat(), fc.nat(50));
    fc.assert(
      fc.property(fc.array(line), fc.nat(), fc.nat(), fc.nat(), (lines, seq, firstLine, offset) => {
        const length = lines.reduce((sum, [, , bytes]) => sum + bytes, 0);
        const whole: LogChunk = { seq, firstLine, offset, lines, bytes: Buffer.alloc(length, '\n') };
        expect(offset > logLimits.total || decodeLogChunk(seq, encodeLogChunk(whole))).toEqual(
          offset > logLimits.total || whole,
        );
        expect(decodeLogChunk(seq, encodeLogChunk({ ...whole, bytes: Buffer.alloc(length + 1) }))).toBe(null);
      }),
    );
    for (const lines of [
      'null',
      '[[3,1,7]]',
      '[[1,-1,7]]',
      '[[1,1.5,7]]',
      '[[1,1,"7"]]',
      '[[1,1,7,0]]',
      '[7]',
    ])
      expect(decodeLogChunk(0, Buffer.from(`{"firstLine":0,"offset":0,"lines":${lines}}\n1234567`))).toBe(
        null,
      );
  });
});

describe('a slow body', () => {
  test('is not waited for: nothing for a minute', async () => {
    const clock = createManualClock();
    const { ask } = agentDoor({}, { clock });
    const silent = new ReadableStream<Uint8Array>();
    const answer = ask('started', { method: 'PUT', body: silent });
    await clock.armed(slowest.silentMs);
    clock.advance(slowest.silentMs);
    expect(await refusalOf(await answer)).toEqual([408, 'too-slow']);
    expect((await answer).headers.get('connection')).toBe('close');
  });

  test('is not waited for: a byte now and then', async () => {
    const clock = createManualClock();
    let pieces = 0;
    const drips = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pieces += 1;
          // It takes ten seconds to come.
          clock.advance(10_000);
          controller.enqueue(new Uint8Array(1));
        },
      },
      { highWaterMark: 0 },
    );
    const drain: AttemptDoor['writeBlob'] = async (_, __, content) => {
      for await (const _bytes of content);
    };
    const { ask } = agentDoor({ writeBlob: drain }, { clock });
    const answer = await ask(`blobs/${digest}`, { method: 'PUT', body: drips });
    expect(await refusalOf(answer)).toEqual([408, 'too-slow']);
    expect(pieces).toBeLessThan(10);
  });

  test('is the sender’s fault only while its reader waits', async () => {
    const clock = createManualClock();
    const slowStore: AttemptDoor['writeBlob'] = async (_, __, content) => {
      for await (const _bytes of content) clock.advance(50_000);
    };
    const { ask } = agentDoor({ writeBlob: slowStore }, { clock });
    const body = ReadableStream.from(Array.from({ length: 20 }, () => new Uint8Array(10)));
    expect((await ask(`blobs/${digest}`, { method: 'PUT', body })).status).toBe(204);
  });
});

test('a HEAD says whether content is there', async () => {
  const { ask } = agentDoor({
    missingBlobs: async (_, digests) => new Set(digests.filter((one) => one !== digest)),
  });
  expect((await ask(`blobs/${digest}`, { method: 'HEAD' })).status).toBe(200);
  expect((await ask(`blobs/${'0'.repeat(64)}`, { method: 'HEAD' })).status).toBe(404);
});

describe('in the whole server', () => {
  let served: TestAme;
  beforeAll(async () => {
    served = await openTestAme();
  });
  afterAll(() => served[Symbol.asyncDispose]());

  test('stands before the rules for browsers, under whatever name', async () => {
    const headers = {
      host: 'ame.ame-system.svc',
      origin: 'http://elsewhere',
      'sec-fetch-site': 'cross-site',
    };
    const ask = (token: string): Promise<Response> =>
      served.ask(`${base}/input`, { headers: { ...headers, authorization: `Bearer ${token}` } });
    expect(await refusalOf(await ask('a-token-of-the-test'))).toEqual([401, 'token-needed']);
    // There is no such attempt, and so none that goes on.
    expect(await refusalOf(await ask(attemptToken(served.ame.ownKey, 1)))).toEqual([410, 'attempt-over']);
    expect((await served.ask('/agent/nothing', { headers })).status).toBe(404);
  });

  test('says that the database is away', async () => {
    await using away = await openTestAme({ databaseUrl: 'postgres://127.0.0.1:1/none' });
    const authorization = `Bearer ${attemptToken(away.ame.ownKey, 1)}`;
    const answer = await away.ask(`${base}/input`, { headers: { authorization } });
    expect([answer.headers.get('retry-after'), ...(await refusalOf(answer))]).toEqual([
      '1',
      503,
      'database-away',
    ]);
  });
});

test('a body that is refused by its length is answered before it has come', async () => {
  await using reached = await overHttp(createMemoryDoor(), {}, { ownKey: key });
  const head = [`Authorization: Bearer ${own}`, 'Content-Length: 209715200'];
  const { answer, sent } = await pour(reached.port, head, false, `PUT ${base}/report`);
  expect(answer).toContain('413');
  expect(sent).toBeLessThan(200);
});

describe('an answer that takes long', () => {
  const input = { script: 'true', root: 'f'.repeat(64), secrets: [], artifacts: null };

  /** A door whose input is there as soon as `answer` is given. */
  function slowDoor() {
    const clock = createManualClock();
    const answer = Promise.withResolvers<typeof input>();
    let asked = 0;
    const { ask } = agentDoor(
      {
        input: () => {
          asked += 1;
          return answer.promise;
        },
      },
      { clock },
    );
    return { clock, answer, ask, asked: () => asked };
  }

  test('is said to be on its way, is worked out once, and is there for who asks again', async () => {
    const { clock, answer, ask, asked } = slowDoor();
    for (let time = 0; time < 3; time += 1) {
      const waiting = ask('input');
      await clock.armed(answerWithinMs);
      clock.advance(answerWithinMs);
      const told = await waiting;
      expect([told.headers.get('retry-after'), ...(await refusalOf(told))]).toEqual([
        '1',
        503,
        'being-prepared',
      ]);
    }
    answer.resolve(input);
    expect(await (await ask('input')).json()).toEqual(input);
    expect(asked()).toBe(1);
    // The next one is asked for anew: what was handed out is kept nowhere.
    await ask('input');
    expect(asked()).toBe(2);
  });

  test('is not kept for long where nobody comes for it', async () => {
    const { clock, answer, ask, asked } = slowDoor();
    const waiting = ask('input');
    await clock.armed(answerWithinMs);
    clock.advance(answerWithinMs);
    await waiting;
    answer.resolve(input);
    await clock.armed(60_000);
    clock.advance(60_000);
    await ask('input');
    expect(asked()).toBe(2);
  });
});
