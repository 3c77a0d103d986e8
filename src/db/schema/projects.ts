import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
  pgTable,
  text,
  uniqueIndex,
  type AnyPgColumn,
} from 'drizzle-orm/pg-core';
import type { Problem } from '../../core/problems.ts';
import type { Project } from '../../core/project.ts';
import { bytes, id, oneOf, queueChecks, queueColumns, reference, time, json } from './columns.ts';
import { repositories } from './repositories.ts';

/** One `ame.yaml` in one directory of one repository; `path` is that directory, '' the root. */
export const projects = pgTable(
  'projects',
  {
    id: id(),
    repositoryId: reference('repository_id')
      .notNull()
      .references(() => repositories.id),
    path: text('path').notNull(),
    name: text('name').notNull(),
    /** What the default branch says now; null until it has a file that can be read, and after it lost it. */
    revisionId: reference('revision_id').references((): AnyPgColumn => revisions.id),
    lastNumber: integer('last_number').notNull().default(0),
    createdAt: time('created_at').notNull(),
  },
  (t) => [uniqueIndex('projects_place').on(t.repositoryId, t.path), index('projects_name').on(t.name)],
);

/** A project at a commit: what its file said there. */
export const revisions = pgTable(
  'revisions',
  {
    id: id(),
    projectId: reference('project_id')
      .notNull()
      .references(() => projects.id),
    commit: text('commit').notNull(),
    /** Git's id of the file's content. */
    fileDigest: text('file_digest').notNull(),
    /** Null where a problem is an error. */
    project: json('project').$type<Project>(),
    problems: json('problems').$type<readonly Problem[]>().notNull(),
    createdAt: time('created_at').notNull(),
  },
  (t) => [
    uniqueIndex('revisions_commit').on(t.projectId, t.commit),
    check(
      'revisions_read_or_wrong',
      sql`(${t.project} is null) = jsonb_path_exists(${t.problems}, '$[*] ? (@.severity == "error")')`,
    ),
  ],
);

export const catchups = ['none', 'last', 'all'] as const;
export const overlaps = ['skip', 'queue', 'allow'] as const;

export const schedules = pgTable(
  'schedules',
  {
    id: id(),
    projectId: reference('project_id')
      .notNull()
      .references(() => projects.id),
    name: text('name').notNull(),
    task: text('task').notNull(),
    cron: text('cron').notNull(),
    zone: text('zone').notNull(),
    catchup: text('catchup', { enum: catchups }).notNull(),
    overlap: text('overlap', { enum: overlaps }).notNull(),
    /** Of the file, where it stands. */
    line: integer('line').notNull().default(1),
    /** The first tick that is still to be decided, by its nominal time; null: to be found out, or paused by a person. */
    nextTickAt: time('next_tick_at'),
    /** The last one that was decided: no clock that steps back brings it again. */
    lastTickAt: time('last_tick_at'),
    paused: boolean('paused').notNull().default(false),
    pausedAt: time('paused_at'),
    /** Since when the file names it no more. It is kept, unseen, only where a person had paused it, lest it comes back ticking. */
    removedAt: time('removed_at'),
    /** Why AME itself lets its ticks wait, and since when; they go on by themselves. */
    heldReason: text('held_reason'),
    heldSince: time('held_since'),
    ...queueColumns(),
  },
  (t) => [
    uniqueIndex('schedules_name').on(t.projectId, t.name),
    check('schedules_catchup', oneOf(t.catchup, catchups)),
    check('schedules_overlap', oneOf(t.overlap, overlaps)),
    // A forgotten schedule cannot be stored.
    check('schedules_due_unless_paused', sql`${t.paused} = (${t.dueAt} is null)`),
    check('schedules_paused_no_next', sql`not ${t.paused} or ${t.nextTickAt} is null`),
    check('schedules_paused_whole', sql`${t.paused} = (${t.pausedAt} is not null)`),
    check('schedules_removed_paused', sql`${t.removedAt} is null or ${t.paused}`),
    check('schedules_held_whole', sql`(${t.heldReason} is null) = (${t.heldSince} is null)`),
    ...queueChecks('schedules', t),
    index('schedules_due')
      .on(t.dueAt)
      .where(sql`due_at is not null`),
  ],
);

/** A secret of a project, readable only with the key that `key_id` names. */
export const secrets = pgTable(
  'secrets',
  {
    id: id(),
    projectId: reference('project_id')
      .notNull()
      .references(() => projects.id),
    name: text('name').notNull(),
    ciphertext: bytes('ciphertext').notNull(),
    keyId: text('key_id').notNull(),
    /** GitHub's id of the repository's account when it was set: one that moves to another one takes no secrets along. */
    accountId: text('account_id'),
    updatedAt: time('updated_at').notNull(),
  },
  (t) => [uniqueIndex('secrets_name').on(t.projectId, t.name)],
);
