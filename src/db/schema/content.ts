import { sql } from 'drizzle-orm';
import { check, index, integer, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { LogChunk } from '../../core/attempt.ts';
import { bytes, id, reference, time, json } from './columns.ts';
import { repositories } from './repositories.ts';
import { attempts } from './runs.ts';

/** What the store holds. */
export const blobs = pgTable('blobs', {
  digest: text('digest').primaryKey(),
  size: reference('size').notNull(),
  createdAt: time('created_at').notNull(),
  /** When somebody last wrote it or was about to: what was used a moment ago is never removed. */
  usedAt: time('used_at').notNull().defaultNow(),
});

/** Which repository may see which content. */
export const blobRefs = pgTable(
  'blob_refs',
  {
    repositoryId: reference('repository_id')
      .notNull()
      .references(() => repositories.id),
    digest: text('digest')
      .notNull()
      .references(() => blobs.digest),
    /** When somebody of the repository last brought it or was told that it is there, to within an hour. */
    usedAt: time('used_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.repositoryId, t.digest] }), index('blob_refs_digest').on(t.digest)],
);

/** Files and whole trees of Git that are in the store already, so that what a commit did not change is not read again. */
export const sourceObjects = pgTable(
  'source_objects',
  {
    repositoryId: reference('repository_id')
      .notNull()
      .references(() => repositories.id),
    /** Git's id of the blob, or of the tree at a commit's root. */
    oid: text('oid').notNull(),
    digest: text('digest')
      .notNull()
      .references(() => blobs.digest),
  },
  (t) => [primaryKey({ columns: [t.repositoryId, t.oid] })],
);

/** Roots of workspaces. */
export const snapshots = pgTable(
  'snapshots',
  {
    repositoryId: reference('repository_id')
      .notNull()
      .references(() => repositories.id),
    digest: text('digest')
      .notNull()
      .references(() => blobs.digest),
    attemptId: reference('attempt_id').references(() => attempts.id),
    /** Of all its files together; null where nobody counted. */
    bytes: reference('bytes'),
    createdAt: time('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.repositoryId, t.digest] })],
);

/** What a person gets back of an attempt. */
export const artifacts = pgTable(
  'artifacts',
  {
    id: id(),
    attemptId: reference('attempt_id')
      .notNull()
      .references(() => attempts.id),
    path: text('path').notNull(),
    digest: text('digest')
      .notNull()
      .references(() => blobs.digest),
    size: reference('size').notNull(),
    mode: integer('mode').notNull(),
  },
  (t) => [uniqueIndex('artifacts_path').on(t.attemptId, t.path)],
);

/** The log of an attempt while it is young; sending a chunk again is a no-op. */
export const logChunks = pgTable(
  'log_chunks',
  {
    attemptId: reference('attempt_id')
      .notNull()
      .references(() => attempts.id),
    seq: integer('seq').notNull(),
    firstLine: reference('first_line').notNull(),
    offset: reference('offset').notNull(),
    length: integer('length').notNull(),
    bytes: bytes('bytes').notNull(),
    lines: json('lines').$type<LogChunk['lines']>().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.attemptId, t.seq] }),
    check('log_chunks_length', sql`${t.length} = length(${t.bytes}) and ${t.length} <= 262144`),
    index('log_chunks_offset').on(t.attemptId, t.offset),
  ],
);

/** The whole log of an attempt that is over, once its chunks have become one blob. */
export const logArchives = pgTable('log_archives', {
  attemptId: reference('attempt_id')
    .primaryKey()
    .references(() => attempts.id),
  digest: text('digest')
    .notNull()
    .references(() => blobs.digest),
  bytes: reference('bytes').notNull(),
  lines: reference('lines').notNull(),
  /** Of each chunk: its first byte in the log, and where its compressed form begins and ends in the blob. */
  index: json('index').$type<readonly (readonly [offset: number, from: number, to: number])[]>().notNull(),
});
