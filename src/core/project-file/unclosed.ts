import type { StructureToken } from './structure.ts';

/** A bracket or quote that is opened and never closed. */
export type Unclosed = { readonly offset: number; readonly opening: string; readonly closing: string };

const closings = { '[': ']', '{': '}' } as const;

/**
 * Brackets that are closed by the wrong kind or not at all, and quotes that run to the end of the file. Of
 * brackets inside each other the innermost is named: it is the one that was being written.
 */
export function findUnclosed(tokens: readonly StructureToken[]): readonly Unclosed[] {
  const found: Unclosed[] = [];
  let isReported = false;
  for (const token of tokens) {
    const last = token.brackets.at(-1);
    if (token.brackets.length === 0) isReported = false;
    if (token.type === 'flow-seq-end' || token.type === 'flow-map-end') {
      const opened = token.type === 'flow-seq-end' ? '[' : '{';
      if (last !== undefined && last.character !== opened && !isReported) {
        found.push(unclosed(last.offset, last.character));
        isReported = true;
      }
    } else if (token.type === 'flow-error-end' && last !== undefined && !isReported) {
      found.push(unclosed(last.offset, last.character));
    } else if (isOpenQuote(token)) {
      const quote = token.source[0] ?? '"';
      found.push({ offset: token.offset, opening: quote, closing: quote });
    }
  }
  const end = tokens.at(-1);
  const left = end === undefined ? [] : afterToken(end);
  const innermost = left.at(-1);
  if (innermost !== undefined && !isReported) found.push(unclosed(innermost.offset, innermost.character));
  return found.sort((one, other) => one.offset - other.offset);
}

function unclosed(offset: number, opening: '[' | '{'): Unclosed {
  return { offset, opening, closing: closings[opening] };
}

/** The brackets that are open once the token is read. */
function afterToken(token: StructureToken): StructureToken['brackets'] {
  switch (token.type) {
    case 'flow-map-start':
      return [...token.brackets, { offset: token.offset, character: '{', hasPair: false }];
    case 'flow-seq-start':
      return [...token.brackets, { offset: token.offset, character: '[', hasPair: false }];
    case 'flow-map-end':
    case 'flow-seq-end':
      return token.brackets.slice(0, -1);
    case 'flow-error-end':
    case 'doc-end':
    case 'doc-start':
      return [];
    default:
      return token.brackets;
  }
}

function isOpenQuote(token: StructureToken): boolean {
  if (token.type === 'single-quoted-scalar') {
    // Two quotes inside are one of the text; the last one of an odd row closes.
    const quotes = /'*$/u.exec(token.source.slice(1))?.[0].length ?? 0;
    return quotes % 2 === 0;
  }
  if (token.type !== 'double-quoted-scalar') return false;
  const match = /(\\*)"$/u.exec(token.source.slice(1));
  return match === null || (match[1] ?? '').length % 2 === 1;
}
