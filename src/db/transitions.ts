import { asc, eq } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { transitions } from './schema/runs.ts';

export type Transition = typeof transitions.$inferSelect;

/** Notes changes of state; what is noted stays. */
export async function insertTransitions(
  db: Db,
  rows: readonly Omit<typeof transitions.$inferInsert, 'id' | 'at'>[],
): Promise<void> {
  for (let from = 0; from < rows.length; from += 1_000) {
    await db.orm
      .insert(transitions)
      .values(rows.slice(from, from + 1_000).map((row) => ({ ...row, at: db.now() })));
  }
}

export async function listTransitions(db: Db, runId: number): Promise<readonly Transition[]> {
  return db.orm.select().from(transitions).where(eq(transitions.runId, runId)).orderBy(asc(transitions.id));
}
