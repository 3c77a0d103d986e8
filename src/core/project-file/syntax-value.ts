/** A piece of the text that was meant as one value; offsets from the start of the text. */
export type ValueSpan = { readonly from: number; readonly to: number; readonly text: string };

// The searches below go over a line more than once; no line that a person wrote is longer.
const longestLine = 2000;

/**
 * The value around an offset as its author meant it: in brackets up to the next comma or bracket, otherwise all
 * that follows the line's key or hyphen. Comments are left out. `null` where nothing stands there.
 */
export function valueAround(text: string, offset: number, isInBrackets: boolean): ValueSpan | null {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const lineEnd = text.indexOf('\n', offset);
  const line = text.slice(lineStart, lineEnd === -1 ? text.length : lineEnd);
  if (line.length > longestLine) return null;
  const span = isInBrackets ? flowSpan(line, offset - lineStart) : blockSpan(line);
  if (span === null) return null;
  const value = line
    .slice(span.from, span.to)
    .replace(/\s+#.*$/su, '')
    .trimEnd();
  return value === ''
    ? null
    : { from: lineStart + span.from, to: lineStart + span.from + value.length, text: value };
}

function blockSpan(line: string): { from: number; to: number } | null {
  const { value } = lineParts(line);
  return value < line.length ? { from: value, to: line.length } : null;
}

/** Columns, from 0, of what a line of a block begins with. */
export type LineParts = {
  /** Of the last hyphen or question mark before the text; `null` where there is none. */
  readonly bullet: number | null;
  /** Of the text behind the bullets: a key, or a value without one. */
  readonly text: number;
  /** Of what follows the key; the same as `text` where there is no key. */
  readonly value: number;
};

/** Takes a line of at most 2,000 characters apart; longer ones have no parts. */
export function lineParts(line: string): LineParts {
  if (line.length > longestLine) return { bullet: null, text: 0, value: 0 };
  const start = /^\s*(?:[-?]\s+)*/u.exec(line)?.[0] ?? '';
  const bullet = start.trimEnd().length - 1;
  // A key is what stands before the first colon with a space, unless a quote or bracket begins the text.
  const key =
    /^(?:"[^"]*"|'[^']*'|[^\s"'#[{&*!|>%@`][^#]*?)\s*:\s+/u.exec(line.slice(start.length))?.[0].length ?? 0;
  return { bullet: bullet < 0 ? null : bullet, text: start.length, value: start.length + key };
}

function flowSpan(line: string, column: number): { from: number; to: number } {
  const before = line.slice(0, column);
  const opening = Math.max(
    before.lastIndexOf('{'),
    before.lastIndexOf('['),
    before.lastIndexOf(','),
    before.lastIndexOf(': '),
  );
  const from = opening + 1 + (/^\s*/u.exec(line.slice(opening + 1))?.[0].length ?? 0);
  const end = line.slice(Math.max(from, column)).search(/[,\]}]/u);
  return { from, to: end === -1 ? line.length : Math.max(from, column) + end };
}
