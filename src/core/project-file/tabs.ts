import type { Shifts } from './lines.ts';

/** A text in which the tabs before a line's text are dealt with in one of several ways. */
export type WithoutTabs = {
  readonly text: string;
  readonly shifts: Shifts;
  /** Offsets of lines that are to be left out. */
  readonly lost: readonly number[];
};

// None: a tab that came in between, before spaces that are right by themselves.
const widths = [2, 4, 8, 0];

/** The text with its tabs read as so many spaces each, the likeliest first. */
export function* withSpaces(text: string): Generator<WithoutTabs> {
  for (const width of widths) yield spaced(text, width);
}

/** The text without the lines that begin with tabs. */
export function withoutTabbedLines(text: string): WithoutTabs {
  return { text, shifts: new Map(), lost: [...text.matchAll(tabbed)].map(({ index }) => index) };
}

const tabbed = /^ *\t[ \t]*(?=[^\s])/gmu;

function spaced(text: string, width: number): WithoutTabs {
  const shifts = new Map<number, number>();
  const lines = text.split('\n').map((line, index) => {
    const start = /^[ \t]*/u.exec(line)?.[0] ?? '';
    const wide = start.replaceAll('\t', ' '.repeat(width));
    if (wide.length !== start.length) shifts.set(index + 1, wide.length - start.length);
    return wide + line.slice(start.length);
  });
  return { text: lines.join('\n'), shifts, lost: [] };
}
