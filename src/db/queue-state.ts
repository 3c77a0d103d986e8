import { sql } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { queues, type Queue } from './due.ts';
import { parkedAfter } from './schema/columns.ts';

export type QueueState = {
  readonly queue: Queue;
  /** Rows that are due and wait for a worker. */
  readonly due: number;
  /** Seconds that the one that is due for longest has waited; 0 where none is. */
  readonly oldestSeconds: number;
  /** Rows in work. */
  readonly claimed: number;
  /** Rows that only a person releases. */
  readonly parked: number;
};

/** What waits in each queue, from its index of due rows: however long the history, only what is open is read. */
export async function readQueueStates(db: Db): Promise<readonly QueueState[]> {
  const parked = sql.raw(`failures >= ${parkedAfter}`);
  const parts = Object.keys(queues).map((queue) => {
    const waits = sql`due_at <= ${db.now()} and not (${parked})`;
    return sql`select ${queue} as queue, count(*) filter (where ${waits})::int as due,
        coalesce(extract(epoch from ${db.now()} - min(due_at) filter (where ${waits})), 0)::float8 as "oldestSeconds",
        count(*) filter (where claimed_by is not null)::int as claimed,
        count(*) filter (where ${parked})::int as parked
      from ${sql.identifier(queue)} where due_at is not null`;
  });
  const { rows } = await db.orm.execute<QueueState>(sql.join(parts, sql` union all `));
  return rows;
}

export type OpenCount = {
  readonly kind: 'run' | 'attempt';
  readonly state: string;
  readonly count: number;
};

/** How many runs and attempts are not over, by state. */
export async function countOpen(db: Db): Promise<readonly OpenCount[]> {
  const { rows } = await db.orm.execute<OpenCount>(sql`
    select 'run' as kind, state, count(*)::int as count from runs where finished_at is null group by state
    union all
    select 'attempt', state, count(*)::int from attempts where finished_at is null group by state`);
  return rows;
}
