import { shorten, shown } from '../problems/wording.ts';
import type { Place } from '../problems.ts';
import { closest } from '../closest.ts';
import type { Key, KeyTable, NameOf } from './key-table.ts';
import { described, sketch } from './node.ts';
import { findUnknownKeys } from './misspelt.ts';
import type { UnknownKey } from './misspelt.ts';
import type { Entry, MapNode, Node, TextNode } from './node.ts';
import type { Report } from './report.ts';

/** The entries of a map by the present name of their key, without those that are empty. */
export type Fields<K extends readonly Key[]> = {
  get(name: NameOf<K>): Entry | undefined;
  /** Whether the key is missing and nothing in the map looks like a misspelling of it. */
  lacks(name: NameOf<K>): boolean;
  /** Where a required key stands with nothing after it. */
  emptyAt(name: NameOf<K>): Place | undefined;
};

/** How a reader of one kind of map differs from the others. */
export type FieldRules = {
  /** Keys for which "nothing after it" has a meaning of its own, so that they are kept and not noticed. */
  readonly mayBeEmpty?: readonly string[];
  /** What an empty key means, in words. */
  readonly emptyMeans?: string;
};

/**
 * Sorts the entries of a map by its table: unknown, planned and empty keys are reported and left out. Older
 * names and misspelt ones are reported and found under the present name.
 */
export function readFields<K extends readonly Key[]>(
  node: MapNode,
  table: KeyTable<K>,
  report: Report,
  rules: FieldRules = {},
): Fields<K> {
  const found = new Map<string, Entry>();
  const guessed = new Set<string>();
  const empty = new Map<string, Place>();
  const take = (entry: Entry, name: string): void => {
    if (entry.value.kind === 'empty' && !(rules.mayBeEmpty ?? []).includes(name)) {
      // That it is missing will be reported there, which says the same.
      if (table.required.includes(name)) empty.set(name, entry.at);
      else
        report('empty-key', entry.at, {
          what: shown(entry.key),
          means: rules.emptyMeans ?? 'counts as absent',
        });
      return;
    }
    const earlier = found.get(name);
    if (earlier !== undefined) {
      const why = 'both say the same thing';
      report('exclusive-keys', entry.at, { key: entry.key, other: earlier.key, line: earlier.at.line, why });
      return;
    }
    const known = table.byName.get(entry.key);
    if (known?.availability === 'older' && known.instead !== null) reportOlder(entry, known.instead, report);
    found.set(name, entry);
  };
  for (const entry of node.entries) {
    const known = table.byName.get(entry.key);
    if (known === undefined || entry.key.startsWith('x-')) continue;
    if (known.availability === 'later')
      report('not-available-yet', entry.at, { key: known.name, description: known.description });
    else take(entry, known.availability === 'older' ? (known.instead ?? known.name) : known.name);
  }
  for (const unknown of findUnknownKeys(node, table)) {
    reportUnknown(unknown, table, report, guessed);
    if (unknown.readAs !== null) take(unknown.entry, unknown.readAs);
  }
  return {
    get: (name) => found.get(name),
    lacks: (name) => node.isWhole && !found.has(name) && !guessed.has(name),
    emptyAt: (name) => empty.get(name),
  };
}

function reportUnknown(unknown: UnknownKey, table: KeyTable, report: Report, guessed: Set<string>): void {
  const { entry, nearest, hint, glued } = unknown;
  if (glued !== null) {
    report('missing-colon', entry.at, { text: entry.key, corrected: `${glued.key}: ${glued.value}` });
    guessed.add(glued.key);
    return;
  }
  // What is meant by this key is not missing.
  if (nearest !== null) guessed.add(nearest);
  for (const name of table.present) if (hint?.includes(`\`${name}\``) === true) guessed.add(name);
  report('unknown-key', entry.at, {
    key: entry.key,
    where: table.what,
    nearest,
    hint,
    known: table.present,
  });
}

function reportOlder(entry: Entry, instead: string, report: Report): void {
  report('older-spelling', entry.at, () => ({
    written: `\`${shorten(entry.key)}\``,
    present: `\`${instead}: ${shorten(sketch(entry.value))}\``,
  }));
}

