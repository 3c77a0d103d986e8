import { eq, sql } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { learnedMemory } from './schema/runs.ts';

export type LearnedMemory = typeof learnedMemory.$inferSelect;

/** What tasks of a project came to need. */
export async function listLearnedMemory(db: Db, projectId: number): Promise<readonly LearnedMemory[]> {
  return db.orm.select().from(learnedMemory).where(eq(learnedMemory.projectId, projectId));
}

/** Remembers what tasks came to need, each instead of what was known of it before. */
export async function saveLearnedMemory(
  db: Db,
  rows: readonly Omit<LearnedMemory, 'learnedAt'>[],
): Promise<void> {
  if (rows.length === 0) return;
  // Always in the same order: two runs of one project that end at once must not wait for each other.
  const ordered = rows.toSorted((a, b) => (a.task < b.task ? -1 : 1));
  await db.orm
    .insert(learnedMemory)
    .values(ordered.map((row) => ({ ...row, learnedAt: db.now() })))
    .onConflictDoUpdate({
      target: [learnedMemory.projectId, learnedMemory.task],
      set: {
        bytes: sql`excluded.bytes`,
        asked: sql`excluded.asked`,
        learnedAt: sql`excluded.learned_at`,
        attemptId: sql`excluded.attempt_id`,
      },
    });
}
