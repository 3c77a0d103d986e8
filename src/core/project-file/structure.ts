import { CST, Lexer } from 'yaml';

/** A collection that is open at some place: the column where its items begin, from 0. */
type OpenBlock = { readonly column: number; readonly kind: 'map' | 'list' };

/** One token of the text, with what is open around it. Offsets and columns count from 0, lines from 1. */
export type StructureToken = {
  /** As the parser names it, such as `map-value-ind` for a colon; '' where it has no name. */
  readonly type: string;
  readonly source: string;
  readonly offset: number;
  readonly line: number;
  readonly column: number;
  /** How many collections are open once this token is read. */
  readonly depth: number;
  /** Of the blocks that are open before this token, outermost first. */
  readonly blocks: readonly OpenBlock[];
  /** Brackets that are open before this token. */
  readonly brackets: readonly Opening[];
};

/** `hasPair`: the item of a list that is being read is a map without brackets of its own, as in `[a: b]`. */
type Opening = { readonly offset: number; readonly character: '[' | '{'; readonly hasPair: boolean };

/** What the lexer puts in front of the text of a plain or block scalar. */
const scalarMark = '\u001f';
/** Other marks of the lexer that stand for nothing in the text: a document begins, open brackets are given up. */
const documentMark = '\u0002';
const flowErrorMark = '\u0018';

/**
 * Goes over the text token by token without building anything, so that depth and aliases are known before the
 * parser, which cannot be stopped, builds a tree. (Measured with yaml 2.9.1: 820 nested brackets may abort the
 * whole process; its lexer alone walks 200,000 of them in 0.1 s.) Whoever reads on past a great depth pays for
 * copies of the lists, so the reader that bounds the depth comes first.
 */
export function* walkStructure(text: string): Generator<StructureToken> {
  let blocks: readonly OpenBlock[] = [];
  let brackets: readonly Opening[] = [];
  let offset = 0;
  let line = 1;
  let lineStart = 0;
  // Column of the text that a following colon would make a key; an indicator lets a new one begin.
  let keyColumn: number | null = null;
  let isScalar = false;
  for (const source of new Lexer().lex(text)) {
    if (source === documentMark) continue;
    if (source === scalarMark) {
      isScalar = true;
      continue;
    }
    const type: string = isScalar ? 'scalar' : (CST.tokenType(source) ?? '');
    isScalar = false;
    const column = offset - lineStart;
    const before = { blocks, brackets };
    switch (type) {
      case 'doc-start':
      case 'doc-end':
        blocks = [];
        brackets = [];
        break;
      case 'flow-map-start':
      case 'flow-seq-start':
        brackets = [
          ...brackets,
          { offset, character: type === 'flow-map-start' ? '{' : '[', hasPair: false },
        ];
        break;
      case 'flow-map-end':
      case 'flow-seq-end':
        brackets = brackets.slice(0, -1);
        break;
      case 'flow-error-end':
        brackets = [];
        break;
      case 'comma':
        brackets = withPair(brackets, false);
        break;
      case 'seq-item-ind':
        if (brackets.length === 0) blocks = opened(blocks, { column, kind: 'list' });
        break;
      case 'explicit-key-ind':
      case 'map-value-ind':
        if (brackets.length === 0) blocks = opened(blocks, { column: keyColumn ?? column, kind: 'map' });
        else brackets = withPair(brackets, true);
        break;
      default:
        break;
    }
    if (
      type === 'newline' ||
      type === 'seq-item-ind' ||
      type === 'explicit-key-ind' ||
      type === 'map-value-ind'
    ) {
      keyColumn = null;
    } else if (type !== 'space' && type !== 'comment') {
      keyColumn ??= column;
    }
    yield {
      type,
      source,
      offset,
      line,
      column,
      depth: blocks.length + brackets.length + brackets.filter(({ hasPair }) => hasPair).length,
      ...before,
    };
    if (source === flowErrorMark) continue;
    for (let at = source.indexOf('\n'); at !== -1; at = source.indexOf('\n', at + 1)) {
      line += 1;
      lineStart = offset + at + 1;
    }
    offset += source.length;
  }
}

/** The same brackets, with what the innermost one now holds. */
function withPair(brackets: readonly Opening[], hasPair: boolean): readonly Opening[] {
  const last = brackets.at(-1);
  if (last === undefined || last.character === '{' || last.hasPair === hasPair) return brackets;
  return [...brackets.slice(0, -1), { ...last, hasPair }];
}

/** The blocks that are open once `block` has an item: deeper ones end, a list may stand at the column of its map. */
function opened(blocks: readonly OpenBlock[], block: OpenBlock): readonly OpenBlock[] {
  const open = blocks.filter(({ column }) => column <= block.column);
  const last = open.at(-1);
  if (last?.column !== block.column) return [...open, block];
  if (last.kind === block.kind) return open;
  if (block.kind === 'list') return [...open, block];
  // A key at the column of a list ends the list; the map around it is the one that stood there before.
  const outer = open.slice(0, -1);
  return outer.at(-1)?.column === block.column ? outer : [...outer, block];
}

/** The index of the first token that begins at an offset or behind it: found by halves, since a large file has 200,000. */
export function firstTokenFrom(tokens: readonly StructureToken[], offset: number): number {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tokens[middle]?.offset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
