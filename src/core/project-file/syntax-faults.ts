import type { Document, YAMLError } from 'yaml';
import type { ProblemCode, ProblemDetails } from '../problems.ts';
import { indentationAt, openColumns } from './indentation.ts';
import { noted } from './report.ts';
import type { Noted } from './report.ts';
import { firstTokenFrom, walkStructure } from './structure.ts';
import type { StructureToken } from './structure.ts';
import { findUnclosed } from './unclosed.ts';
import { valueAround } from './syntax-value.ts';
import type { ValueSpan } from './syntax-value.ts';
import { startsOfLines, type Locate } from './lines.ts';
import { vagueTexts } from './vague-faults.ts';

/** A line whose indentation fits no block that is open there. Columns count from 0. */
export type BadLine = {
  readonly line: number;
  readonly column: number;
  /** The offset of the line. */
  readonly start: number;
  /** The first line of what it breaks: its own, or the one that it is joined to. */
  readonly breaksFrom: number;
  /** Where it could begin instead, nearest first. */
  readonly columns: readonly number[];
  /** Text of the line above that YAML joins this line to, because it is indented deeper. */
  readonly continues: string | null;
};

/** Text that is not YAML. */
export type SyntaxFault = {
  readonly problem: Noted;
  readonly offset: number;
  /** What follows it in the file may be read as something else than what was meant. */
  readonly isStructural: boolean;
  /** The value that is the whole mistake: with other text in its place the rest of the file can be read. */
  readonly span: ValueSpan | null;
};

export type SyntaxFaults = {
  readonly faults: readonly SyntaxFault[];
  readonly badLines: readonly BadLine[];
  /** Of the whole text; none where nothing is wrong. */
  readonly tokens: readonly StructureToken[];
};

type Context = {
  readonly text: string;
  readonly locate: Locate;
  /** The offset of each line. */
  readonly starts: readonly number[];
  readonly tokens: readonly StructureToken[];
  readonly faults: SyntaxFault[];
  readonly badLines: Map<number, BadLine>;
  /** Lines on which something is already reported: the parser often says one thing twice. */
  readonly lines: Set<number>;
};

/** Turns what the parser says into problems of the catalogue, one for each mistake, and lines that must move. */
export function findSyntaxFaults(document: Document.Parsed, text: string, locate: Locate): SyntaxFaults {
  const errors = document.errors.slice(0, mostErrors);
  if (errors.length === 0 && !/^%/mu.test(text)) return { faults: [], badLines: [], tokens: [] };
  const tokens = [...walkStructure(text)];
  const starts = startsOfLines(text);
  const context: Context = {
    text,
    locate,
    starts,
    tokens,
    faults: [],
    badLines: new Map(),
    lines: new Set(),
  };
  for (const token of tokens) {
    if (token.type !== 'directive-line' || /^%YAML\s+1\.2\s*$/u.test(token.source)) continue;
    add(context, 'yaml-directive', token.offset, { text: token.source }, { isStructural: false });
  }
  const unclosed = findUnclosed(tokens);
  for (const { offset, opening, closing } of unclosed)
    add(context, 'unclosed', offset, { opening, closing }, { isStructural: true });
  addTabs(context, errors);
  // Deeper faults show first as errors further up, hence in the order of the text, and the clear ones first.
  const firstUnclosed = unclosed[0]?.offset ?? Number.POSITIVE_INFINITY;
  const givenUp = errors.findIndex(({ message }) => isGivenUp.test(message));
  const own = errors.filter(
    ({ code, pos, message }, index) =>
      (pos[0] < firstUnclosed || isLocal.has(code)) && !(index > givenUp && isGivenUp.test(message)),
  );
  const vague = own.filter((error) => !explain(context, error));
  for (const error of vague) {
    // One of this kind is enough: it may be the cause of all that the parser says below it.
    if (context.badLines.size > 0 || context.faults.some(({ isStructural }) => isStructural)) break;
    if (context.lines.has(lineOf(context, error.pos[0]))) continue;
    explainVaguely(context, error);
    break;
  }
  return {
    faults: context.faults,
    badLines: [...context.badLines.values()].sort((one, other) => one.line - other.line),
    tokens,
  };
}

