import { sql } from 'drizzle-orm';
import { boolean, check, pgSequence, pgTable, text } from 'drizzle-orm/pg-core';

/**
 * Which database this is, in one row, made with it: another one under the same key is another AME. '' in one that was in
 * use before there was this row, whose Jobs and tokens carry no id.
 */
export const identity = pgTable(
  'identity',
  { only: boolean('only').primaryKey().default(true), id: text('id').notNull() },
  (t) => [check('identity_only', sql`${t.only}`)],
);

/** Numbers of workers, each used by one session. */
export const workerNumbers = pgSequence('worker_numbers', {
  minValue: 1,
  maxValue: 2_147_483_647,
  cycle: true,
});
