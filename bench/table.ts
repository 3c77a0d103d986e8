import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { generatedPages } from '../docs/generate.ts';
import type { Measured } from '../docs/performance-page.ts';
import type { Figures } from './figures.ts';

const stored = fileURLToPath(new URL('../docs/parts/performance.json', import.meta.url));
const page = 'docs/performance.md';

/** Keeps the figures of one benchmark, and writes docs/performance.md from those of all. */
export async function writeTable(figures: Figures): Promise<void> {
  const known = JSON.parse(await readFile(stored, 'utf8').catch(() => '{}')) as Record<string, Measured>;
  const machine = `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const all = {
    ...known,
    [figures.name]: { ...figures, day: new Date().toISOString().slice(0, 10), machine },
  };
  await writeFile(stored, await format(JSON.stringify(all), { parser: 'json', printWidth: 110 }));
  await writeFile(page, generatedPages().get(page) ?? '');
}
