import { findClosest } from '../closest.ts';
import type { KeyTable } from './key-table.ts';
import type { Entry, MapNode } from './node.ts';

/** A key that is not in the table of its map, and what can be made of it. */
export type UnknownKey = {
  readonly entry: Entry;
  /** The present name that was probably meant, as the message says it. */
  readonly nearest: string | null;
  /** Words of its own for this key. */
  readonly hint: string | null;
  /**
   * The name as which its value is read, so that what is wrong below shows at once: only where the map has no
   * such key yet and nothing else could be meant.
   */
  readonly readAs: string | null;
  /** `{b:1}` is one key without a value: YAML wants a space after the colon. */
  readonly glued: { readonly key: string; readonly value: string } | null;
};

/** The unknown keys of a map, in its order. */
export function findUnknownKeys(node: MapNode, table: KeyTable): readonly UnknownKey[] {
  const unknown = node.entries.filter(({ key }) => !key.startsWith('x-') && !table.byName.has(key));
  if (unknown.length === 0) return [];
  const taken = new Set(
    node.entries.flatMap(({ key }) => (table.byName.has(key) ? (presentName(key, table) ?? []) : [])),
  );
  const guesses = unknown.map((entry) => guess(entry, table, taken));
  const count = new Map<string, number>();
  for (const { readAs } of guesses) if (readAs !== null) count.set(readAs, (count.get(readAs) ?? 0) + 1);
  // Of two keys that could both be it, none is.
  return guesses.map((one) =>
    one.readAs !== null && count.get(one.readAs) !== 1 ? { ...one, readAs: null } : one,
  );
}

/** The entry of this name, or the misspelt one that is read as it. */
export function findEntry(node: MapNode, table: KeyTable, name: string): Entry | undefined {
  return (
    node.entries.find(({ key }) => key === name) ??
    findUnknownKeys(node, table).find(({ readAs }) => readAs === name)?.entry
  );
}

function nearestNames(key: string, { spelling }: KeyTable): ReturnType<typeof findClosest> {
  const present = findClosest(key, spelling.present);
  if (present.names.length > 0) return present;
  const older = findClosest(key, spelling.older);
  if (older.names.length > 0) return older;
  // Words from elsewhere are many and short, so that most keys would be near to one of them.
  const synonym = findClosest(key, spelling.synonyms);
  return synonym.edits * 5 <= key.length ? synonym : older;
}

/** The name under which a key is read: of a synonym the key that takes the same value, of an older one the present one, if it has one. */
function presentName(key: string, table: KeyTable): string | null {
  const known = table.byName.get(key);
  if (known === undefined) return Object.hasOwn(table.synonyms, key) ? (table.synonyms[key] ?? null) : null;
  return known.availability === 'older' ? (known.instead ?? known.name) : known.name;
}

function guess(entry: Entry, table: KeyTable, taken: ReadonlySet<string>): UnknownKey {
  const { key } = entry;
  const nothing = { entry, hint: null, nearest: null, readAs: null, glued: null };
  const [, first, rest = ''] = (entry.value.kind === 'empty' && /^([\w-]+):(.+)$/u.exec(key)) || [];
  if (first !== undefined) return { ...nothing, glued: { key: first, value: rest } };
  const hint = Object.hasOwn(table.hints, key) ? (table.hints[key] ?? null) : null;
  const synonym = Object.hasOwn(table.synonyms, key) ? (table.synonyms[key] ?? null) : null;
  if (synonym !== null)
    return { ...nothing, hint, nearest: synonym, readAs: taken.has(synonym) ? null : synonym };
  if (hint !== null) return { ...nothing, hint };
  const { names, edits } = nearestNames(key, table);
  const meant = [...new Set(names.map((name) => presentName(name, table) ?? name))];
  const free = meant.filter((name) => !taken.has(name));
  const [nearest = meant[0] ?? null] = free;
  // One letter of two is half of the word: `id` is hardly `if`.
  const isSure = free.length === 1 && edits * 3 <= Math.max(key.length, nearest?.length ?? 0);
  return { ...nothing, nearest, readAs: isSure ? nearest : null };
}
