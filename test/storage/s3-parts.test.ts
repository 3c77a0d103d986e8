import fc from 'fast-check';
import { expect, test } from 'vitest';
import { partsOf } from '../../src/storage/s3/parts.ts';

const chunks = fc.array(fc.uint8Array({ maxLength: 300_000, size: 'max' }), { maxLength: 6 });

test('parts are the content, all of one length but the last', async () => {
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1_000, max: 400_000 }), async (content, length) => {
      const parts = await Array.fromAsync(partsOf(ReadableStream.from(content), length));
      expect(Buffer.concat(parts).equals(Buffer.concat(content))).toBe(true);
      expect(parts.slice(0, -1).every((part) => part.length === length)).toBe(true);
      expect(parts.every((part) => part.length > 0 && part.length <= length)).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test('who leaves early ends the stream', async () => {
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel: () => void (cancelled = true),
  });
  for await (const part of partsOf(endless, 25)) {
    expect(part.length).toBe(25);
    break;
  }
  expect(cancelled).toBe(true);
});
