import type { StructureToken } from './structure.ts';

/** How many spaces a line begins with; lines count from 1. */
export function indentationOf(text: string, line: number): number {
  const start = startOfLine(text, line);
  let at = start;
  while (text[at] === ' ') at += 1;
  return at - start;
}

/** The text with one line moved to a column (from 0). */
export function withIndentation(text: string, line: number, column: number): string {
  const start = startOfLine(text, line);
  return text.slice(0, start) + ' '.repeat(column) + text.slice(start + indentationOf(text, line));
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
  let scalarColumn: number | null = null;
  let header: StructureToken | null = null;
  let mayOpen = true;
  for (const token of tokens) {
    const isSpace = token.type === 'newline' || token.type === 'space' || token.type === 'comment';
    // A value that goes on over several lines is one token: the next one shows that the line is reached.
    if (token.line >= line && !isSpace) {
      const columns = token.blocks.map(({ column }) => column);
      const newFrom = mayOpen ? (columns.at(-1) ?? -1) + 1 : null;
      return { columns: [...new Set(scalarColumn === null ? columns : [...columns, scalarColumn])], newFrom };
    }
    if (isSpace) continue;
    scalarColumn = header !== null && token.type === 'scalar' ? firstIndentation(token.source) : null;
    header = token.type === 'block-scalar-header' ? token : null;
    mayOpen = opening.has(token.type);
  }
  return { columns: [...new Set(tokens.at(-1)?.blocks.map(({ column }) => column))], newFrom: null };
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
export function startOfLine(text: string, line: number): number {
  let start = 0;
  for (let count = 1; count < line; count += 1) {
    const next = text.indexOf('\n', start);
    if (next === -1) return text.length;
    start = next + 1;
  }
  return start;
}
