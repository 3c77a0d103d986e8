import { and, eq, isNull, lt, sql } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { notify } from './due.ts';
import type { Run } from './runs.ts';
import { runs } from './schema/runs.ts';

/** Runs of one project with the same concurrency group, which get in each other's way. */

/**
 * Asks the other unfinished runs of a group to end: all of them, or only those that have not started. A tick takes the
 * place of ticks alone: a run or a retry that a person asked for is theirs to end.
 */
export async function supersede(
  db: Db,
  run: Run,
  which: 'all' | 'waiting',
  cause: string,
): Promise<readonly { readonly id: number; readonly number: number }[]> {
  const stopped = await db.orm
    .update(runs)
    .set({ cancelRequestedAt: db.now(), cancelReason: 'superseded', cancelCause: cause, dueAt: db.now() })
    .where(
      and(
        eq(runs.concurrencyGroup, run.concurrencyGroup),
        eq(runs.projectId, run.projectId),
        isNull(runs.finishedAt),
        isNull(runs.cancelRequestedAt),
        lt(runs.id, run.id),
        which === 'waiting' ? isNull(runs.startedAt) : undefined,
        run.trigger === 'tick' ? eq(runs.trigger, 'tick') : undefined,
      ),
    )
    .returning({ id: runs.id, number: runs.number });
  if (stopped.length > 0) await notify(db, 'runs');
  return stopped;
}

/** Older unfinished runs that one with `queue` waits for. */
export async function countAhead(db: Db, run: Run): Promise<number> {
  return db.orm.$count(
    runs,
    and(
      eq(runs.concurrencyGroup, run.concurrencyGroup),
      eq(runs.projectId, run.projectId),
      isNull(runs.finishedAt),
      lt(runs.id, run.id),
    ),
  );
}

/**
 * Makes those due that may have waited for a run of this group to end. One that is just being saved is passed by: two
 * runs that end together would each wait for the other's row. It is looked at again within its own poll.
 */
export async function wakeGroup(db: Db, run: Run): Promise<void> {
  const { rowCount } = await db.orm.execute(sql`
    update ${runs} set due_at = ${db.now()} where id in (
      select id from ${runs} where concurrency_group = ${run.concurrencyGroup} and project_id = ${run.projectId}
        and when_busy = 'queue' and finished_at is null and started_at is null
      order by id for no key update skip locked)`);
  if (rowCount) await notify(db, 'runs');
}
