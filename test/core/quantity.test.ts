import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareQuantities,
  parseQuantity,
  splitRange,
  wholeUnits,
  showSize,
} from '../../src/core/quantity.ts';

const one = 1_000_000_000n;

describe('parseQuantity', () => {
  const good: readonly (readonly [string, bigint])[] = [
    ['0', 0n],
    ['1', one],
    ['2.', 2n * one],
    ['.5', one / 2n],
    ['+1', one],
    ['-1', -one],
    ['500m', one / 2n],
    ['1u', 1000n],
    ['1n', 1n],
    ['0.1n', 1n],
    ['1k', 1000n * one],
    ['1Ki', 1024n * one],
    ['1.5Gi', 1_610_612_736n * one],
    ['8G', 8_000_000_000n * one],
    ['1e3', 1000n * one],
    ['1E3', 1000n * one],
    ['1e-3', one / 1000n],
    ['1E', 10n ** 18n * one],
    ['7Ei', 7n * 2n ** 60n * one],
    ['9223372036854775807', ((1n << 63n) - 1n) * one],
  ];
  test.each(good)('%s', (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  test.each([
    '',
    ' ',
    '1 Gi',
    '8GB',
    '8gi',
    '1K',
    '0x1',
    '1e',
    '1e400',
    'Gi',
    '--1',
    '1..2',
    '.',
    'NaN',
    '8Ei',
    '9223372036854775808',
    '1'.repeat(41),
  ])('%j is none', (text) => {
    expect(parseQuantity(text)).toBeNull();
  });

  test('never throws and takes bounded time', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const value = parseQuantity(text);
        expect(value === null || typeof value === 'bigint').toBe(true);
      }),
    );
    expect(parseQuantity(`1e${'9'.repeat(1_000_000)}`)).toBeNull();
  });

  test('whole numbers keep their value in every unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (count) => {
        expect(parseQuantity(`${count}`)).toBe(BigInt(count) * one);
        expect(parseQuantity(`${count}m`)).toBe((BigInt(count) * one) / 1000n);
        expect(parseQuantity(`${count}Mi`)).toBe(BigInt(count) * 2n ** 20n * one);
      }),
    );
  });
});

test('quantities compare by what they mean', () => {
  expect(compareQuantities('1Gi', '1024Mi')).toBe(0);
  expect(compareQuantities('1G', '1Gi')).toBe(-1);
  expect(compareQuantities('2', '1999m')).toBe(1);
  expect(compareQuantities('2', 'two')).toBeNull();
});

test('whole units round up', () => {
  expect(wholeUnits('1Ki')).toBe(1024n);
  expect(wholeUnits('1500m')).toBe(2n);
  expect(wholeUnits('many')).toBeNull();
});

test('a size is written exactly, and as short as a file would', () => {
  const sizes = [0, 1, 1_000, 1_024, 1_500, 2 * 2 ** 30, 1.5 * 2 ** 30, 3e9, 2 ** 40, 1_024_000].map(
    showSize,
  );
  expect(sizes).toEqual(['0', '1', '1k', '1Ki', '1500', '2Gi', '1536Mi', '3G', '1Ti', '1024k']);
  fc.assert(
    fc.property(fc.maxSafeNat(), (bytes) => {
      expect(wholeUnits(showSize(bytes))).toBe(BigInt(bytes));
    }),
  );
});

test('a range has a start and a ceiling', () => {
  expect(splitRange('8Gi..32Gi')).toEqual({ start: '8Gi', ceiling: '32Gi' });
  expect(splitRange(' 8Gi .. 32Gi ')).toEqual({ start: '8Gi', ceiling: '32Gi' });
  expect(splitRange('1.5Gi')).toEqual({ start: '1.5Gi', ceiling: null });
  expect(splitRange('8Gi..')).toEqual({ start: '8Gi', ceiling: '' });
});
