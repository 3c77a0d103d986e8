import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { patienceMs, stallMs } from '../../src/agent/door-calls.ts';
import { createHttpDoor } from '../../src/agent/http-door.ts';
import {
  AttemptFaultError,
  AttemptOverError,
  type AttemptDoor,
  type AttemptReport,
  type LogChunk,
} from '../../src/core/attempt.ts';
import { BlobMismatchError, BlobMissingError } from '../../src/core/blob.ts';
import { digestOf, type Digest } from '../../src/core/snapshot.ts';
import { createManualClock } from './manual-clock.ts';
import { createDoorClock, overHttp } from './over-http.ts';

const report: AttemptReport = {
  ending: { exitCode: 3, signal: null, commandNotFound: 'torchrun', outOfMemory: true },
  fault: null,
  phases: { preparedFrom: new Date(1), startedAt: new Date(2_000), endedAt: null, storedAt: new Date(3) },
  output: 'f'.repeat(64),
  artifacts: [{ path: 'out/ü \ud800', digest: 'a'.repeat(64), size: 7, mode: 0o644 }],
  notices: ['said'],
  peakMemoryBytes: 123,
  cpuSeconds: 1.5,
  interrupted: 'taken',
  outputBytes: { all: 9, changed: 7 },
};

const chunkOf = (seq: number, text: string): LogChunk => ({
  seq,
  firstLine: seq,
  offset: 0,
  bytes: Buffer.from(text),
  lines: [[1, 1_700_000_000_000, Buffer.byteLength(text)]],
});

/** A door in memory, with all that it was told. */
function createModel() {
  const blobs = new Map<Digest, string>();
  const log = new Map<number, string>();
  const told: unknown[] = [];
  let over = false;
  const living = (): void => {
    if (over) throw new AttemptOverError('attempt 1 is over');
  };
  const door: AttemptDoor = {
    async input() {
      living();
      if (blobs.size === 2) throw new AttemptFaultError({ class: 'conflict', message: 'a and b changed x' });
      return {
        script: 'python train.py',
        root: 'f'.repeat(64),
        secrets: [{ name: 'KEY', value: 'v"\n\0ü' }],
        artifacts: ['*.txt'],
      };
    },
    async readBlob(_, digest, from = 0) {
      living();
      const text = blobs.get(digest);
      if (text === undefined) throw new BlobMissingError(`there is no content ${digest}`);
      const bytes = Buffer.from(text).subarray(from);
      // In pieces, so that one may break off in between.
      return ReadableStream.from(
        [bytes.subarray(0, 3), bytes.subarray(3)].filter(({ length }) => length > 0),
      );
    },
    async missingBlobs(_, digests) {
      living();
      return new Set(digests.filter((digest) => !blobs.has(digest)));
    },
    async writeBlob(_, digest, content) {
      living();
      const bytes = Buffer.concat(await Array.fromAsync(content));
      if (digestOf(bytes) !== digest) throw new BlobMismatchError(`these are not the bytes of ${digest}`);
      blobs.set(digest, bytes.toString());
    },
    async started(_, at) {
      living();
      if (!told.some((each) => each instanceof Date)) told.push(at);
    },
    async appendLog(_, { seq, bytes, lines, firstLine, offset }) {
      living();
      if (log.has(seq)) return;
      log.set(seq, JSON.stringify([Buffer.from(bytes).toString(), lines, firstLine, offset]));
    },
    async finish(_, said) {
      living();
      told.push(said);
      over = true;
    },
  };
  return { door, state: () => ({ blobs, log, told }) };
}

type Call =
  | { readonly name: 'input' | 'finish' }
  | { readonly name: 'read' | 'write' | 'mismatch'; readonly text: string }
  | { readonly name: 'missing'; readonly texts: readonly string[] }
  | { readonly name: 'started'; readonly at: number }
  | { readonly name: 'log'; readonly seq: number; readonly text: string };

