import { and, asc, eq, isNull, notInArray, sql } from 'drizzle-orm';
import type { RecurringTask } from '../core/project.ts';
import { nextTick } from '../core/schedule/ticks.ts';
import type { Db } from './connect.ts';
import { notify } from './due.ts';
import { schedules } from './schema/projects.ts';

export type Schedule = typeof schedules.$inferSelect;

/** Rows of one statement, which may have 65,535 values. */
const insertedAtOnce = 1_000;

/** The time of the database. */
export async function readNow(db: Db): Promise<Date> {
  const { rows } = await db.orm.execute<{ now: Date }>(sql`select ${db.now()} as now`);
  const [row] = rows;
  if (!row) throw new Error('the database did not say what time it is');
  return new Date(row.now);
}

/**
 * Makes the stored schedules those of the file: what it no longer names stops. One whose times stay keeps its next tick,
 * and one that a person paused stays paused, also where the file lost it and names it again. To be called where the
 * project's row is locked.
 */
export async function saveSchedules(
  db: Db,
  projectId: number,
  tasks: readonly RecurringTask[],
): Promise<void> {
  await removeOthers(
    db,
    projectId,
    tasks.map((task) => task.name),
  );
  if (tasks.length === 0) return;
  const [now, stored] = [await readNow(db), await listOfProject(db, projectId)];
  const known = new Map(stored.map((row) => [row.name, row]));
  const fresh: (typeof schedules.$inferInsert)[] = [];
  for (const task of tasks) {
    const said = {
      task: task.taskref.name,
      cron: task.schedule,
      zone: task.timezone,
      catchup: task.catchup,
      overlap: task.overlap,
      line: task.position.line,
    };
    const row = known.get(task.name);
    if (row === undefined) {
      const next = nextTick(said.cron, said.zone, now);
      fresh.push({ projectId, name: task.name, ...said, nextTickAt: next, dueAt: next });
      continue;
    }
    // Most pushes change none of them, and a file may have thousands.
    if (isSaid(row, said) && row.removedAt === null) continue;
    await db.orm
      .update(schedules)
      .set({ ...said, ...newTimes(row, said, now), removedAt: null })
      .where(eq(schedules.id, row.id));
  }
  for (let at = 0; at < fresh.length; at += insertedAtOnce)
    await db.orm.insert(schedules).values(fresh.slice(at, at + insertedAtOnce));
  await notify(db, 'schedules');
}

/** A pause outlives the schedule: a broken merge that is taken back, say, must not start again what a person stopped. */
async function removeOthers(db: Db, projectId: number, names: readonly string[]): Promise<void> {
  const others = and(
    eq(schedules.projectId, projectId),
    names.length === 0 ? undefined : notInArray(schedules.name, [...names]),
  );
  await db.orm.delete(schedules).where(and(others, eq(schedules.paused, false)));
  await db.orm
    .update(schedules)
    .set({ removedAt: db.now() })
    .where(and(others, isNull(schedules.removedAt)));
}

type Said = Pick<Schedule, 'task' | 'cron' | 'zone' | 'catchup' | 'overlap' | 'line'>;

function isSaid(row: Schedule, { task, cron, zone, catchup, overlap, line }: Said): boolean {
  return (
    row.task === task &&
    row.cron === cron &&
    row.zone === zone &&
    row.catchup === catchup &&
    row.overlap === overlap &&
    row.line === line
  );
}

/** When a schedule with other times ticks next. A tick that has come already keeps its place. */
function newTimes(
  row: Schedule,
  said: Pick<Schedule, 'cron' | 'zone'>,
  now: Date,
): Partial<Pick<Schedule, 'nextTickAt' | 'dueAt'>> {
  const isSame = row.cron === said.cron && row.zone === said.zone;
  if (row.paused || isSame || (row.nextTickAt !== null && row.nextTickAt <= now)) return {};
  const next = nextTick(said.cron, said.zone, latest(now, row.lastTickAt));
  return { nextTickAt: next, dueAt: next };
}

/** A tick that was decided never comes again, whatever the clock says now. */
export function latest(now: Date, lastTickAt: Date | null): Date {
  return lastTickAt !== null && lastTickAt > now ? lastTickAt : now;
}

async function listOfProject(db: Db, projectId: number): Promise<readonly Schedule[]> {
  return db.orm.select().from(schedules).where(eq(schedules.projectId, projectId)).orderBy(asc(schedules.id));
}

/** Lets a schedule tick no more until a person resumes it. False where it was paused before. */
export async function pauseSchedule(db: Db, id: number): Promise<boolean> {
  const { rowCount } = await db.orm
    .update(schedules)
    .set({
      paused: true,
      pausedAt: db.now(),
      nextTickAt: null,
      dueAt: null,
      claimedBy: null,
      claimedUntil: null,
      heldReason: null,
      heldSince: null,
    })
    .where(and(eq(schedules.id, id), eq(schedules.paused, false)));
  return rowCount === 1;
}

/** Lets it tick again, from its next time on. False where it was not paused. */
export async function resumeSchedule(db: Db, id: number): Promise<boolean> {
  const { rowCount } = await db.orm
    .update(schedules)
    .set({
      paused: false,
      pausedAt: null,
      nextTickAt: null,
      // Where the clock had jumped ahead and back, nothing would tick until then; a tick that ran has its run already.
      lastTickAt: sql`case when ${schedules.lastTickAt} > ${db.now()} then null else ${schedules.lastTickAt} end`,
      dueAt: db.now(),
      failures: 0,
      lastError: null,
    })
    .where(and(eq(schedules.id, id), eq(schedules.paused, true), isNull(schedules.removedAt)));
  await notify(db, 'schedules');
  return rowCount === 1;
}
