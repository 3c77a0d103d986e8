import type { Place } from '../problems.ts';

/**
 * The file as a tree of our own: everything that the rest of this room looks at. It keeps the order and the
 * source text that plain objects lose, and no alias, tag or duplicate key is left in it.
 */
export type Node = TextNode | ListNode | MapNode | EmptyNode | BrokenNode;

/** A single value. `text` is what stands in the file, whatever YAML makes of it. */
export type TextNode = {
  readonly kind: 'text';
  readonly at: Place;
  readonly text: string;
  /** How YAML reads it, where that is not the same text: `3.1` for `3.10`; otherwise `null`. */
  readonly reads: string | null;
  /** Characters between `at` and the first character of `text` (1 after a quote); `null` where escapes or line breaks lie between. */
  readonly offset: number | null;
};

export type ListNode = {
  readonly kind: 'list';
  readonly at: Place;
  readonly items: readonly Node[];
  /** Whether every item could be read. */
  readonly isWhole: boolean;
};

export type MapNode = {
  readonly kind: 'map';
  readonly at: Place;
  readonly entries: readonly Entry[];
  /** Whether every key could be read; otherwise nothing can be said to be missing. */
  readonly isWhole: boolean;
  /** `!poetry` and kin, which older files have on `executor`. */
  readonly tag: string | null;
  readonly isInBraces: boolean;
};

/** Nothing, `~` or `null`. `written` is what stands there. */
export type EmptyNode = {
  readonly kind: 'empty';
  readonly at: Place;
  readonly written: string;
  readonly tag: string | null;
};

/** What could not be read; the problem is already reported. */
export type BrokenNode = { readonly kind: 'broken'; readonly at: Place };

/** `at` is the place of the key. */
export type Entry = { readonly key: string; readonly at: Place; readonly value: Node };

const widest = 56;

/** A node as short text in flow form, for messages that show how to write it. */
export function sketch(node: Node): string {
  const text = sketchDeep(node, 3);
  return text.length > widest ? `${text.slice(0, widest - 1)}…` : text;
}

function sketchDeep(node: Node, depth: number): string {
  if (node.kind === 'text') return node.text.includes('\n') ? '|…' : sketchText(node.text.slice(0, widest));
  if (node.kind === 'list') {
    const items = node.items.map((item) => () => sketchDeep(item, depth - 1));
    return depth === 0 ? '[…]' : `[${sketchAll(items)}]`;
  }
  if (node.kind === 'map') {
    const entries = node.entries.map((entry) => () => `${entry.key}: ${sketchDeep(entry.value, depth - 1)}`);
    return depth === 0 ? '{…}' : `{${sketchAll(entries)}}`;
  }
  return '…';
}

// Parts are made one by one until the line is full: a hostile map has a hundred thousand.
function sketchAll(parts: readonly (() => string)[]): string {
  let text = '';
  for (const part of parts) {
    if (text.length > widest) return text;
    text += (text === '' ? '' : ', ') + part();
  }
  return text;
}

function sketchText(text: string): string {
  return /^[\w./@+-][\w ./@+=-]*$/u.test(text) && !text.endsWith(' ')
    ? text
    : `"${text.replaceAll('"', "'")}"`;
}

const kindsInWords: Readonly<Record<Node['kind'], string>> = {
  text: 'a single value',
  list: 'a list',
  map: 'a map',
  empty: 'empty',
  broken: 'unreadable',
};

/** What a node is, in words for a message. */
export function described(node: Node): string {
  return kindsInWords[node.kind];
}
