import { candidatesOf } from '../closest.ts';
import type { Candidates } from '../closest.ts';

/** A piece of JSON Schema, draft-07. */
export type Schema = { readonly [keyword: string]: SchemaValue };
type SchemaValue = string | number | boolean | null | Schema | readonly SchemaValue[];

/** A key that AME reads. `shape` is for people, `schema` for editors; both say what stands after the colon. */
export type PresentKey = {
  readonly name: string;
  readonly availability: 'now';
  readonly shape: string;
  readonly description: string;
  /** What holds where the key is absent, in words. */
  readonly default: string | null;
  readonly schema: Schema;
};

/** An older name, read as `instead`; where that is `null`, the reader of the map knows what to make of it. */
export type OlderKey = {
  readonly name: string;
  readonly availability: 'older';
  readonly instead: string | null;
  readonly description: string;
  readonly schema: Schema;
};

/** A name that is kept for something planned. */
export type LaterKey = {
  readonly name: string;
  readonly availability: 'later';
  readonly description: string;
};

export type Key = PresentKey | OlderKey | LaterKey;

/**
 * The keys of one kind of map. Reader, JSON Schema and key reference all go by these tables, so a key
 * cannot exist in one and be missing in another.
 */
export type KeyTable<K extends readonly Key[] = readonly Key[]> = {
  /** What the map is, as in "no key of a task". */
  readonly what: string;
  /** Its path in the reference, as in `tasks.NAME`. */
  readonly path: string;
  readonly keys: K;
  readonly required: readonly string[];
  /** Keys from elsewhere that people write here, with the key that takes the same value. */
  readonly synonyms: Readonly<Record<string, string>>;
  /** Keys from elsewhere that people write here, with what to do instead, in words. */
  readonly hints: Readonly<Record<string, string>>;
  readonly byName: ReadonlyMap<string, Key>;
  readonly present: readonly string[];
  /** Names that a misspelt key is compared with, one kind after the other until one is near. */
  readonly spelling: {
    readonly present: Candidates;
    readonly older: Candidates;
    readonly synonyms: Candidates;
  };
};

/** The names that a reader can ask for: those of the present, and older ones that need a reader of their own. */
export type NameOf<K extends readonly Key[]> =
  | Extract<K[number], { availability: 'now' }>['name']
  | Extract<K[number], { availability: 'older'; instead: null }>['name'];

/** Keeps the names as literal types, so that asking for a key that is not in the table does not compile. */
export function keyTable<const K extends readonly Key[]>(table: {
  readonly what: string;
  readonly path: string;
  readonly keys: K;
  readonly required?: readonly string[];
  readonly synonyms?: Readonly<Record<string, string>>;
  readonly hints?: Readonly<Record<string, string>>;
}): KeyTable<K> {
  const named = (availability: Key['availability']): string[] =>
    table.keys.filter((one) => one.availability === availability).map(({ name }) => name);
  const present = named('now');
  return {
    required: [],
    synonyms: {},
    hints: {},
    ...table,
    byName: new Map(table.keys.map((one) => [one.name, one])),
    present,
    spelling: {
      present: candidatesOf(present),
      older: candidatesOf(named('older')),
      synonyms: candidatesOf(Object.keys(table.synonyms ?? {})),
    },
  };
}

type Present<N extends string> = PresentKey & { readonly name: N };

/** A key of the present. */
export function key<const N extends string>(
  name: N,
  shape: string,
  schema: Schema,
  description: string,
  fallback: string | null = null,
): Present<N> {
  return { name, availability: 'now', shape, schema, description, default: fallback };
}

/** An older name of `instead`, or one with a reader of its own. */
export function older<const N extends string, const I extends string | null>(
  name: N,
  instead: I,
  schema: Schema,
): OlderKey & { readonly name: N; readonly instead: I } {
  const description =
    instead === null ? 'Older form, still read.' : `Older form of \`${instead}\`, still read.`;
  return { name, availability: 'older', instead, schema, description };
}
