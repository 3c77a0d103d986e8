import { and, asc, eq, inArray, isNull, or, sql } from 'drizzle-orm';
import type { AttemptReport } from '../core/attempt.ts';
import type { Db } from './connect.ts';
import { storableJson } from './schema/columns.ts';
import { projects } from './schema/projects.ts';
import { attempts, runs } from './schema/runs.ts';
import { insertTransitions } from './transitions.ts';

export type Attempt = typeof attempts.$inferSelect;

/** All attempts of a run, by place in the plan and then by number. */
export async function listAttempts(db: Db, runId: number): Promise<readonly Attempt[]> {
  return db.orm
    .select()
    .from(attempts)
    .where(eq(attempts.runId, runId))
    .orderBy(asc(attempts.position), asc(attempts.number));
}

export async function findAttempt(db: Db, id: number): Promise<Attempt | undefined> {
  const [row] = await db.orm.select().from(attempts).where(eq(attempts.id, id));
  return row;
}

/** The repository of an attempt that has not ended; nothing of one that has. */
export async function findOpenRepository(db: Db, id: number): Promise<number | undefined> {
  const [row] = await db.orm
    .select({ repositoryId: projects.repositoryId })
    .from(attempts)
    .innerJoin(runs, eq(attempts.runId, runs.id))
    .innerJoin(projects, eq(runs.projectId, projects.id))
    .where(and(eq(attempts.id, id), isNull(attempts.finishedAt)));
  return row?.repositoryId;
}

/** All attempts of some tasks of a run, oldest first. */
export async function listAttemptsOf(
  db: Db,
  runId: number,
  tasks: readonly string[],
): Promise<readonly Attempt[]> {
  if (tasks.length === 0) return [];
  return db.orm
    .select()
    .from(attempts)
    .where(and(eq(attempts.runId, runId), inArray(attempts.task, [...tasks])))
    .orderBy(asc(attempts.number));
}

/** Attempts that are queued or running, and those that wait for a pause between two tries to pass. */
export async function listActiveAttempts(db: Db, runId: number): Promise<readonly Attempt[]> {
  return db.orm
    .select()
    .from(attempts)
    .where(
      and(
        eq(attempts.runId, runId),
        isNull(attempts.finishedAt),
        or(inArray(attempts.state, ['queued', 'running']), sql`${attempts.notBefore} is not null`),
      ),
    )
    .orderBy(asc(attempts.position));
}

/** The state of each task's last attempt, in the order of the plan. One short text however long the run. */
export async function listTaskStates(db: Db, runId: number): Promise<readonly Attempt['state'][]> {
  const { rows } = await db.orm.execute<{ states: string | null }>(sql`
    select string_agg(state, ',' order by position) as states from (
      select distinct on (position) position, state from attempts
      where run_id = ${runId} order by position, number desc) as last`);
  const text = rows[0]?.states ?? '';
  return text === '' ? [] : (text.split(',') as Attempt['state'][]);
}

/** What a step changes of an attempt; absent is unchanged. */
export type AttemptChange = Partial<Omit<Attempt, 'id' | 'runId' | 'task' | 'position' | 'number'>> & {
  readonly task: string;
  readonly position: number;
  readonly number: number;
  readonly state: Attempt['state'];
  /** What is noted beside a change of state. */
  readonly from: Attempt['state'];
  readonly cause: string;
};

/**
 * Saves changed attempts in one statement and notes each change of state. An attempt that is final stays as it
 * is. Answers with the rows as they are now.
 */
export async function saveAttempts(
  db: Db,
  runId: number,
  changes: readonly AttemptChange[],
): Promise<readonly Attempt[]> {
  if (changes.length === 0) return [];
  const saved: Attempt[] = [];
  for (const group of sameShape(changes)) {
    const rows = await saveSameShape(db, runId, group);
    saved.push(...rows);
  }
  const ids = new Map(saved.map((row) => [`${row.position}/${row.number}`, row.id]));
  const noted = changes.filter(
    (change) => change.from !== change.state && ids.has(`${change.position}/${change.number}`),
  );
  await insertTransitions(
    db,
    noted.map((change) => ({
      runId,
      attemptId: ids.get(`${change.position}/${change.number}`) ?? null,
      from: change.from,
      to: change.state,
      cause: change.cause,
    })),
  );
  // Who follows the log of one that is over learns that nothing more will come.
  const over = saved.filter((row) => row.finishedAt !== null && row.startedAt !== null).map((row) => row.id);
  if (over.length > 0) {
    await db.orm.execute(
      sql`select pg_notify('ame', 'log:' || id) from unnest(${sql.param(over)}::bigint[]) as id`,
    );
  }
  return saved;
}

