import type { LogChunk } from '../../src/core/attempt.ts';
import type { OutcomeClass } from '../../src/core/outcome/classes.ts';
import type { Plan, PlannedTask } from '../../src/core/plan.ts';
import type { RunState } from '../../src/core/run.ts';
import { listAttempts, saveAttempts, type Attempt, type AttemptChange } from '../../src/db/attempts.ts';
import { inTransaction, type Db } from '../../src/db/connect.ts';
import { claim } from '../../src/db/due.ts';
import { insertLogChunk } from '../../src/db/logs.ts';
import { upsertProject } from '../../src/db/projects.ts';
import { insertLocalRepository } from '../../src/db/repositories.ts';
import { insertRun, type NewRun } from '../../src/db/insert-run.ts';
import { saveRun, type Run } from '../../src/db/runs.ts';

/** Rows for pages, made by the functions that the server makes them with. */

export const sha = 'c0ffee'.padEnd(40, '0');

export function planned(name: string): PlannedTask {
  return {
    name,
    script: 'true',
    env: [],
    secrets: [],
    resources: { cpu: null, memory: null, storage: null, gpus: null, vram: null },
    image: null,
    timeout: { run: 60, queue: null },
    retries: { max: 0, on: [], backoff: 10 },
    artifacts: null,
    needs: [],
    gates: [],
  };
}

let made = 0;

export type MadeRun = {
  readonly run: Run;
  readonly repositoryId: number;
  readonly attempts: readonly Attempt[];
};

/** A run in a repository of its own, with these tasks. */
export async function makeRun(
  db: Db,
  given: Partial<NewRun> & {
    readonly tasks?: readonly string[];
    readonly project?: string;
    readonly repository?: string;
  } = {},
): Promise<MadeRun> {
  made += 1;
  const { tasks = ['main'], project: projectName = 'spam', repository: repositoryName, ...columns } = given;
  const repository = await insertLocalRepository(db, {
    owner: 'ada',
    name: repositoryName ?? `spam-${made}`,
  });
  const project = await upsertProject(db, { repositoryId: repository.id, path: '', name: projectName }, true);
  const task = given.task ?? 'main';
  const plan: Plan = { project: projectName, task, tasks: tasks.map(planned), deadlines: [] };
  const { run } = await inTransaction(db, (tx) =>
    insertRun(tx, {
      projectId: project.id,
      task,
      commit: sha,
      ref: 'refs/heads/main',
      trigger: 'push',
      causeKey: `test:${made}`,
      trust: 'trusted',
      plan,
      planDigest: 'd'.repeat(64),
      concurrencyGroup: `test:${made}`,
      whenBusy: 'allow',
      ...columns,
    }),
  );
  return { run, repositoryId: repository.id, attempts: await listAttempts(db, run.id) };
}

/** Changes the attempt of one task. */
export async function changeAttempt(
  db: Db,
  attempt: Attempt | undefined,
  change: Partial<AttemptChange> & Pick<AttemptChange, 'state'>,
): Promise<Attempt> {
  if (!attempt) throw new Error('there is no such attempt');
  const { task, position, number, state: from, runId } = attempt;
  const [saved] = await saveAttempts(db, runId, [
    { cause: 'a test', task, position, number, from, ...change },
  ]);
  if (!saved) throw new Error(`attempt ${attempt.id} was not saved`);
  return saved;
}

/** Saves the state of a run as its loop does. */
export async function changeRun(
  db: Db,
  run: Run,
  change: { readonly state: RunState; readonly class?: OutcomeClass; readonly reason?: string },
): Promise<void> {
  const claims = await claim(db, 'runs', { worker: 1, limit: 1_000, leaseSeconds: 60 });
  const own = claims.find(({ id }) => id === run.id);
  if (!own) throw new Error(`run ${run.id} is not due`);
  const final = change.state !== 'queued' && change.state !== 'running';
  await saveRun(
    db,
    own,
    run,
    {
      class: null,
      reason: null,
      startedAt: change.state === 'queued' ? null : new Date(),
      finishedAt: final ? new Date() : null,
      ...change,
    },
    3_600,
  );
}

/** One chunk of a log: text of stdout (1), stderr (2) or AME itself (0), a line each. */
export async function sayLines(
  db: Db,
  attempt: Attempt,
  lines: readonly (readonly [0 | 1 | 2, string])[],
  place: Pick<LogChunk, 'seq' | 'firstLine' | 'offset'> = { seq: 0, firstLine: 0, offset: 0 },
): Promise<number> {
  const parts = lines.map(([stream, text]) => [stream, Buffer.from(`${text}\n`)] as const);
  const bytes = Buffer.concat(parts.map(([, line]) => line));
  const at = Date.now();
  await insertLogChunk(db, attempt.id, {
    ...place,
    bytes,
    lines: parts.map(([stream, line]) => [stream, at, line.byteLength]),
  });
  return bytes.byteLength;
}
