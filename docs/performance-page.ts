import type { Figures } from '../bench/figures.ts';

/** What one benchmark printed, when, and on which machine: cores and memory. */
export type Measured = Figures & { readonly day: string; readonly machine: string };

/**
 * docs/performance.md: what was measured, what it should be, and what is to be said about it. `words` is the
 * introduction, and after it, under a heading with a benchmark's name, what stands below the table of that one.
 */
export function performancePage(all: readonly Measured[], words: string): string {
  const [introduction = '', ...sections] = words.split(/^## /m);
  const notes = new Map(
    sections.map((section) => {
      const [name = '', ...lines] = section.split('\n');
      return [name.trim(), lines.join('\n').trim()];
    }),
  );
  const tables = all.map((one) => {
    const rows = Object.entries(one.figures).map(
      ([name, value]) => `| ${name} | ${value} | ${one.aims[name] ?? ''} |`,
    );
    const peers = Object.entries(one.peers ?? {}).map(([name, peer]) =>
      'figure' in peer
        ? `| ${name} | ${peer.figure} | beside it: ${peer.version} |`
        : `| ${name} | ${inRow(peer.quoted)} | quoted: ${inRow(peer.source)}; not run here: ${inRow(peer.why)} |`,
    );
    const note = notes.get(one.name);
    return [
      `## ${one.name}`,
      `${one.day}, ${one.machine}. ${one.met ? 'All aims are met.' : 'Not all aims are met.'}`,
      ['| figure | measured | aim |', '| --- | --- | --- |', ...rows, ...peers].join('\n'),
      ...(note === undefined ? [] : [note]),
    ].join('\n\n');
  });
  return [introduction.trim(), ...tables, ''].join('\n\n').trimEnd() + '\n';
}

/** As it stands in a table's row: on one line, without the sign that ends a cell. */
function inRow(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
}
