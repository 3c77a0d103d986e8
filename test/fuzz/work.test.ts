import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { growingDeliveries } from './growing-deliveries.ts';
import { growing } from './wide-and-deep.ts';

type Counted = { readonly name: string; readonly bytes: number; readonly work: number };

const whole = process.env['AME_FUZZ'] === 'all';

/**
 * Blocks of code that any file may cost, whatever its size: a few hundred tries to read it with lines moved, which are
 * bounded; and blocks for each byte. (Measured: 3.2 million for 10 KB that are mostly lines out of place.)
 */
const mostAtAll = 4_500_000;
const mostPerByte = 150;

test('the work that a file or a delivery asks for grows with its size, and no faster', async () => {
  const seed = process.env['AME_FUZZ_SEED'] ?? (whole ? String(Date.now() % 1_000_000_007) : '1');
  const cases = whole ? (process.env['AME_FUZZ_SECONDS'] === undefined ? '3000' : '200') : '6';
  if (whole) console.log(`work: seed ${seed}, ${cases} files and deliveries`);
  const script = join(import.meta.dirname, 'count-work.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, seed, cases, whole ? '3' : '2'], {
    maxBuffer: 1e8,
  });
  const counted = stdout
    .trim()
    .split('\n')
    .map((line): Counted => JSON.parse(line));
  expect(counted.filter(({ bytes, work }) => work > mostAtAll + mostPerByte * bytes)).toEqual([]);
  const byName = Map.groupBy(counted, ({ name }) => name);
  // Each text is four times as long as the one before: for each byte it costs as much, and four times where it is
  // quadratic. A short text may cost more for each byte, since it is the tries that are bounded.
  const names = [
    ...Object.keys(growing),
    ...Object.keys(growingDeliveries).map((name) => `delivery: ${name}`),
  ];
  const steep = names.filter((name) => {
    const perByte = (byName.get(name) ?? []).map(({ bytes, work }) => work / bytes);
    expect([name, perByte.length]).toEqual([name, whole ? 3 : 2]);
    return (perByte.at(-1) ?? 0) > 2 * Math.max(5, ...perByte.slice(0, -1));
  });
  expect(steep).toEqual([]);
});
