import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildSkip, skipFrom } from '../../../src/core/mask/skip.ts';

const letters = fc.uint8Array({ min: 97, max: 100, maxLength: 40 });
const patterns = fc.array(fc.uint8Array({ min: 97, max: 99, minLength: 2, maxLength: 30 }), {
  minLength: 1,
  maxLength: 4,
});

/** The first place at or behind `from` where one of them stands whole. */
function firstWhole(all: readonly Uint8Array[], data: Uint8Array, from: number): number {
  for (let at = from; at < data.length; at += 1)
    if (all.some((one) => one.every((byte, index) => data[at + index] === byte))) return at;
  return data.length;
}

test('no pattern that stands in the data or is cut off at its end begins in what is skipped', () => {
  fc.assert(
    fc.property(patterns, letters, letters, fc.nat(10), (all, before, after, from) => {
      const data = Uint8Array.from([...before, ...(all[0] ?? []), ...after]);
      const skip = buildSkip(all);
      if (skip === null) throw new Error('all of them are long enough');
      const found = skipFrom(skip, data, from);
      expect(found).toBeGreaterThanOrEqual(from);
      expect(found).toBeLessThanOrEqual(Math.max(from, data.length - 1));
      expect(found).toBeLessThanOrEqual(Math.max(from, firstWhole(all, data, from)));
      // Cut anywhere, what is left of a pattern that began is never skipped.
      for (let cut = from + 1; cut < data.length; cut += 1)
        expect(skipFrom(skip, data.subarray(0, cut), from)).toBeLessThanOrEqual(
          Math.max(from, firstWhole(all, data, from)),
        );
    }),
    { numRuns: 500 },
  );
});

test('patterns of one byte leave nothing to skip', () => {
  expect(buildSkip([Uint8Array.of(97), Uint8Array.of(97, 98)])).toBeNull();
});

test('text far from every pattern is passed over in steps of almost its length', () => {
  const skip = buildSkip([new TextEncoder().encode('hunter22')]);
  if (skip === null) throw new Error('it is long enough');
  expect(skipFrom(skip, new Uint8Array(1_000), 0)).toBe(994);
});
