import { PassThrough, Readable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shipLog, type Shipped, type ShipOptions } from '../../src/agent/ship.ts';
import { AttemptOverError, type LogChunk } from '../../src/core/attempt.ts';
import { createHastyClock, createManualClock, type ManualClock } from './manual-clock.ts';
import { linesOf, textOf } from './memory-door.ts';

type Shipment = {
  stdout: PassThrough;
  stderr: PassThrough;
  clock: ManualClock;
  chunks: LogChunk[];
  /** Resolves with the next chunk that is appended. */
  next: () => Promise<LogChunk>;
  done: Promise<Shipped>;
};

function ship(changes: Partial<ShipOptions> = {}): Shipment {
  const [stdout, stderr, clock] = [new PassThrough(), new PassThrough(), createManualClock()];
  const chunks: LogChunk[] = [];
  let arrived = Promise.withResolvers<LogChunk>();
  const done = shipLog({
    stdout,
    stderr,
    secrets: [],
    clock,
    signal: new AbortController().signal,
    async append(chunk) {
      chunks.push(chunk);
      arrived.resolve(chunk);
      arrived = Promise.withResolvers();
    },
    ...changes,
  });
  return { stdout, stderr, clock, chunks, done, next: () => arrived.promise };
}

function text(chunk: LogChunk): string {
  return Buffer.from(chunk.bytes).toString();
}

test('what waits is sent after 100 ms, with the time at which it came', async () => {
  const { stdout, stderr, clock, chunks, next, done } = ship();
  stdout.write('one\ntwo\n');
  await clock.armed(100);
  clock.advance(99);
  stderr.write('three\n');
  const sent = next();
  clock.advance(1);
  const first = await sent;
  expect(first).toMatchObject({ seq: 0, firstLine: 0, offset: 0 });
  expect(first.lines.slice(0, 2)).toEqual([
    [1, 1_000_000, 4],
    [1, 1_000_000, 4],
  ]);
  stdout.end('four');
  stderr.end();
  await done;
  expect(textOf(chunks, 1)).toBe('one\ntwo\nfour');
  expect(textOf(chunks, 2)).toBe('three\n');
});

test('256 KiB are sent at once', async () => {
  const { stdout, stderr, next, chunks, done } = ship();
  const sent = next();
  for (let count = 0; count < 300; count += 1) stdout.write(`${'x'.repeat(1023)}\n`);
  expect((await sent).bytes).toHaveLength(256 * 1024);
  stdout.end();
  stderr.end();
  await done;
  expect(chunks.map((chunk) => [chunk.seq, chunk.firstLine, chunk.offset])).toEqual([
    [0, 0, 0],
    [1, 256, 256 * 1024],
  ]);
});

test('a line without an end is sent after a second and goes on', async () => {
  const { stdout, stderr, clock, next, chunks, done } = ship();
  stdout.write('50 %');
  await clock.armed(1_000);
  clock.advance(999);
  expect(chunks).toEqual([]);
  const sent = next();
  clock.advance(1);
  expect((await sent).lines).toEqual([[1, 1_001_000, 4]]);
  stdout.end(' 100 %\n');
  stderr.end();
  await done;
  expect(chunks.map(text)).toEqual(['50 %', ' 100 %\n']);
});

test('secrets are masked in each stream, across pieces', async () => {
  const { stdout, stderr, chunks, done } = ship({ secrets: ['hunter22'] });
  stdout.write('a hunt');
  stderr.write('b hunter');
  stdout.end('er22 c\n');
  stderr.end('22');
  const { stderrTail } = await done;
  expect(textOf(chunks, 1)).toBe('a *** c\n');
  expect(textOf(chunks, 2)).toBe('b ***');
  expect(Buffer.from(stderrTail).toString()).toBe('b ***');
});

test('bytes are bytes', async () => {
  const { stdout, stderr, chunks, done } = ship();
  stdout.end(Buffer.from([0, 255, 254, 10, 0xc3, 10]));
  stderr.end();
  await done;
  expect(linesOf(chunks).map((line) => [...line.bytes])).toEqual([
    [0, 255, 254, 10],
    [0xc3, 10],
  ]);
});

test('a log that is too long is cut, and says so', async () => {
  const { stdout, stderr, chunks, done } = ship({ limits: { chunk: 64, lines: 100, total: 30 } });
  stdout.end('0123456789\n0123456789\n0123456789\n0123456789\n');
  stderr.end();
  await done;
  expect(textOf(chunks, 1)).toBe('0123456789\n0123456789\n01234567');
  expect(textOf(chunks, 0)).toBe('AME: this log was cut after 30 bytes; 14 more bytes were dropped\n');
});

