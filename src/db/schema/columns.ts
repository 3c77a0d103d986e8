import { sql, type SQL } from 'drizzle-orm';
import {
  bigint,
  check,
  customType,
  index,
  integer,
  text,
  timestamp,
  type AnyPgColumn,
} from 'drizzle-orm/pg-core';

/** Milliseconds, as JavaScript's Date: a time that was read and is sent back still equals the stored one. */
export function time(name: string) {
  return timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });
}

export function id() {
  return bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity();
}

export function reference(name: string) {
  return bigint(name, { mode: 'number' });
}

/**
 * JSON as Postgres can hold it: jsonb refuses NUL and halves of characters, which what a task printed may contain.
 * They become the replacement character, so that no text of a user can keep a row from being stored.
 */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'string' ? part.toWellFormed().replaceAll('\0', '\u{fffd}') : part,
  );
}

export const json = customType<{ data: unknown; driverData: string }>({
  dataType: () => 'jsonb',
  toDriver: storableJson,
});

export const bytes = customType<{ data: Uint8Array; driverData: Buffer }>({
  dataType: () => 'bytea',
  toDriver: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength),
});

/** A row that failed this often is parked: it stays due, and the claim passes it by until a person releases it. */
export const parkedAfter = 20;

/**
 * The columns of a row that may need attention. `due_at` says when it next does, null that it does not.
 * A claim moves `due_at` to the end of its lease, so that any other value found at the save is a wake that
 * came in between. `postponed` counts the times that the world was away, which is never a failure of the row.
 */
export function queueColumns() {
  return {
    dueAt: time('due_at'),
    claimedUntil: time('claimed_until'),
    claimedBy: integer('claimed_by'),
    failures: integer('failures').notNull().default(0),
    postponed: integer('postponed').notNull().default(0),
    lastError: text('last_error'),
  };
}

type QueueTable = { dueAt: AnyPgColumn; claimedUntil: AnyPgColumn; claimedBy: AnyPgColumn };

/** What holds for every queue: a claim has a holder and an end, and only what is due is held. */
export function queueChecks(table: string, { dueAt, claimedUntil, claimedBy }: QueueTable) {
  return [
    check(`${table}_claim_whole`, sql`(${claimedUntil} is null) = (${claimedBy} is null)`),
    check(`${table}_claim_due`, sql`${claimedBy} is null or ${dueAt} is not null`),
    // The search for claims of dead workers runs every few seconds, and few rows are ever claimed.
    index(`${table}_claimed`)
      .on(claimedBy)
      .where(sql`claimed_by is not null`),
  ];
}

/** `column in ('a', 'b')` for a closed list of words. */
export function oneOf(column: AnyPgColumn, words: readonly string[]): SQL {
  return sql`${column} in (${sql.raw(words.map((word) => `'${word}'`).join(', '))})`;
}
