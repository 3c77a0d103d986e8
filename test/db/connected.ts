import { connect, type Connection } from '../../src/db/connect.ts';
import { upsertProject } from '../../src/db/projects.ts';
import { insertLocalRepository } from '../../src/db/repositories.ts';
import { insertRun, type NewRun, type Run } from '../../src/db/runs.ts';
import { planDigest, planTask, type Plan } from '../../src/core/plan.ts';
import { command, pipeline, projectOf } from '../core/project-builder.ts';
import { createTestDatabase } from '../database.ts';

/** A clock that stands still until a test moves it. */
export type Clock = { now: Date; forward(seconds: number): void };

export type Connected = AsyncDisposable & {
  readonly url: string;
  readonly db: Connection;
  readonly clock: Clock;
  close(): Promise<void>;
};

/** A connection to a database of the test's own whose time the test moves. */
export async function connectTestDatabase(): Promise<Connected> {
  const database = await createTestDatabase();
  const clock: Clock = {
    now: new Date('2026-05-01T12:00:00Z'),
    forward(seconds) {
      clock.now = new Date(clock.now.getTime() + seconds * 1_000);
    },
  };
  const db = connect({ url: database.url, clock: () => clock.now });
  const close = async (): Promise<void> => {
    await db.close();
    await database.drop();
  };
  return { url: database.url, db, clock, close, [Symbol.asyncDispose]: close };
}

export type Home = { readonly repositoryId: number; readonly projectId: number };

/** A repository with a project. */
export async function storeProject(connected: Pick<Connected, 'db'>, name = 'spam'): Promise<Home> {
  const repository = await insertLocalRepository(connected.db, { owner: 'ada', name });
  const project = await upsertProject(connected.db, { repositoryId: repository.id, path: '', name });
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