// What is wrong by itself, whatever stands above it; behind an open bracket or quote all else may only follow from that.
const isLocal: ReadonlySet<string> = new Set([
  'BAD_SCALAR_START',
  'BAD_ALIAS',
  'BAD_DQ_ESCAPE',
  'MULTIPLE_DOCS',
]);

// From here on the parser calls every token unexpected.
const isGivenUp = /^Unexpected .* in YAML stream/u;

// A hostile file yields a quarter of a million; those after the first few hundred are echoes.
const mostErrors = 300;

function lineOf(context: Context, offset: number): number {
  return context.locate(offset).line;
}

function add<C extends ProblemCode>(
  context: Context,
  code: C,
  offset: number,
  details: ProblemDetails<C>,
  more: { readonly isStructural: boolean; readonly span?: ValueSpan },
): void {
  const place = { ...context.locate(offset), path: '' };
  context.lines.add(place.line);
  context.faults.push({
    problem: noted(code, place, details),
    offset,
    isStructural: more.isStructural,
    span: more.span ?? null,
  });
}

function addTabs(context: Context, errors: readonly YAMLError[]): void {
  const tabs = errors.filter(({ code }) => code === 'TAB_AS_INDENT').map(({ pos }) => pos[0]);
  const [first] = tabs;
  if (first === undefined) return;
  const lines = new Set(tabs.map((offset) => lineOf(context, offset)));
  add(context, 'tab-indentation', first, { more: lines.size - 1 }, { isStructural: true });
  for (const line of lines) context.lines.add(line);
}

/** Whether the error was understood; then its problem is noted, or was already. */
function explain(context: Context, error: YAMLError): boolean {
  const [from, to] = error.pos;
  const line = lineOf(context, from);
  const code: string = error.code;
  switch (code) {
    case 'TAB_AS_INDENT':
      return true;
    case 'BAD_INDENT':
      // In brackets it means that they were never closed, which is reported by itself.
      return error.message.startsWith('Flow') || addBadLine(context, line, null);
    case 'BAD_SCALAR_START':
    case 'BAD_ALIAS':
      return addQuotes(context, from);
    case 'BAD_DQ_ESCAPE': {
      const escape =
        /^\\(?:u[\da-f]{0,4}|U[\da-f]{0,8}|x[\da-f]{0,2}|[^])/iu.exec(
          context.text.slice(from, from + 10),
        )?.[0] ?? '\\';
      add(context, 'bad-escape', from, { escape }, { isStructural: false });
      return true;
    }
    case 'MULTIPLE_DOCS':
      add(context, 'multiple-documents', from, {}, { isStructural: false });
      return true;
    case 'TAG_RESOLVE_FAILED':
      add(context, 'custom-tag', from, { tag: context.text.slice(from, to) }, { isStructural: false });
      return true;
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return explainKey(context, error);
    case 'MISSING_CHAR':
      if (error.message.startsWith('Implicit map keys need')) return addMissingColon(context, from);
      return (
        !error.message.startsWith('Comments') && isMisplaced(context, line) && addBadLine(context, line, null)
      );
    case 'UNEXPECTED_TOKEN':
      if (vagueTexts.some(([pattern]) => pattern.test(error.message))) {
        if (!context.lines.has(line)) explainVaguely(context, error);
        return true;
      }
      return addQuotes(context, from) || (isMisplaced(context, line) && addBadLine(context, line, null));
    default:
      return false;
  }
}

