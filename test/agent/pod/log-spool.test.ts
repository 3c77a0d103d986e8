import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeReads, encodeRead } from '../../../src/agent/pod/log-reads.ts';
import { openLogSpool } from '../../../src/agent/pod/log-spool.ts';
import { beginSeal, openSealed, spoolKey } from '../../../src/agent/pod/sealed-file.ts';
import type { LogRead, ShipRest } from '../../../src/agent/ship.ts';
import type { LogChunk } from '../../../src/core/attempt.ts';
import { createLogLines } from '../../../src/core/log-lines.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ame-spool-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const most = 1_000;
const key = spoolKey('the token of an attempt');

function chunkOf(seq: number, text: string): LogChunk {
  const bytes = Buffer.from(text);
  return { seq, firstLine: seq, offset: 0, bytes, lines: [[1, 5, bytes.length]] };
}

function restOf(seq: number, held = ''): ShipRest {
  const lines = createLogLines().rest();
  return {
    lines: { ...lines, next: { seq, line: seq, offset: 0 } },
    held: [[1, Buffer.from(held)]],
    stderrTail: Buffer.from('tail'),
  };
}

const read = (text: string): LogRead => [2, 7, Buffer.from(text)];

test('what a process had read, cut and not sent is there for the next one, and nothing else', async () => {
  const directory = join(root, 'a');
  const first = openLogSpool(directory, most, key);
  first.memory.keep(read('before the first chunk'));
  expect(openLogSpool(directory, most, key).memory.reads).toEqual([read('before the first chunk')]);
  await first.put(chunkOf(0, 'zero\n'), () => restOf(1, 'he'));
  await first.put(chunkOf(1, 'one\n'), () => restOf(2, 'held'));
  first.memory.keep(read('after'));
  first.memory.keep(read('torn'));
  // The process died while it wrote: of a chunk that is not final, and of a record that is not whole.
  await writeFile(join(directory, '2'), 'half of a chunk');
  const reads = join(directory, 'reads');
  await writeFile(reads, (await readFile(reads)).subarray(0, -2));

  const second = openLogSpool(directory, most, key);
  expect(second.memory.reads).toEqual([read('after')]);
  expect(second.memory.rest).toEqual(restOf(2, 'held'));
  const sent: LogChunk[] = [];
  const drained = second.drain(async (chunk) => void sent.push(chunk));
  second.end();
  await drained;
  expect(sent).toEqual([chunkOf(0, 'zero\n'), chunkOf(1, 'one\n')]);
  expect(await readdir(directory)).toEqual(['reads']);
});

test('a chunk waits for room, and is sent after those before it', async () => {
  const spool = openLogSpool(join(root, 'b'), 10, key);
  await spool.put(chunkOf(0, 'more than ten bytes\n'), () => restOf(1));
  let isPut = false;
  const waiting = spool.put(chunkOf(1, 'one\n'), () => restOf(2)).then(() => (isPut = true));
  await new Promise(setImmediate);
  expect(isPut).toBe(false);
  const sent: number[] = [];
  const drained = spool.drain(async ({ seq }) => void sent.push(seq));
  await waiting;
  spool.end();
  await drained;
  expect(sent).toEqual([0, 1]);
});

test('what sending throws ends the draining, and the chunk stays', async () => {
  const directory = join(root, 'c');
  const spool = openLogSpool(directory, most, key);
  await spool.put(chunkOf(0, 'zero\n'), () => restOf(1));
  await expect(spool.drain(() => Promise.reject(new Error('over')))).rejects.toThrow('over');
  expect((await readdir(directory)).sort()).toEqual(['0', 'reads']);
});

test('records are read as they were written, but for a last one that is not whole', () => {
  const one = fc.tuple(
    fc.constantFrom(1 as const, 2 as const),
    fc.nat(),
    fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(fc.array(one), fc.nat(12), (records, cut) => {
      const bytes = Buffer.concat(records.map(encodeRead));
      expect(decodeReads(bytes)).toEqual(records);
      const short = decodeReads(bytes.subarray(0, Math.max(0, bytes.length - 1 - cut)));
      expect(short).toEqual(records.slice(0, short.length));
    }),
    { numRuns: 50 },
  );
});

test('a sealed file says what was written to it, wherever it was cut off, to nobody without its key', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), fc.nat(80), (pieces, cut) => {
      const [sealed, again] = [beginSeal(key), beginSeal(key)].map((seal) =>
        Buffer.concat([seal.head, ...pieces.map((piece) => seal.next(piece))]),
      );
      const plain = Buffer.concat(pieces);
      const head = (sealed?.length ?? 0) - plain.length;
      const left = sealed?.subarray(0, Math.max(0, sealed.length - cut)) ?? plain;
      expect(openSealed(key, left)).toEqual(plain.subarray(0, Math.max(0, left.length - head)));
      expect(() => openSealed(spoolKey('another'), sealed ?? plain)).toThrow('another key');
      // Nothing of it is seen, and the same is never sealed twice in the same way.
      for (let at = 0; at + 8 <= plain.length; at += 1)
        expect(sealed?.includes(plain.subarray(at, at + 8))).toBe(false);
      if (plain.length >= 8) expect(sealed?.subarray(head)).not.toEqual(again?.subarray(head));
    }),
    { numRuns: 50 },
  );
});

test('a record that is not whole is cut off before others follow', async () => {
  const directory = join(root, 'd');
  const first = openLogSpool(directory, most, key);
  first.memory.keep(read('whole'));
  first.memory.keep(read('torn'));
  const reads = join(directory, 'reads');
  await writeFile(reads, (await readFile(reads)).subarray(0, -2));
  openLogSpool(directory, most, key).memory.keep(read('after the tear'));
  expect(openLogSpool(directory, most, key).memory.reads).toEqual([read('whole'), read('after the tear')]);
});

test('lines go on from what others left, wherever these stopped', () => {
  const step = fc.oneof(
    fc.record({ text: fc.constantFrom('a', 'b\n', 'cc\ndd', '\n\n', 'x'.repeat(9)) }),
    fc.constantFrom('take' as const, 'hand over' as const, 'break' as const),
  );
  const limits = { chunk: 8, lines: 3, total: 60 };
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const [plain, handed] = [false, true].map((hands) => {
        let lines = createLogLines(limits);
        const chunks: LogChunk[] = [];
        for (const [at, each] of steps.entries()) {
          if (each === 'hand over')
            lines = hands ? createLogLines(limits, structuredClone(lines.rest())) : lines;
          else if (each === 'break') lines.breakLines(at, at);
          else if (each === 'take') chunks.push(...[lines.take(true)].filter((one) => one !== null));
          else lines.push(at % 2 === 0 ? 1 : 2, Buffer.from(each.text), at);
        }
        lines.end(steps.length);
        for (let one = lines.take(true); one !== null; one = lines.take(true)) chunks.push(one);
        return chunks.map((chunk) => ({ ...chunk, bytes: Buffer.from(chunk.bytes).toString() }));
      });
      expect(handed).toEqual(plain);
    }),
    { numRuns: 100 },
  );
});
