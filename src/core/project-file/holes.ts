import type { SyntaxFault } from './syntax-faults.ts';
import { firstTokenFrom } from './structure.ts';
import type { StructureToken } from './structure.ts';
import { lineParts } from './syntax-value.ts';

/** A piece of the text that cannot be read and is left out; offsets from the start of the text. */
export type Hole = {
  readonly from: number;
  readonly to: number;
  /** Where its line begins, or the key of its value, from 0; what is indented deeper belongs to it. */
  readonly column: number;
  /** A value, whose key stands before it; otherwise whole lines, which may have held anything that fits there. */
  readonly isValue: boolean;
  /** The maps around it may lack something that stood in it. */
  readonly holdsMore: boolean;
};

/**
 * What is lost with a fault: the value that it stands in, or its line where it is no part of a value, with all
 * lines below that are indented deeper. Brackets that were meant to go on take those lines with them.
 */
export function holeAround(text: string, tokens: readonly StructureToken[], offset: number): Hole {
  const anchor = anchorOf(tokens, offset);
  const lineStart = text.lastIndexOf('\n', anchor - 1) + 1;
  const line = lineAt(text, lineStart);
  const parts = lineParts(line);
  const column = anchor - lineStart;
  if (parts.value > parts.text && parts.value <= column)
    return spanFrom(text, lineStart, lineStart + parts.value, parts.text, true);
  if (parts.bullet !== null && parts.text <= column)
    return { ...spanFrom(text, lineStart, lineStart + parts.text, parts.bullet, true), holdsMore: true };
  return linesFrom(text, lineStart);
}

/** A line that is lost, with all that is indented deeper below it. */
export function linesFrom(text: string, lineStart: number): Hole {
  const line = lineAt(text, lineStart);
  const indentation = /^\s*/u.exec(line)?.[0] ?? '';
  const column = indentation.includes('\t') ? columnBelow(text, lineStart, line) : indentation.length;
  return { ...spanFrom(text, lineStart, lineStart, column, false), column: indentation.length };
}

/**
 * How wide a tab was meant is not known. What stands below its line belongs to it only where the line announces
 * something and the next one begins with spaces.
 */
function columnBelow(text: string, lineStart: number, line: string): number {
  const below = /\S/u.exec(text.slice(lineStart + line.length));
  const start = below === null ? -1 : text.lastIndexOf('\n', lineStart + line.length + below.index) + 1;
  const spaces = /^ *(?=[^\s])/u.exec(start === -1 ? '' : lineAt(text, start))?.[0].length;
  const announces = /:(?:\s+[&!|>]\S*)?\s*$/u.test(line);
  return announces && spaces !== undefined ? spaces - 1 : Number.POSITIVE_INFINITY;
}

/** Where the outermost bracket opens that an offset stands in, or the token that it belongs to. */
function anchorOf(tokens: readonly StructureToken[], offset: number): number {
  const next = firstTokenFrom(tokens, offset);
  const token = tokens[next]?.offset === offset ? tokens[next] : tokens[next - 1];
  return token?.brackets[0]?.offset ?? Math.min(token?.offset ?? offset, offset);
}

function spanFrom(text: string, lineStart: number, from: number, column: number, isValue: boolean): Hole {
  let end = endOfLine(text, lineStart);
  const hasBracket = /[[{]/u.test(text.slice(from, end));
  let holdsMore = !isValue;
  let goesOn = hasBracket && isOpenEnd(text.slice(from, end));
  for (let start = end + 1; start < text.length;) {
    const stop = endOfLine(text, start);
    const line = text.slice(start, stop);
    const indentation = line.length - line.trimStart().length;
    const content = line.trim();
    if (content !== '' && !content.startsWith('#')) {
      const isDeeper =
        indentation > column || (indentation === column && !isValue && /^-(?:\s|$)/u.test(content));
      const isClosing = hasBracket && /^[\]}]/u.test(content);
      if (!isDeeper && !isClosing && !goesOn) break;
      // Only its author knows where such a bracket ends.
      if (!isDeeper && !isClosing) holdsMore = true;
      goesOn = hasBracket && isOpenEnd(content);
      end = stop;
    }
    start = stop + 1;
  }
  return { from, to: end, column, isValue, holdsMore };
}

function isOpenEnd(line: string): boolean {
  const comment = line.indexOf(' #');
  return /[,[{]$/u.test((comment === -1 ? line : line.slice(0, comment)).trimEnd());
}

function lineAt(text: string, start: number): string {
  return text.slice(start, endOfLine(text, start));
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end === -1 ? text.length : end;
}

/** The text with spaces where the hole is, and one letter for a value, so that every place stays where it is. */
export function withHole(text: string, { from, to, isValue }: Hole): string {
  const blank = text.slice(from, to).replaceAll(/[^\n]/gu, (character) => ' '.repeat(character.length));
  return text.slice(0, from) + (isValue ? `x${blank.slice(1)}` : blank) + text.slice(to);
}

/** A map in braces that only lacks its closing brace: offsets of its opening, of its end, and of where it becomes doubtful. */
export type OpenMap = { readonly from: number; readonly end: number; readonly doubtFrom: number };

/**
 * The map in braces that a fault leaves open, where it can be closed at the end of its hole. Behind the first map in
 * braces inside it one cannot tell which of the two was left open.
 */
export function openMapAt(tokens: readonly StructureToken[], fault: SyntaxFault, hole: Hole): OpenMap | null {
  const first = firstTokenFrom(tokens, fault.offset);
  const opening = tokens[first];
  const isMap = fault.problem.code === 'unclosed' && opening?.type === 'flow-map-start';
  if (!isMap || opening.brackets.length > 0 || hole.holdsMore) return null;
  let depth = 0;
  let end: number | null = null;
  let doubtFrom: number | null = null;
  let isPair = false;
  for (const token of tokens.slice(first)) {
    if (token.offset >= hole.to) break;
    if (token.type === 'flow-map-start' || token.type === 'flow-seq-start') {
      depth += 1;
      if (depth > 1 && token.type === 'flow-map-start') doubtFrom ??= token.offset;
    } else if (token.type === 'flow-map-end' || token.type === 'flow-seq-end') depth -= 1;
    else if (token.type === 'map-value-ind') isPair = true;
    else if (token.type === 'comma' && depth === 1) isPair = false;
    if (isFiller.has(token.type) || token.source.length === 0) continue;
    end = token.offset + token.source.length;
  }
  if (depth !== 1 || end === null || end > hole.to || !isPair) return null;
  return { from: fault.offset, end, doubtFrom: doubtFrom ?? hole.to };
}

const isFiller: ReadonlySet<string> = new Set(['space', 'newline', 'comment', 'flow-error-end']);
