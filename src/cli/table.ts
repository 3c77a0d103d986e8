import { plainLine } from '../core/escape.ts';
import { pad, textWidth } from './text.ts';

export type Cell = {
  readonly text: string;
  /** Adds colour; the text in it must stay as it is. */
  readonly paint?: (text: string) => string;
};

export type Column = { readonly title: string; readonly side?: 'left' | 'right' };

/**
 * Lines of a table for people, its columns aligned. Whatever the cells contain, each is one line without control
 * characters. Columns in which no row says anything are left out.
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly (Cell | string)[])[],
  heading: (text: string) => string = (text) => text,
): readonly string[] {
  const cells = rows.map((row) => row.map((cell) => cleaned(cell)));
  const shown = columns.flatMap((column, at) => {
    const width = Math.max(0, ...cells.map((row) => textWidth(row[at]?.text ?? '')));
    return width === 0 ? [] : [{ ...column, at, width: Math.max(width, textWidth(column.title)) }];
  });
  const line = (textOf: (column: (typeof shown)[number]) => Cell): string =>
    shown
      .map((column, place) => {
        const { text, paint = plain } = textOf(column);
        // The last one needs no space behind it.
        const padded =
          place === shown.length - 1 && column.side !== 'right' ? text : pad(text, column.width, column.side);
        return padded.replace(text, () => paint(text));
      })
      .join('  ')
      .trimEnd();
  if (shown.length === 0) return [];
  return [
    heading(line(({ title }) => ({ text: title }))),
    ...cells.map((row) => line(({ at }) => row[at] ?? { text: '' })),
  ];
}

function plain(text: string): string {
  return text;
}

function cleaned(cell: Cell | string): Cell {
  return typeof cell === 'string' ? { text: plainLine(cell) } : { ...cell, text: plainLine(cell.text) };
}
