import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readEvents, type ServerEvent } from '../../src/cli/events.ts';
import { createLineReader } from '../../src/cli/log-lines.ts';

async function* cut(bytes: Uint8Array, at: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const to of [...at].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b)) {
    yield bytes.subarray(from, to);
    from = to;
  }
  yield bytes.subarray(from);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const stream = (bytes: Uint8Array, at: readonly number[]): ReadableStream<Uint8Array> =>
  ReadableStream.from(cut(bytes, at));

test('events are the same however their bytes are cut', async () => {
  const text =
    ': a comment\n\nevent: log\ndata: {"a":"grün"}\nid: 5\n\ndata: one\ndata: two\n\nevent: end\ndata:\nid: 6\n\ndata: cut off';
  const expected: ServerEvent[] = [
    { event: 'log', data: '{"a":"grün"}', id: '5' },
    { event: 'message', data: 'one\ntwo', id: '5' },
    { event: 'end', data: '', id: '6' },
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat()), async (at) => {
      expect(await all(readEvents(stream(Buffer.from(text), at)))).toEqual(expected);
    }),
  );
  expect(await all(readEvents(null))).toEqual([]);
});

test('lines are the same however they are cut into pieces, each stream by itself', () => {
  const line = fc.stringMatching(/^[a-zü]{0,12}$/);
  fc.assert(
    fc.property(
      fc.array(line),
      fc.array(line),
      fc.infiniteStream(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 9 }))),
      (out, err, turns) => {
        const left = [out, err].map((lines) => Buffer.from(lines.map((text) => `${text}\n`).join('')));
        const seen: string[][] = [[], []];
        const reader = createLineReader((text, of) => seen[of - 1]?.push(text));
        for (const [first, count] of turns) {
          if (left.every((bytes) => bytes.length === 0)) break;
          const at = first ? 0 : 1;
          const bytes = left[at] ?? Buffer.alloc(0);
          reader.push([{ stream: at === 0 ? 1 : 2, bytes: bytes.subarray(0, count) }]);
          left[at] = bytes.subarray(count);
        }
        reader.end();
        expect(seen).toEqual([out, err]);
      },
    ),
  );
});

test('what has no newline is shown at the end, and a line without end in pieces', () => {
  const seen: string[] = [];
  const reader = createLineReader((text) => seen.push(text));
  reader.push([{ stream: 1, bytes: Buffer.from('prompt> ') }]);
  expect(seen).toEqual([]);
  reader.end();
  expect(seen).toEqual(['prompt> ']);
  for (let i = 0; i < 3; i++) reader.push([{ stream: 2, bytes: Buffer.alloc(40_000, 'x') }]);
  expect(seen[1]).toHaveLength(80_000);
});