/** Two keys in one: a colon inside a value, a colon that is missing, or a line that is indented too deep. */
function explainKey(context: Context, error: YAMLError): boolean {
  const { text } = context;
  const start = error.pos[0];
  const line = lineOf(context, start);
  if (context.lines.has(line) || context.badLines.has(line)) return true;
  let at = firstTokenFrom(context.tokens, start);
  while (at < context.tokens.length && context.tokens[at]?.type !== 'map-value-ind') at += 1;
  const colon = context.tokens[at];
  const last = colon === undefined ? line : colon.line;
  if (last === line) {
    if (isMisplaced(context, line)) return addBadLine(context, line, null);
    return addQuotes(context, start, 'contains a colon and a space, which YAML takes for a key');
  }
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const isFirst = text.slice(lineStart, start).trim() === '';
  if (isFirst || start - lineStart === indentationOf(context, last)) return addMissingColon(context, start);
  const end = text.indexOf('\n', start);
  return addBadLine(context, last, text.slice(start, end === -1 ? text.length : end).trim(), line);
}

function addMissingColon(context: Context, offset: number): boolean {
  const line = lineOf(context, offset);
  if (context.lines.has(line)) return true;
  if (isMisplaced(context, line)) return addBadLine(context, line, null);
  const end = context.text.indexOf('\n', offset);
  const text = context.text
    .slice(offset, end === -1 ? context.text.length : end)
    .replace(/\s+#.*$/su, '')
    .trim();
  if (text === '') return false;
  const glued = /^([\w.-]+):(\S.*)$/su.exec(text);
  const corrected = glued === null ? null : `${glued[1] ?? ''}: ${glued[2] ?? ''}`;
  add(context, 'missing-colon', offset, { text, corrected }, { isStructural: true });
  return true;
}

const startsWith: Readonly<Record<string, string>> = {
  '*': 'begins with `*`, which YAML takes for an alias',
  '&': 'begins with `&`, which YAML takes for an anchor',
  '!': 'begins with `!`, which YAML takes for a tag',
  '@': 'begins with `@`, which YAML keeps for itself',
  '`': 'begins with a backtick, which YAML keeps for itself',
  '%': 'begins with `%`, which YAML keeps for itself',
  '"': 'goes on after its closing quote',
  "'": 'goes on after its closing quote',
  '[': 'goes on after its closing bracket',
  '{': 'goes on after its closing bracket',
};

function addQuotes(context: Context, offset: number, why?: string): boolean {
  const line = lineOf(context, offset);
  if (context.lines.has(line)) return true;
  const token = context.tokens[firstTokenFrom(context.tokens, offset)];
  const span = valueAround(context.text, offset, (token?.brackets.length ?? 0) > 0);
  const reason = why ?? startsWith[span?.text[0] ?? ''];
  if (span === null || reason === undefined) return false;
  add(context, 'needs-quotes', span.from, { text: span.text, why: reason }, { isStructural: false, span });
  return true;
}

function startOf({ text, starts }: Context, line: number): number {
  return starts[line - 1] ?? text.length;
}

function indentationOf(context: Context, line: number): number {
  return indentationAt(context.text, startOf(context, line));
}

/** Whether the line begins where no open block has its items. */
function isMisplaced(context: Context, line: number): boolean {
  const column = indentationOf(context, line);
  const { columns, newFrom } = openColumns(context.tokens, line);
  return column > 0 && !columns.includes(column) && (newFrom === null || column < newFrom);
}

function addBadLine(context: Context, line: number, continues: string | null, breaksFrom = line): boolean {
  if (context.badLines.has(line)) return true;
  const column = indentationOf(context, line);
  const columns = openColumns(context.tokens, line)
    .columns.filter((candidate) => candidate !== column)
    .sort((one, other) => Math.abs(one - column) - Math.abs(other - column));
  const start = startOf(context, line);
  context.badLines.set(line, { line, column, start, breaksFrom, columns, continues });
  return true;
}

function explainVaguely(context: Context, error: YAMLError): void {
  const known = vagueTexts.find(([pattern]) => pattern.test(error.message));
  const what =
    known?.[1] ??
    `This is not YAML: ${error.message.replace(/^./u, (first) => first.toLowerCase()).replace(/\.$/u, '')}.`;
  const write =
    known?.[2] ??
    'Put quotes around text that contains `: `, `#`, brackets or quotes, and check the indentation.';
  add(context, 'yaml-syntax', error.pos[0], { what, write }, { isStructural: true });
}