/** What a value is called in messages, and how it is written properly. */
export type Wanted = { readonly what: string; readonly expected: string; readonly write: string };

/** The map that stands here; a problem and `null` where it is none. */
export function readMap(node: Node, wanted: Wanted, report: Report): MapNode | null {
  if (node.kind === 'map') return node;
  if (node.kind === 'broken') return null;
  const glued = node.kind === 'text' && node.reads === null ? /^([\w-]+):([^\s/]\S*)/u.exec(node.text) : null;
  if (glued !== null) {
    report('missing-colon', node.at, { text: glued[0], corrected: `${glued[1] ?? ''}: ${glued[2] ?? ''}` });
    return null;
  }
  reportType(node, wanted, report);
  return null;
}

/** The text that stands here, exactly as it is written; a problem and `null` where it is none. */
export function readText(node: Node, wanted: Wanted, report: Report): TextNode | null {
  const text = asText(node);
  if (text === null) {
    if (node.kind !== 'broken') reportType(node, wanted, report);
    return null;
  }
  if (text.reads !== null) report('reads-differently', text.at, { text: text.text, read: text.reads });
  return text;
}

/** A value that AME reads itself (numbers, sizes, words), so how YAML reads it does not matter. */
export function readValue(node: Node, wanted: Wanted, report: Report): TextNode | null {
  const text = asText(node);
  if (text === null && node.kind !== 'broken') reportType(node, wanted, report);
  return text;
}

function asText(node: Node): TextNode | null {
  if (node.kind === 'text') return node;
  // `~` and `null` are text where text is meant.
  if (node.kind === 'empty' && node.written !== '') {
    return { kind: 'text', at: node.at, text: node.written, reads: 'nothing', offset: 0 };
  }
  return null;
}

export function reportType(node: Node, wanted: Wanted, report: Report): void {
  report('wrong-type', node.at, { ...wanted, found: described(node) });
}

/** The items of a list, or the single item that stands in its place. Empty items are noticed and left out. */
export function readItems(node: Node, what: string, report: Report): readonly Node[] {
  if (node.kind === 'broken') return [];
  if (node.kind !== 'list') return [node];
  return node.items.filter((item) => {
    if (item.kind !== 'empty') return item.kind !== 'broken';
    report('empty-key', item.at, { what, means: 'counts as absent' });
    return false;
  });
}

/** One of some words; a problem and `null` where it is none of them. */
export function readChoice<const W extends string>(
  node: Node,
  what: string,
  words: readonly W[],
  report: Report,
  hints: Readonly<Record<string, string>> = {},
): W | null {
  const text = readValue(
    node,
    { what, expected: 'one word', write: `Write one of ${words.join(', ')}.` },
    report,
  );
  if (text === null) return null;
  const word = words.find((candidate) => candidate === text.text);
  if (word !== undefined) return word;
  report('bad-choice', text.at, () => ({
    what,
    text: text.text,
    choices: words,
    nearest: closest(text.text.replaceAll(/[^\w-]/gu, ''), words),
    hint: Object.hasOwn(hints, text.text) ? (hints[text.text] ?? null) : null,
  }));
  return null;
}

/** A whole number within bounds; a problem and `null` where it is none. */
export function readInteger(
  node: Node,
  wanted: { readonly what: string; readonly least: number; readonly most: number; readonly example: string },
  report: Report,
): number | null {
  const text = readValue(
    node,
    { what: wanted.what, expected: 'a whole number', write: `Write \`${wanted.example}\`, for instance.` },
    report,
  );
  if (text === null) return null;
  const number = /^\d{1,9}$/u.test(text.text) ? Number(text.text) : Number.NaN;
  if (number >= wanted.least && number <= wanted.most) return number;
  report('bad-number', text.at, { ...wanted, text: text.text });
  return null;
}

/** Reports a key that must be there, unless something in the map looks like a misspelling of it. */
export function requireKey<K extends readonly Key[]>(
  fields: Fields<K>,
  name: NameOf<K>,
  at: Place,
  where: string,
  example: string,
  report: Report,
): void {
  if (fields.lacks(name)) report('missing-key', fields.emptyAt(name) ?? at, { key: name, where, example });
}