const texts = fc.constantFrom('', 'a', 'some text', 'ü'.repeat(2_000));
const call = fc.oneof(
  { weight: 6, arbitrary: fc.record({ name: fc.constant('write' as const), text: texts }) },
  { weight: 6, arbitrary: fc.record({ name: fc.constant('read' as const), text: texts }) },
  fc.record({ name: fc.constant('mismatch' as const), text: texts }),
  fc.record({
    name: fc.constantFrom('input' as const, 'input' as const, 'input' as const, 'finish' as const),
  }),
  fc.record({ name: fc.constant('missing' as const), texts: fc.array(texts) }),
  fc.record({ name: fc.constant('started' as const), at: fc.nat() }),
  fc.record({ name: fc.constant('log' as const), seq: fc.nat(3), text: texts }),
);

async function perform(door: AttemptDoor, asked: Call): Promise<unknown> {
  const digest = (text: string): Digest => digestOf(Buffer.from(text));
  switch (asked.name) {
    case 'input':
      return door.input(1);
    case 'finish':
      return door.finish(1, report);
    case 'started':
      return door.started(1, new Date(asked.at));
    case 'missing':
      return [...(await door.missingBlobs(1, asked.texts.map(digest)))];
    case 'log':
      return door.appendLog(1, chunkOf(asked.seq, asked.text));
    case 'read':
      return Buffer.concat(await Array.fromAsync(await door.readBlob(1, digest(asked.text)))).toString();
    case 'write':
    case 'mismatch': {
      const named = asked.name === 'write' ? asked.text : 'other';
      const content = () => ReadableStream.from([Buffer.from(asked.text), Buffer.from('')]);
      return door.writeBlob(1, digest(named), content(), content);
    }
  }
}

async function outcome(door: AttemptDoor, asked: Call): Promise<unknown> {
  try {
    return { answer: await perform(door, asked) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const fault = error instanceof AttemptFaultError ? error.fault : null;
    return { type: error.constructor.name, message: error.message, fault };
  }
}

/** What the wire does to one request. */
const trouble = fc.constantFrom('none', 'none', 'unsent', 'unheard', 'busy', 'torn' as const);

/** A fetch before which the wire is troubled as listed, and then is not. */
function troubled(troubles: readonly string[]): typeof globalThis.fetch {
  let at = 0;
  return async (input, init) => {
    const what = troubles[at++] ?? 'none';
    if (what === 'unsent') throw new TypeError('fetch failed');
    if (what === 'busy') return new Response('busy', { status: 503, headers: { 'retry-after': '7' } });
    const response = await fetch(input, init);
    if (what === 'unheard') {
      await response.body?.cancel();
      throw new TypeError('fetch failed');
    }
    if (what !== 'torn' || response.body === null) return response;
    const [first] = await Array.fromAsync(response.body);
    const torn = async function* () {
      if (first !== undefined) yield first.subarray(0, Math.ceil(first.length / 2));
      throw new TypeError('terminated');
    };
    return new Response(ReadableStream.from(torn()), response);
  };
}

describe('a door over HTTP', () => {
  test('answers, refuses and is left as the door itself, whatever is lost on the way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(call, { maxLength: 12 }),
        fc.array(trouble, { maxLength: 20 }),
        async (asked, troubles) => {
          const [near, far] = [createModel(), createModel()];
          await using reached = await overHttp(far.door, { fetch: troubled(troubles) });
          for (const one of asked) {
            const [expected, found] = [await outcome(near.door, one), await outcome(reached.door, one)];
            // A report that was heard although its answer was lost has ended the attempt: it is not said again.
            if (one.name !== 'finish' || !JSON.stringify(found).includes('AttemptOverError'))
              expect(found).toEqual(expected);
          }
          expect(far.state()).toEqual(near.state());
        },
      ),
      { numRuns: 30 },
    );
  });

  test('once over asks nothing more, and ends what waits', async () => {
    const requests: string[] = [];
    const { door, state } = createModel();
    const waiting = Promise.withResolvers<void>();
    const noStart: typeof globalThis.fetch = (input, init) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input);
      requests.push(pathname.slice(pathname.lastIndexOf('/')));
      if (!pathname.endsWith('/started')) return fetch(input, init);
      waiting.resolve();
      return Promise.reject(new TypeError('fetch failed'));
    };
    const clock = createManualClock();
    await using reached = await overHttp(door, {
      fetch: noStart,
      clock,
    });
    const started = reached.door.started(1, new Date(0)).catch((error: unknown) => error);
    await waiting.promise;
    await door.finish(1, report);
    await expect(reached.door.input(1)).rejects.toThrow(AttemptOverError);
    expect(await started).toBeInstanceOf(AttemptOverError);
    await expect(reached.door.missingBlobs(1, ['a'.repeat(64)])).rejects.toThrow(AttemptOverError);
    expect(requests).toEqual(['/started', '/input']);
    expect(state().told).toHaveLength(1);
  });

  test('ends with its signal', async () => {
    const stop = new AbortController();
    const asked = Promise.withResolvers<void>();
    const { door } = createModel();
    const never: AttemptDoor = {
      ...door,
      input: () => (asked.resolve(), new Promise(() => undefined)),
    };
    await using reached = await overHttp(never, { signal: stop.signal });
    const input = reached.door.input(1).catch((error: unknown) => error);
    await asked.promise;
    stop.abort(new Error('stopped'));
    expect(await input).toEqual(new Error('stopped'));
    await expect(reached.door.started(1, new Date())).rejects.toThrow('stopped');
  });

  test('is of one attempt', async () => {
    const { door } = createModel();
    await using reached = await overHttp(door);
    await expect(reached.door.input(2)).rejects.toThrow('not of 2');
  });
});

