import type { StructureToken } from './structure.ts';

/** How many spaces a line begins with, by the offset at which it begins. */
export function indentationAt(text: string, start: number): number {
  let at = start;
  while (text[at] === ' ') at += 1;
  return at - start;
}

/** The text with one line moved to a column (from 0). */
export function withIndentation(text: string, line: number, column: number): string {
  const start = startOfLine(text, line);
  return text.slice(0, start) + ' '.repeat(column) + text.slice(start + indentationAt(text, start));
}

/** The key or item that stands at a column above a line and that a line there would stand beside. */
export function neighbour(
  text: string,
  line: number,
  column: number,
): { readonly name: string; readonly line: number } | null {
  const lines = text.split('\n').slice(0, line - 1);
  for (const [index, above] of [...lines.entries()].toReversed()) {
    const content = above.slice(column);
    const isThere = above.slice(0, column).trim() === '' && /^[^\s#]/u.test(content);
    if (isThere) return { name: content.replace(/:(?:\s.*)?$/su, ''), line: index + 1 };
  }
  return null;
}

/** Where a line can begin. Columns count from 0. */
export type OpenColumns = {
  /** Of the items of the blocks that are open there, each once. The text below a `|` or `>` is such a block too. */
  readonly columns: readonly number[];
  /** Where a new block may begin: at any column from this one on; `null` where none may. */
  readonly newFrom: number | null;
};

/** What is open where a line begins. */
export function openColumns(tokens: readonly StructureToken[], line: number): OpenColumns {
  // A value that goes on over several lines is one token: the next one shows that the line is reached.
  let at = firstTokenOf(tokens, line);
  while (at < tokens.length && isSpace(tokens[at])) at += 1;
  const reached = tokens[at];
  if (reached === undefined)
    return { columns: [...new Set(tokens.at(-1)?.blocks.map(({ column }) => column))], newFrom: null };
  const columns = reached.blocks.map(({ column }) => column);
  const before = lastBefore(tokens, at);
  const last = tokens[before];
  const isText =
    last?.type === 'scalar' && tokens[lastBefore(tokens, before)]?.type === 'block-scalar-header';
  const scalarColumn = isText ? firstIndentation(last.source) : null;
  const mayOpen = last === undefined || opening.has(last.type);
  return {
    columns: [...new Set(scalarColumn === null ? columns : [...columns, scalarColumn])],
    newFrom: mayOpen ? (columns.at(-1) ?? -1) + 1 : null,
  };
}

/** The index of the first token of a line or of one below it, found by halves: each of hundreds of errors asks. */
function firstTokenOf(tokens: readonly StructureToken[], line: number): number {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tokens[middle]?.line ?? 0) < line) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the last token before another one that is no space; -1 where there is none. */
function lastBefore(tokens: readonly StructureToken[], index: number): number {
  let at = index - 1;
  while (at >= 0 && isSpace(tokens[at])) at -= 1;
  return at;
}

function isSpace(token: StructureToken | undefined): boolean {
  return token?.type === 'newline' || token?.type === 'space' || token?.type === 'comment';
}

// After these a value is still to come, which may be a block of its own.
const opening: ReadonlySet<string> = new Set([
  'map-value-ind',
  'seq-item-ind',
  'explicit-key-ind',
  'anchor',
  'tag',
  'doc-start',
]);

function firstIndentation(source: string): number | null {
  return /^(?:[ ]*\n)*([ ]*)\S/u.exec(source)?.[1]?.length ?? null;
}

/** The offset at which a line begins; lines count from 1. */
function startOfLine(text: string, line: number): number {
  let start = 0;
  for (let count = 1; count < line; count += 1) {
    const next = text.indexOf('\n', start);
    if (next === -1) return text.length;
    start = next + 1;
  }
  return start;
}
