import { describe, expect, test } from 'vitest';
import type { Resources } from '../../src/core/project.ts';
import {
  memoryRefusal,
  memoryText,
  resolveResources,
  type AskedResources,
} from '../../src/core/resources.ts';
import { resourceDefaults as defaults } from './step-view.ts';

const gibibyte = 2 ** 30;
const nothing: Resources = { cpu: null, memory: null, storage: null, gpus: null, vram: null };
const asking = (start: string, ceiling: string | null = null): Resources => ({
  ...nothing,
  memory: { start, ceiling },
});

test('every gap is filled with what the administrator gives', () => {
  expect(resolveResources(nothing, defaults, null)).toEqual({
    cpu: { millis: 1_000, limited: false },
    memory: { bytes: 2 * gibibyte, ceilingBytes: 16 * gibibyte },
    storageBytes: 10 * gibibyte,
    gpus: 0,
    vramMib: null,
  });
});

test('what the file says counts, rounded up', () => {
  const file: Resources = {
    cpu: '1500.5m',
    memory: { start: '1.5Gi', ceiling: '4G' },
    storage: '1500m',
    gpus: 2,
    vram: '1G',
  };
  expect(resolveResources(file, defaults, null)).toEqual({
    cpu: { millis: 1_501, limited: true },
    memory: { bytes: 1.5 * gibibyte, ceilingBytes: 4e9 },
    storageBytes: 2,
    gpus: 2,
    vramMib: 954,
  });
});

describe('memory', () => {
  test.each<[string, Resources, number | null, AskedResources['memory']]>([
    ['learned', nothing, 4, { bytes: 4, ceilingBytes: 16, learned: true }],
    ['learned beyond the ceiling', nothing, 64, { bytes: 16, ceilingBytes: 16, learned: true }],
    [
      'learned beyond the ceiling of the file',
      asking('2Gi', '3Gi'),
      4,
      { bytes: 3, ceilingBytes: 3, learned: true },
    ],
    ['learned less than the file asks for', asking('8Gi'), 4, { bytes: 8, ceilingBytes: 16 }],
    [
      'a ceiling beyond that of the administrator',
      asking('2Gi', '64Gi'),
      null,
      { bytes: 2, ceilingBytes: 16 },
    ],
  ])('%s', (_, file, learned, wanted) => {
    const bytes = learned === null ? null : learned * gibibyte;
    expect(resolveResources(file, defaults, bytes).memory).toEqual({
      ...wanted,
      bytes: wanted.bytes * gibibyte,
      ceilingBytes: wanted.ceilingBytes * gibibyte,
    });
  });

  test('a start beyond the ceiling of the administrator is refused, and only that', () => {
    expect(memoryRefusal(asking('32Gi'), defaults)).toMatch(/32Gi.*16Gi.*AME_MEMORY_CEILING/);
    for (const file of [nothing, asking('16Gi'), asking('2Gi', '64Gi')])
      expect(memoryRefusal(file, defaults)).toBeNull();
  });

  test('as the file writes it', () => {
    expect([nothing, asking('2Gi'), asking('2Gi', '8Gi')].map(memoryText)).toEqual(['', '2Gi', '2Gi..8Gi']);
  });
});
