import { summarise, type HistoryEntry, type HistoryRun } from '../../core/schedule/history.ts';
import { nextTicks } from '../../core/schedule/ticks.ts';
import type { Db } from '../../db/connect.ts';
import { listHistory } from '../../db/schedule-history.ts';
import type { PlacedSchedule } from '../../db/schedule-list.ts';
import { latest, readNow } from '../../db/schedules.ts';
import { parkedAfter } from '../../db/schema/columns.ts';
import type { ScheduleShape } from './schedule-shapes.ts';

/** Decisions that are looked at to say how a schedule does. */
const lookedAt = 50;

export type ScheduleView = { readonly ticks: number; readonly events: number; readonly address: string };

/** Schedules with their next ticks, their last decisions and what these come to. */
export async function presentSchedules(
  db: Db,
  rows: readonly PlacedSchedule[],
  { ticks, events, address }: ScheduleView,
): Promise<ScheduleShape[]> {
  const most = Math.max(lookedAt, events);
  const [now, historyOf] = [await readNow(db), await listHistory(db, rows, most)];
  return rows.map((row) => {
    const entries = historyOf(row);
    const { failing, ...history } = summarise(entries, entries.length < most);
    return {
      name: row.name,
      project: row.project.name,
      projectId: row.projectId,
      repository: `${row.repository.owner}/${row.repository.name}`,
      task: row.task,
      schedule: row.cron,
      timezone: row.zone,
      catchup: row.catchup,
      overlap: row.overlap,
      line: row.line,
      ...stateOf(row),
      next: row.paused ? [] : nextOf(row, now, ticks),
      failing: failing && { ...failing, since: failing.since.toISOString() },
      ...history,
      last: lastOf(entries, events).map((entry) => presentEvent(entry, address)),
    };
  });
}

/** The newest ones, and the newest run where they have none: a schedule whose ticks are skipped has a run going on. */
function lastOf(entries: readonly HistoryEntry[], most: number): readonly HistoryEntry[] {
  const last = entries.slice(0, most);
  const ran = most === 0 || last.some(({ run }) => run !== null) ? undefined : entries.find(({ run }) => run);
  return ran === undefined ? last : [...last, ran];
}

function stateOf(row: PlacedSchedule): Pick<ScheduleShape, 'state' | 'since' | 'reason'> {
  if (row.paused)
    return { state: 'paused', since: row.pausedAt?.toISOString() ?? null, reason: 'A person paused it.' };
  if (row.failures >= parkedAfter) {
    const reason = `It failed ${row.failures} times and waits for \`ame release schedules ${row.id}\`: ${row.lastError ?? ''}`;
    return { state: 'held', since: null, reason };
  }
  if (row.heldReason !== null)
    return { state: 'held', since: row.heldSince?.toISOString() ?? null, reason: row.heldReason };
  return { state: 'active', since: null, reason: row.lastError };
}

function nextOf(row: PlacedSchedule, now: Date, count: number): string[] {
  return nextTicks(row.cron, row.zone, latest(now, row.lastTickAt), count).map((tick) => tick.toISOString());
}

function presentEvent(entry: HistoryEntry, address: string): ScheduleShape['last'][number] {
  const { tickAt, ticks, decidedAt, rule, message, run } = entry;
  return {
    tickAt: tickAt?.toISOString() ?? null,
    ticks,
    decidedAt: decidedAt.toISOString(),
    rule,
    message,
    run: run && {
      ...presentEnd(run, address),
      commit: run.commit,
      retry: run.retry && presentEnd(run.retry, address),
    },
  };
}

function presentEnd({ id, number, state, class: outcome }: HistoryRun, address: string) {
  return { id, number, state, class: outcome, url: `${address}/runs/${id}` };
}
