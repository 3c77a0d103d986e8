import { sql } from 'drizzle-orm';
import { check, index, integer, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { Check } from '../../core/check.ts';
import { id, queueChecks, queueColumns, reference, time, json } from './columns.ts';
import { repositories } from './repositories.ts';
import { runs } from './runs.ts';

/** What a commit is to be told, and what it was told. One for its file, and one for each run. */
export const checks = pgTable(
  'checks',
  {
    id: id(),
    repositoryId: reference('repository_id')
      .notNull()
      .references(() => repositories.id),
    sha: text('sha').notNull(),
    name: text('name').notNull(),
    runId: reference('run_id').references(() => runs.id),
    says: json('says').$type<Check>().notNull(),
    said: json('said').$type<Check>(),
    saidAt: time('said_at'),
    /** The host's id of what was made there. */
    hostCheckId: text('host_check_id'),
    /** Set before something is sent, and taken away once the answer is stored: what was sent since may be there or not. */
    sendingSince: time('sending_since'),
    /** How much of what was said has been sent beside the verdict: annotations are added, never replaced. */
    annotationsSaid: integer('annotations_said').notNull().default(0),
    /** Words between the first one and the verdict; a host counts them. */
    updates: integer('updates').notNull().default(0),
    ...queueColumns(),
  },
  (t) => [
    check('checks_due_until_said', sql`${t.dueAt} is not null or ${t.said} is not distinct from ${t.says}`),
    ...queueChecks('checks', t),
    uniqueIndex('checks_place')
      .on(t.repositoryId, t.sha, t.name)
      .where(sql`run_id is null`),
    uniqueIndex('checks_run')
      .on(t.runId)
      .where(sql`run_id is not null`),
    index('checks_due')
      .on(t.dueAt)
      .where(sql`due_at is not null`),
  ],
);
