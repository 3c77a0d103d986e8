import { sql } from 'drizzle-orm';
import type { HistoryEntry, HistoryRun } from '../core/schedule/history.ts';
import type { OutcomeClass } from '../core/outcome/classes.ts';
import type { RunState } from '../core/run.ts';
import type { Db } from './connect.ts';

type Row = {
  project_id: string;
  schedule: string;
  tick_at: Date | null;
  ticks: number | null;
  decided_at: Date;
  rule: string;
  message: string;
  run_id: string | null;
  number: number;
  commit: string;
  state: RunState;
  class: OutcomeClass | null;
  created_at: Date;
  finished_at: Date | null;
  retry_id: string | null;
  retry_number: number;
  retry_state: RunState;
  retry_class: OutcomeClass | null;
  retry_finished_at: Date | null;
};

/** The last decisions about each of these schedules, newest first, at most `most` of each. */
export async function listHistory(
  db: Db,
  of: readonly { readonly projectId: number; readonly name: string }[],
  most: number,
): Promise<(schedule: { readonly projectId: number; readonly name: string }) => readonly HistoryEntry[]> {
  const wanted = of.map(({ projectId, name }) => ({ projectId, name }));
  const { rows } = await db.orm.execute<Row>(sql`
    select d.project_id, d.schedule, d.tick_at, d.ticks, d.decided_at, d.rule, d.message, d.run_id, r.number, r.commit,
      r.state, r.class, r.created_at, r.finished_at, again.id as retry_id, again.number as retry_number,
      again.state as retry_state, again.class as retry_class, again.finished_at as retry_finished_at
    from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as t ("projectId" bigint, name text)
    cross join lateral (
      select * from decisions where project_id = t."projectId" and schedule = t.name order by id desc limit ${most}) d
    left join runs r on r.id = d.run_id
    left join lateral (
      select id, number, state, class, finished_at from runs where retry_of = r.id and finished_at is not null
        and state <> 'cancelled' order by id desc limit 1) again on true
    order by d.id desc`);
  const entries = Map.groupBy(rows, (row) => `${row.project_id} ${row.schedule}`);
  return ({ projectId, name }) => (entries.get(`${projectId} ${name}`) ?? []).map(entryOf);
}

function entryOf(row: Row): HistoryEntry {
  const { tick_at: tickAt, finished_at: finishedAt } = row;
  return {
    tickAt: tickAt && new Date(tickAt),
    ticks: row.ticks,
    decidedAt: new Date(row.decided_at),
    rule: row.rule,
    message: row.message,
    run:
      row.run_id === null
        ? null
        : {
            id: Number(row.run_id),
            number: row.number,
            commit: row.commit,
            state: row.state,
            class: row.class,
            createdAt: new Date(row.created_at),
            finishedAt: finishedAt && new Date(finishedAt),
            retry: retryOf(row),
          },
  };
}

function retryOf(row: Row): HistoryRun | null {
  const { retry_id: id, retry_number: number, retry_state: state, retry_finished_at: finishedAt } = row;
  if (id === null) return null;
  return {
    id: Number(id),
    number,
    state,
    class: row.retry_class,
    finishedAt: finishedAt && new Date(finishedAt),
  };
}
