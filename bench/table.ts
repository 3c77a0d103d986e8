import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import type { Figures } from './figures.ts';

type Measured = Figures & { readonly day: string; readonly machine: string };

const stored = fileURLToPath(new URL('../docs/parts/performance.json', import.meta.url));
const page = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const words = fileURLToPath(new URL('../docs/parts/performance.md', import.meta.url));

/** Keeps the figures of one benchmark, and writes docs/performance.md from those of all. */
export async function writeTable(figures: Figures): Promise<void> {
  const known = JSON.parse(await readFile(stored, 'utf8').catch(() => '{}')) as Record<string, Measured>;
  const machine = `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const all = {
    ...known,
    [figures.name]: { ...figures, day: new Date().toISOString().slice(0, 10), machine },
  };
  await writeFile(stored, await format(JSON.stringify(all), { parser: 'json' }));
  await writeFile(page, await performancePage(Object.values(all), await readFile(words, 'utf8')));
}

/** The page: what was measured, what it should be, and what is to be said about it. */
export async function performancePage(all: readonly Measured[], introduction: string): Promise<string> {
  const tables = all.map((one) => {
    const rows = Object.entries(one.figures).map(
      ([name, value]) => `| ${name} | ${value} | ${one.aims[name] ?? ''} |`,
    );
    const peers = Object.entries(one.peers ?? {}).map(([name, peer]) =>
      'figure' in peer
        ? `| ${name} | ${peer.figure} | beside it: ${peer.version} |`
        : `| ${name} | ${inRow(peer.quoted)} | quoted: ${inRow(peer.source)}; not run here: ${inRow(peer.why)} |`,
    );
    const verdict = one.met ? 'All aims are met.' : 'Not all aims are met.';
    return [
      `## ${one.name}`,
      `${one.day}, ${one.machine}. ${verdict}`,
      ['| figure | measured | aim |', '| --- | --- | --- |', ...rows, ...peers].join('\n'),
    ].join('\n\n');
  });
  return format([introduction.trim(), ...tables].join('\n\n'), { parser: 'markdown' });
}

/** As it stands in a table's row: on one line, without the sign that ends a cell. */
function inRow(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
}
