import { eq, sql } from 'drizzle-orm';
import type { Plan } from '../core/plan.ts';
import type { Attempt } from './attempts.ts';
import type { Db } from './connect.ts';
import { notify } from './due.ts';
import { findRunByCause, type Run } from './runs.ts';
import { projects } from './schema/projects.ts';
import { attempts, runs } from './schema/runs.ts';

export type NewRun = {
  readonly projectId: number;
  readonly task: string;
  readonly commit: string;
  readonly ref: string;
  readonly trigger: Run['trigger'];
  readonly causeKey: string;
  readonly retryOf?: number;
  readonly deliveryId?: string;
  readonly requestedBy?: string;
  readonly trust: Run['trust'];
  readonly plan: Plan;
  readonly planDigest: string;
  readonly concurrencyGroup: string;
  readonly whenBusy: Run['whenBusy'];
  /** Born superseded: a newer commit stands where this one was pushed. */
  readonly superseded?: string;
  /** Succeeded attempts of the retried run, by task: taken over and not run again. */
  readonly reused?: ReadonlyMap<string, Attempt>;
};

/**
 * Stores a run and an attempt for each of its tasks, or finds the run that has the same cause. To be called
 * in a transaction: the row of the project is locked, so that numbers have no gaps and causes no race.
 */
export async function insertRun(
  db: Db,
  row: NewRun,
): Promise<{ readonly run: Run; readonly created: boolean }> {
  await db.orm.select({ id: projects.id }).from(projects).where(eq(projects.id, row.projectId)).for('update');
  const known = await findRunByCause(db, row.projectId, row.causeKey);
  if (known) return { run: known, created: false };
  const [project] = await db.orm
    .update(projects)
    .set({ lastNumber: sql`${projects.lastNumber} + 1` })
    .where(eq(projects.id, row.projectId))
    .returning({ number: projects.lastNumber });
  if (!project) throw new Error(`there is no project ${row.projectId}`);
  const { superseded, reused, retryOf, deliveryId, requestedBy, ...columns } = row;
  const [run] = await db.orm
    .insert(runs)
    .values({
      ...columns,
      number: project.number,
      retryOf: retryOf ?? null,
      deliveryId: deliveryId ?? null,
      requestedBy: requestedBy ?? null,
      state: 'queued',
      cancelRequestedAt: superseded === undefined ? null : db.now(),
      cancelReason: superseded === undefined ? null : 'superseded',
      cancelCause: superseded ?? null,
      createdAt: db.now(),
      dueAt: db.now(),
    })
    .returning();
  if (!run) throw new Error('a run could not be stored');
  await insertFirstAttempts(db, run, reused ?? new Map());
  await notify(db, 'runs');
  return { run, created: true };
}

async function insertFirstAttempts(db: Db, run: Run, reused: ReadonlyMap<string, Attempt>): Promise<void> {
  const fresh = run.plan.tasks.flatMap(({ name }, position) =>
    reused.has(name) ? [] : [{ task: name, position }],
  );
  await db.orm.execute(sql`
    insert into attempts (run_id, task, position, number, state, created_at)
    select ${run.id}, task, position, 1, 'waiting', ${db.now()}
    from jsonb_to_recordset(${JSON.stringify(fresh)}::jsonb) as t (task text, position int)`);
  const taken = run.plan.tasks.flatMap(({ name }, position) => {
    const earlier = reused.get(name);
    return earlier ? [{ ...earlier, position }] : [];
  });
  if (taken.length === 0) return;
  await db.orm.insert(attempts).values(
    taken.map(({ id, report: _report, ...earlier }) => ({
      ...earlier,
      runId: run.id,
      number: 1,
      createdAt: db.now(),
      finishedAt: db.now(),
      reusedFrom: earlier.reusedFrom ?? id,
    })),
  );
}
