import { listAttempts, saveAttempts } from '../../src/db/attempts.ts';
import { saveCheck } from '../../src/db/checks.ts';
import { connect, inTransaction, type Connection } from '../../src/db/connect.ts';
import { claim, release } from '../../src/db/due.ts';
import { upsertProject } from '../../src/db/projects.ts';
import { insertLocalRepository } from '../../src/db/repositories.ts';
import { insertRun, type NewRun } from '../../src/db/insert-run.ts';
import { findRun, saveRun, type PlacedRun, type Run } from '../../src/db/runs.ts';
import { runCheckOf } from '../../src/run-check.ts';
import { planDigest, planTask, type Plan } from '../../src/core/plan.ts';
import { command, pipeline, projectOf } from '../core/project-builder.ts';
import { createTestDatabase } from '../database.ts';
import { emptyTables } from '../empty-database.ts';

/** A clock that stands still until a test moves it. */
export type Clock = { now: Date; forward(seconds: number): void };

export type Connected = AsyncDisposable & {
  readonly url: string;
  readonly db: Connection;
  readonly clock: Clock;
  /** As it was at first, clock and rows; making another database takes many times as long. */
  empty(): Promise<void>;
  close(): Promise<void>;
};

const noon = new Date('2026-05-01T12:00:00Z');

/** A connection to a database of the test's own whose time the test moves. */
export async function connectTestDatabase(): Promise<Connected> {
  const database = await createTestDatabase();
  const clock: Clock = {
    now: noon,
    forward(seconds) {
      clock.now = new Date(clock.now.getTime() + seconds * 1_000);
    },
  };
  const db = connect({ url: database.url, clock: () => clock.now });
  const close = async (): Promise<void> => {
    await db.close();
    await database.drop();
  };
  const empty = async (): Promise<void> => {
    clock.now = noon;
    await emptyTables(db.pool);
  };
  return { url: database.url, db, clock, empty, close, [Symbol.asyncDispose]: close };
}

export type Home = { readonly repositoryId: number; readonly projectId: number };

/** A repository with a project. */
export async function storeProject(connected: Pick<Connected, 'db'>, name = 'spam'): Promise<Home> {
  const repository = await insertLocalRepository(connected.db, { owner: 'ada', name });
  const project = await upsertProject(connected.db, { repositoryId: repository.id, path: '', name }, true);
  return { repositoryId: repository.id, projectId: project.id };
}

/** A plan of tasks one after the other. */
export function planOf(...names: readonly string[]): Plan {
  return planTask(
    projectOf([
      pipeline(
        'main',
        names.map((name) => command(name)),
      ),
    ]),
    'main',
  ).plan;
}

let runs = 0;

/** A run that was pushed, with whatever a test cares about changed. */
export async function storeRun(
  { db }: Pick<Connected, 'db'>,
  home: Home,
  change: Partial<NewRun> = {},
): Promise<Run> {
  runs += 1;
  const plan = change.plan ?? planOf('prepare', 'train');
  const { run } = await insertRun(db, {
    projectId: home.projectId,
    task: 'main',
    commit: 'c0ffee00'.repeat(5),
    ref: 'refs/heads/main',
    trigger: 'push',
    causeKey: `test:${runs}`,
    trust: 'trusted',
    plan,
    planDigest: planDigest(plan),
    concurrencyGroup: 'main refs/heads/main',
    whenBusy: 'allow',
    ...change,
  });
  return run;
}

/** The run and all its attempts end like this, and its commit is told so. */
export async function endRun(
  { db }: Pick<Connected, 'db'>,
  id: number,
  state: 'succeeded' | 'failed',
): Promise<PlacedRun> {
  const run = await findRun(db, id);
  const claims = await claim(db, 'runs', { worker: 1, limit: 1_000, leaseSeconds: 60 });
  const held = claims.find((one) => one.id === id);
  if (!run || !held) throw new Error(`run ${id} is not due`);
  for (const other of claims) if (other !== held) await release(db, other, 0);
  const ending = state === 'succeeded' ? 'succeeded' : 'exit';
  const finishedAt = held.now;
  const change = { state, class: ending, reason: `It ${state}.`, finishedAt } as const;
  await inTransaction(db, async (tx) => {
    const attempts = await listAttempts(tx, id);
    const open = attempts.filter((attempt) => attempt.finishedAt === null);
    await saveAttempts(
      tx,
      id,
      open.map(({ task, position, number, state: from }) => ({
        task,
        position,
        number,
        from,
        cause: 'test',
        ...change,
      })),
    );
    const ended = { ...run, ...change, startedAt: held.now };
    const says = await runCheckOf(tx, ended, `http://127.0.0.1/runs/${id}`);
    await saveCheck(tx, { repositoryId: run.repository.id, sha: run.commit, runId: id, says });
    await saveRun(tx, held, run, { ...change, startedAt: held.now }, null);
  });
  return (await findRun(db, id)) ?? run;
}