test('only the end of stderr is kept', async () => {
  const { stdout, stderr, done } = ship();
  stdout.end();
  for (let count = 0; count < 2_000; count += 1) stderr.write(`line ${count}\n`);
  stderr.end('the end');
  const { stderrTail } = await done;
  expect(stderrTail).toHaveLength(4_096);
  expect(Buffer.from(stderrTail).toString()).toMatch(/line 1999\nthe end$/);
});

test('a stream that its owner closes has ended', async () => {
  const { stdout, stderr, clock, next, chunks, done } = ship();
  stdout.write('last words\n');
  stderr.end();
  await clock.armed(100);
  const sent = next();
  clock.advance(100);
  await sent;
  stdout.destroy();
  await done;
  expect(chunks.map(text)).toEqual(['last words\n']);
});

describe('a store that is slow or away', () => {
  test('holds the command up, and loses nothing', async () => {
    const total = 8 * 1024 * 1024;
    let produced = 0;
    let stored = 0;
    let furthest = 0;
    const stdout = new Readable({
      read() {
        furthest = Math.max(furthest, produced - stored);
        const piece = Buffer.alloc(64 * 1024, `${produced}\n`);
        produced += piece.length;
        this.push(produced > total ? null : piece);
      },
    });
    let failures = 0;
    const seen: number[] = [];
    await shipLog({
      stdout,
      stderr: Readable.from([]),
      secrets: [],
      clock: createHastyClock(),
      signal: new AbortController().signal,
      async append(chunk) {
        failures += 1;
        if (failures % 3 !== 0) throw new Error('away');
        seen.push(chunk.seq);
        stored += chunk.bytes.length;
      },
    });
    expect(stored).toBe(total);
    expect(seen).toEqual(seen.map((_, index) => index));
    // Four chunks, one on its way, what is being cut, and what the stream itself holds.
    expect(furthest).toBeLessThan(2 * 1024 * 1024);
  });

  test.each([
    ['the attempt is over', new AttemptOverError('over')],
    ['the signal', new Error('halt')],
  ])('is given up: %s', async (_, reason) => {
    const halt = new AbortController();
    const appending = Promise.withResolvers<void>();
    const { stdout, stderr, clock, done } = ship({
      signal: halt.signal,
      append: () => {
        appending.resolve();
        return reason instanceof AttemptOverError ? Promise.reject(reason) : new Promise(() => {});
      },
    });
    const failed = done.catch((error: unknown) => error);
    stdout.write('words\n');
    await clock.armed(100);
    clock.advance(100);
    await appending.promise;
    if (!(reason instanceof AttemptOverError)) halt.abort(reason);
    expect(await failed).toBe(reason);
    expect([stdout.destroyed, stderr.destroyed]).toEqual([true, true]);
  });
});

test('whatever is printed in whatever pieces comes whole, in order, in chunks without gaps', async () => {
  const piece = fc.tuple(
    fc.constantFrom(1, 2),
    fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: 1, maxLength: 40 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      const limits = { chunk: 16, lines: 4, total: 100_000 };
      const { stdout, stderr, chunks, done } = ship({ limits, clock: createHastyClock() });
      for (const [stream, words] of pieces) (stream === 1 ? stdout : stderr).write(words);
      stdout.end();
      stderr.end();
      await done;
      const printed = (stream: number): string =>
        pieces.flatMap(([of, words]) => (of === stream ? [words] : [])).join('');
      expect([textOf(chunks, 1), textOf(chunks, 2)]).toEqual([printed(1), printed(2)]);
      let at = { seq: 0, firstLine: 0, offset: 0 };
      for (const chunk of chunks) {
        expect(chunk).toMatchObject(at);
        expect(chunk.bytes.length).toBe(chunk.lines.reduce((sum, [, , length]) => sum + length, 0));
        expect(chunk.bytes.length).toBeLessThanOrEqual(limits.chunk);
        expect(chunk.lines.length).toBeLessThanOrEqual(limits.lines);
        at = {
          seq: at.seq + 1,
          firstLine: at.firstLine + chunk.lines.length,
          offset: at.offset + chunk.bytes.length,
        };
      }
      for (const line of linesOf(chunks)) expect(line.bytes.subarray(0, -1)).not.toContain(10);
    }),
    { numRuns: 100 },
  );
});