const changeable = {
  state: 'text',
  class: 'text',
  reason: 'text',
  exitCode: 'int',
  signal: 'text',
  host: 'text',
  resources: 'jsonb',
  peakMemoryBytes: 'bigint',
  cpuSeconds: 'real',
  pendingWhy: 'text',
  seenAt: 'timestamptz',
  notBefore: 'timestamptz',
  stopReason: 'text',
  readyAt: 'timestamptz',
  queuedAt: 'timestamptz',
  preparedFrom: 'timestamptz',
  startedAt: 'timestamptz',
  endedAt: 'timestamptz',
  storedAt: 'timestamptz',
  finishedAt: 'timestamptz',
  output: 'text',
  lastWords: 'jsonb',
} as const;
type Changeable = keyof typeof changeable;

function changedColumns(change: AttemptChange): readonly Changeable[] {
  return (Object.keys(changeable) as Changeable[]).filter((column) => change[column] !== undefined);
}

function sameShape(changes: readonly AttemptChange[]): readonly (readonly AttemptChange[])[] {
  return [...Map.groupBy(changes, (change) => changedColumns(change).join()).values()];
}

async function saveSameShape(
  db: Db,
  runId: number,
  changes: readonly AttemptChange[],
): Promise<readonly Attempt[]> {
  const [first] = changes;
  if (!first) return [];
  const columns = changedColumns(first);
  const sets = columns.map(
    (column) => sql`${sql.identifier(attempts[column].name)} = c.${sql.identifier(column)}`,
  );
  const types = columns.map((column) => sql`${sql.identifier(column)} ${sql.raw(changeable[column])}`);
  const { rows } = await db.orm.execute<{ id: string }>(sql`
    update attempts as a set ${sql.join(sets, sql`, `)}
    from jsonb_to_recordset(${storableJson(changes)}::jsonb)
      as c (position int, number int, ${sql.join(types, sql`, `)})
    where a.run_id = ${runId} and a.position = c.position and a.number = c.number and a.finished_at is null
    returning a.id::text`);
  return db.orm
    .select()
    .from(attempts)
    .where(
      inArray(
        attempts.id,
        rows.map((row) => Number(row.id)),
      ),
    );
}

/** Why attempts of a run that are to be started are not, where nobody can look at them. */
export async function savePendingWhy(db: Db, runId: number, why: string): Promise<void> {
  await db.orm
    .update(attempts)
    .set({ pendingWhy: why })
    .where(
      and(
        eq(attempts.runId, runId),
        eq(attempts.state, 'queued'),
        sql`${attempts.pendingWhy} is distinct from ${why}`,
      ),
    );
}

/** A further try of a task, waiting for its pause to pass. */
export async function insertRetries(
  db: Db,
  runId: number,
  rows: readonly {
    readonly task: string;
    readonly position: number;
    readonly number: number;
    readonly notBefore: Date;
    readonly resources: Attempt['resources'];
  }[],
): Promise<void> {
  if (rows.length === 0) return;
  await db.orm
    .insert(attempts)
    .values(
      rows.map(({ task, position, number, notBefore, resources }) => ({
        task,
        position,
        number,
        notBefore,
        resources,
        runId,
        state: 'waiting' as const,
        createdAt: db.now(),
      })),
    )
    .onConflictDoNothing();
}

/** The agent's word that the command runs. False where the attempt has ended. */
export async function saveSaidStarted(db: Db, attemptId: number, at: Date): Promise<boolean> {
  return sayOnce(
    db,
    attemptId,
    sql`said_started_at = coalesce(said_started_at, ${at.toISOString()}::timestamptz)`,
  );
}

/** The agent's word that it is over. Said twice it counts once; false where the attempt has ended without it. */
export async function saveReport(db: Db, attemptId: number, report: AttemptReport): Promise<boolean> {
  return sayOnce(db, attemptId, sql`report = coalesce(report, ${storableJson(report)}::jsonb)`);
}

async function sayOnce(db: Db, attemptId: number, change: ReturnType<typeof sql>): Promise<boolean> {
  // One statement: a command waits for it, and each commit of its own would wait for the disk.
  const { rowCount } = await db.orm.execute(sql`
    with said as (
      update attempts set ${change} where id = ${attemptId} and finished_at is null returning run_id),
    woken as (
      update runs set due_at = ${db.now()} from said where runs.id = said.run_id returning runs.id)
    select pg_notify('ame', 'runs') from woken`);
  return rowCount === 1;
}

/** The agent's word as it was said: JSON has no times. */
export function readReport(attempt: Pick<Attempt, 'report'>): AttemptReport | null {
  const { report } = attempt;
  if (report === null) return null;
  const time = (value: Date | string | null): Date | null => (value === null ? null : new Date(value));
  const { preparedFrom, startedAt, endedAt, storedAt } = report.phases;
  return {
    ...report,
    phases: {
      preparedFrom: time(preparedFrom),
      startedAt: time(startedAt),
      endedAt: time(endedAt),
      storedAt: time(storedAt),
    },
  };
}