describe('patience', () => {
  test('lasts an hour, with pauses that grow and differ, and then throws what it met', async () => {
    const clock = createDoorClock();
    const from = clock.now();
    const pauses: number[] = [];
    let last = from;
    const door = createHttpDoor({
      url: 'http://127.0.0.1:1',
      attempt: 1,
      token: 't',
      clock,
      fetch: () => {
        pauses.push(clock.now() - last);
        last = clock.now();
        return Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }));
      },
    });
    await expect(door.started(1, new Date())).rejects.toThrow(/ECONNREFUSED/);
    const spent = clock.now() - from;
    expect([spent <= patienceMs, spent > patienceMs - 20_000]).toEqual([true, true]);
    expect(pauses[1]).toBeLessThanOrEqual(200);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(15_000);
    expect(new Set(pauses.slice(-20)).size).toBeGreaterThan(15);
  });

  test('is not used up by a server that works on the answer, however long that takes', async () => {
    const clock = createDoorClock();
    const from = clock.now();
    const input = { script: 'true', root: 'f'.repeat(64), secrets: [], artifacts: null };
    let left = 1_000;
    const door = createHttpDoor({
      url: 'http://x',
      attempt: 1,
      token: 't',
      clock,
      patience: 300_000,
      fetch: async () =>
        (left -= 1) > 0
          ? Response.json(
              { error: { code: 'being-prepared', message: 'ask again' } },
              { status: 503, headers: { 'retry-after': '1' } },
            )
          : Response.json(input),
    });
    expect(await door.input(1)).toEqual(input);
    expect(clock.now() - from).toBeGreaterThan(900_000);
  });

  test('is asked for in seconds, within reason', async () => {
    const clock = createDoorClock();
    const answers = [
      new Response('', { status: 429, headers: { 'retry-after': '30' } }),
      new Response('', { status: 503, headers: { 'retry-after': '999999' } }),
      new Response('', { status: 502, headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' } }),
    ];
    const times: number[] = [];
    const door = createHttpDoor({
      url: 'http://x/',
      attempt: 1,
      token: 't',
      clock,
      random: () => 0,
      fetch: async () => {
        times.push(clock.now());
        return answers.shift() ?? new Response(null, { status: 204 });
      },
    });
    await door.started(1, new Date());
    const first = times[0] ?? 0;
    expect(times.map((time) => time - first)).toEqual([0, 30_000, 90_000, 90_400]);
  });

  test.each([
    ['a wrong token', 401, 'AME answered with 401'],
    ['something that is not there', 404, 'AME answered with 404'],
    ['what is too large', 413, 'AME answered with 413'],
    ['a redirect', 307, 'follows nobody'],
  ])('is not had with %s', async (_, status, words) => {
    let asked = 0;
    const door = createHttpDoor({
      url: 'http://x',
      attempt: 1,
      token: 't',
      fetch: async () => {
        asked += 1;
        return new Response('<html>', { status, headers: { location: 'http://elsewhere' } });
      },
    });
    const failure = door.finish(1, report);
    await expect(failure).rejects.toThrow(words);
    await expect(failure).rejects.toMatchObject({ fault: { class: 'store_failed' } });
    expect(asked).toBe(1);
  });

  test('with a connection on which nothing comes ends after two minutes', async () => {
    let requests = 0;
    const asked = Promise.withResolvers<void>();
    const server = createServer((request, response) => {
      requests += 1;
      request.resume();
      if (requests > 1) response.writeHead(204).end();
      else asked.resolve();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // What a listening TCP server answers with; only one on a pipe has a text.
    const { port } = server.address() as AddressInfo;
    const clock = createManualClock();
    const failures: unknown[] = [];
    const door = createHttpDoor({
      url: `http://127.0.0.1:${port}`,
      attempt: 1,
      token: 't',
      clock,
      random: () => 1,
      onFailure: (error) => failures.push(error),
    });
    const said = door.started(1, new Date());
    await asked.promise;
    clock.advance(stallMs);
    await clock.armed(200);
    clock.advance(200);
    await said;
    expect(failures.map(String)).toEqual(['DoorAwayError: nothing went or came for 120 s']);
    server.closeAllConnections();
    server.close();
  });
});

/** 200 MB in pieces that are not all the same, and their digest. */
const pieces = 800;
const piece = (index: number): Uint8Array<ArrayBuffer> => new Uint8Array(256 * 1024).fill(index);
function largeDigest(): Digest {
  const hash = createHash('sha256');
  for (let index = 0; index < pieces; index += 1) hash.update(piece(index));
  return hash.digest('hex');
}

/** Bytes of buffers that something still holds. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  // What the first collection found is freed beside the program, and counted as freed when the second one begins.
  for (let turn = 0; turn < 2; turn += 1) runInNewContext('gc')();
  return process.memoryUsage().arrayBuffers;
}

/** Gives large content, counting what its reader has asked for and what has arrived at the other end. */
function counting() {
  let [given, taken, most, held] = [0, 0, 0, 0];
  const before = heldBytes();
  return {
    content: (): ReadableStream<Uint8Array> => {
      let next = 0;
      return new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            if (next === pieces) return controller.close();
            const bytes = piece(next++);
            if (next % 200 === 0) held = Math.max(held, heldBytes() - before);
            given += bytes.length;
            most = Math.max(most, given - taken);
            controller.enqueue(bytes);
          },
        },
        { highWaterMark: 0 },
      );
    },
    /** Hashes, slower than content could come. */
    async take(content: ReadableStream<Uint8Array>): Promise<Digest> {
      const hash = createHash('sha256');
      for await (const bytes of content) {
        hash.update(bytes);
        taken += bytes.length;
        for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
      return hash.digest('hex');
    },
    most: () => most,
    /** What either side held on to, sent or not. */
    held: () => held,
    taken: () => taken,
  };
}

