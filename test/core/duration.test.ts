import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration, readDuration } from '../../src/core/duration.ts';

const good: readonly (readonly [string, number])[] = [
  ['30s', 30],
  ['10m', 600],
  ['6h', 21_600],
  ['2d', 172_800],
  ['1h30m', 5400],
  ['1d 12h', 129_600],
  [' 5m ', 300],
  ['30m1h', 5400],
  ['0s', 0],
  ['365d', 31_536_000],
];
test.each(good)('%j is %d seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

const bad: readonly (readonly [string, string])[] = [
  ['', '30m'],
  ['90', '1m30s'],
  ['3600', '1h'],
  ['1.5h', '1h30m'],
  ['2 hours', '2h'],
  ['10 min', '10m'],
  ['500ms', '1s'],
  ['1w', '7d'],
  ['1H', '1h'],
  ['6 h', '6h'],
  ['-5m', '1h30m'],
  ['1h1h', '1h30m'],
  ['366d', '365d'],
  ['9'.repeat(60), '1h'],
  ['soon', '1h30m'],
];
test.each(bad)('%j is none, and %j may be meant', (text, suggestion) => {
  expect(readDuration(text)).toMatchObject({ suggestion });
  expect(parseDuration(suggestion)).not.toBeNull();
});

test('formatting and reading give the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 31_536_000 }), (seconds) => {
      expect(parseDuration(formatDuration(seconds))).toBe(seconds);
    }),
  );
});

test('any text is read or has a fault', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const read = readDuration(text);
      if (typeof read !== 'number') expect(parseDuration(read.suggestion)).not.toBeNull();
    }),
  );
});
