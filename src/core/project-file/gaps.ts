import { isMap, isNode, isScalar, isSeq } from 'yaml';
import type { Document, Node as YamlNode, Pair } from 'yaml';
import type { Hole } from './holes.ts';
import type { Remainder } from './leave-out.ts';

/** What of a parsed text is not as its author wrote it, because parts of the text were left out. */
export type Gaps = {
  /** Whether something that begins at this offset stands in the place of a lost value. */
  readonly isLost: (offset: number) => boolean;
  /** Whether the map that begins at this offset ends too early. */
  readonly isCut: (offset: number) => boolean;
  /** Maps and lists that may have held more than what is left of them. */
  readonly open: ReadonlySet<YamlNode>;
  /** Pairs whose value may stand in a part that was left out. */
  readonly emptied: ReadonlySet<Pair>;
};

export const noGaps: Gaps = {
  isLost: () => false,
  isCut: () => false,
  open: new Set(),
  emptied: new Set(),
};

/** Finds what the holes of a text leave uncertain. */
export function findGaps(document: Document, { text, holes, cut }: Remainder): Gaps {
  const open = new Set<YamlNode>();
  const emptied = new Set<Pair>();
  for (const hole of holes) if (hole.holdsMore) follow(document.contents, text, hole, open, emptied);
  return {
    isLost: (offset) => holes.some(({ isValue, from, to }) => isValue && offset >= from && offset < to),
    isCut: (offset) => cut.includes(offset),
    open,
    emptied,
  };
}

/** Goes down to where a hole stands: what is open there may have held what is lost. */
function follow(root: unknown, text: string, hole: Hole, open: Set<YamlNode>, emptied: Set<Pair>): void {
  const offset = hole.from;
  let node = root;
  while (isMap(node) || isSeq(node)) {
    const [start = 0, end = 0] = node.range ?? [];
    if (node.flow === true && end <= offset) return;
    open.add(node);
    if (start >= offset) return;
    if (isMap(node)) {
      const pair = node.items.findLast(({ key }) => startOf(key) < offset);
      if (pair === undefined) return;
      node = pair.value;
      const key = startOf(pair.key);
      const isDeeper = hole.column > key - (text.lastIndexOf('\n', key - 1) + 1);
      // A line that is indented deeper than the key of a text may have been its value.
      if (node === null || (isScalar(node) && (isDeeper || startOf(node) >= offset))) emptied.add(pair);
    } else node = node.items.findLast((item) => startOf(item) < offset);
  }
}

function startOf(node: unknown): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? 0;
}