describe('200 MB', () => {
  const memory = 16 * 1024 * 1024;

  test('go up with few bytes under way at a time', async () => {
    const [count, digest] = [counting(), largeDigest()];
    let written: Digest = '';
    const writeBlob: AttemptDoor['writeBlob'] = async (_, __, content) => {
      written = await count.take(content);
    };
    await using reached = await overHttp({ ...createModel().door, writeBlob });
    await reached.door.writeBlob(1, digest, count.content());
    expect([written, count.taken()]).toEqual([digest, pieces * 256 * 1024]);
    expect(count.most()).toBeLessThan(memory);
    expect(count.held()).toBeLessThan(memory);
  });

  test('come down with few bytes under way at a time', async () => {
    const [count, digest] = [counting(), largeDigest()];
    const readBlob: AttemptDoor['readBlob'] = () => Promise.resolve(count.content());
    await using reached = await overHttp({ ...createModel().door, readBlob });
    expect(await count.take(await reached.door.readBlob(1, digest))).toBe(digest);
    expect(count.most()).toBeLessThan(memory);
    expect(count.held()).toBeLessThan(memory);
  });
});

describe('content', () => {
  const bytes = Buffer.from('0123456789'.repeat(50_000));
  const digest = digestOf(bytes);

  test('that fails in the store goes on where it broke off', async () => {
    const asked: number[] = [];
    const readBlob: AttemptDoor['readBlob'] = async (_, __, from = 0) => {
      asked.push(from);
      const broken = async function* () {
        yield bytes.subarray(from, from + 200_000);
        if (from + 200_000 < bytes.length) throw new Error('the disk is away');
      };
      return ReadableStream.from(broken());
    };
    await using reached = await overHttp({ ...createModel().door, readBlob });
    const read = await Array.fromAsync(await reached.door.readBlob(1, digest));
    expect(digestOf(Buffer.concat(read))).toBe(digest);
    expect(asked[0]).toBe(0);
    // What was under way when the connection was cut comes again.
    expect(asked.length).toBeGreaterThanOrEqual(3);
  });

  test('that is not that of its digest is not taken for whole', async () => {
    const readBlob: AttemptDoor['readBlob'] = async () => ReadableStream.from([bytes.subarray(1)]);
    await using reached = await overHttp({ ...createModel().door, readBlob });
    const read = Array.fromAsync(await reached.door.readBlob(1, digest));
    await expect(read).rejects.toMatchObject({ fault: { class: 'restore_failed' } });
  });

  test('does not follow a redirect', async () => {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // What a listening TCP server answers with; only one on a pipe has a text.
    const { port } = server.address() as AddressInfo;
    const door = createHttpDoor({ url: `http://127.0.0.1:${port}`, attempt: 1, token: 't' });
    const content = () => ReadableStream.from([bytes]);
    const refused = { fault: { class: 'store_failed' }, message: expect.stringContaining('follows nobody') };
    await expect(door.writeBlob(1, digest, content(), content)).rejects.toMatchObject(refused);
    await expect(door.finish(1, report)).rejects.toMatchObject(refused);
    server.closeAllConnections();
    server.close();
  });

  test('that is not there is said before any of it is read', async () => {
    await using reached = await overHttp(createModel().door);
    await expect(reached.door.readBlob(1, digest)).rejects.toThrow(BlobMissingError);
  });

  test('that cannot be read is not sent again', async () => {
    await using reached = await overHttp(createModel().door);
    const gone = (): ReadableStream<Uint8Array> =>
      new ReadableStream({
        pull(controller) {
          controller.error(Object.assign(new Error('gone'), { code: 'ENOENT' }));
        },
      });
    await expect(reached.door.writeBlob(1, digest, gone(), gone)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('of an upload whose answer was lost is not sent again', async () => {
    const { door, state } = createModel();
    const sent: string[] = [];
    await using reached = await overHttp(door, {
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        sent.push(init?.method ?? '');
        if (sent.length > 1) return response;
        await response.body?.cancel();
        throw new TypeError('fetch failed');
      },
    });
    const content = () => ReadableStream.from([bytes]);
    await reached.door.writeBlob(1, digest, content(), content);
    expect(sent).toEqual(['PUT', 'POST']);
    expect(state().blobs.size).toBe(1);
  });

  test('is read no further than it is asked for', async () => {
    let ended = false;
    const readBlob: AttemptDoor['readBlob'] = async () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)),
        cancel: () => void (ended = true),
      });
    const cancelled = Promise.withResolvers<void>();
    const watching: AttemptDoor['readBlob'] = async (attempt, asked) => {
      const reader = (await readBlob(attempt, asked)).getReader();
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { value } = await reader.read();
          if (value) controller.enqueue(value);
        },
        async cancel(reason) {
          await reader.cancel(reason);
          cancelled.resolve();
        },
      });
    };
    await using reached = await overHttp({ ...createModel().door, readBlob: watching });
    const content = await reached.door.readBlob(1, digest);
    await content.cancel();
    await cancelled.promise;
    expect(ended).toBe(true);
  });
});
