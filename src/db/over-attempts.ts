import { and, inArray, isNull } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { attempts } from './schema/runs.ts';

/** Which of these attempts have ended, or are not known here at all. */
export async function findOverAttempts(db: Db, ids: readonly number[]): Promise<ReadonlySet<number>> {
  if (ids.length === 0) return new Set();
  const open = await db.orm
    .select({ id: attempts.id })
    .from(attempts)
    .where(and(inArray(attempts.id, [...ids]), isNull(attempts.finishedAt)));
  const known = new Set(open.map(({ id }) => id));
  return new Set(ids.filter((id) => !known.has(id)));
}
