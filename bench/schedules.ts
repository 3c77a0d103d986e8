import { sql } from 'drizzle-orm';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseProjectFile } from '../src/core/project-file.ts';
import { insertRevision, saveCurrentRevision, upsertProject } from '../src/db/projects.ts';
import { findRepository, insertLocalRepository, saveHead } from '../src/db/repositories.ts';
import { saveSchedules } from '../src/db/schedules.ts';
import { connect, type Connection } from '../src/db/connect.ts';
import { startEmbeddedPostgres } from '../src/db/embedded.ts';
import { migrate } from '../src/db/migrate.ts';
import { postponeTicks } from '../src/db/ticks.ts';
import { openWorkerSession } from '../src/db/worker.ts';
import { repositoryDirectory } from '../src/git/host.ts';
import { briefError, createLog } from '../src/log.ts';
import { createLoop, type Loop } from '../src/worker/loop.ts';
import { tickSchedules } from '../src/worker/schedules.ts';
import { createLooks } from '../src/worker/tick-commits.ts';
import { together } from '../src/worker/tick-together.ts';
import { createStoppedClock, type Clock } from '../test/journeys/clock.ts';
import { percentile, type Figures } from './figures.ts';

const projects = 1_000;
const schedulesEach = 10;
const commit = 'c'.repeat(40);
const singles = 100;

/**
 * Ten thousand schedules of one replica, all on the same minute: seconds from the tick to the last of their runs being
 * stored, and the memory after some such minutes. Then what one tick costs, after a thousand and after a million runs.
 */
export async function benchSchedules(): Promise<Figures> {
  const clock = createStoppedClock();
  await using ame = await openBench(clock);
  await fill(ame);
  clock.advance(60 - ((clock.now().getTime() / 1_000) % 60));
  const minutes: number[] = [];
  const memory: number[] = [];
  for (let minute = 0; minute < 8; minute += 1) {
    const from = performance.now();
    while ((await ame.loop.once()) > 0);
    minutes.push((performance.now() - from) / 1_000);
    memory.push(liveMegabytes());
    await endRuns(ame);
    clock.advance(60);
  }
  const { rows } = await ame.db.orm.execute<{ count: number }>(sql`select count(*)::int as count from runs`);
  await keepOne(ame);
  const few = await tickOften(ame, clock, 1_000);
  const many = await tickOften(ame, clock, 1_000_000);
  const figures = {
    schedules: projects * schedulesEach,
    runs: rows[0]?.count ?? 0,
    secondsMost: round(Math.max(...minutes)),
    liveMegabytesFirst: memory[0] ?? 0,
    liveMegabytesLast: memory.at(-1) ?? 0,
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1_024),
    tickMsAt1e3: round(few),
    tickMsAt1e6: round(many),
    growthPercent: Math.round((many / few - 1) * 100),
  };
  return {
    name: 'schedules',
    figures,
    aims: { secondsMost: '<= 10', growthPercent: '<= 10' },
    met: figures.secondsMost <= 10 && figures.growthPercent <= 10,
  };
}

type Bench = AsyncDisposable & {
  readonly db: Connection;
  readonly loop: Loop;
  readonly directoryOf: (repository: { readonly id: number }) => string;
};

/** The embedded Postgres and the loop of the schedules, and nothing that runs what they make. */
async function openBench(clock: Clock): Promise<Bench> {
  await using undo = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const log = createLog('error');
  const postgres = await startEmbeddedPostgres({ directory, log });
  undo.defer(() => postgres.stop());
  await migrate(postgres.url);
  const db = connect({ url: postgres.url, clock: () => clock.now(), answerMs: 600_000 });
  undo.defer(() => db.close());
  const session = await openWorkerSession(postgres.url, null);
  undo.defer(() => session.close());
  const directoryOf = ({ id }: { readonly id: number }): string => repositoryDirectory(directory, id);
  const github = { current: () => Promise.resolve(null) };
  const looks = createLooks();
  const loop = createLoop({
    queue: 'schedules',
    db,
    log,
    concurrency: 500,
    leaseSeconds: 60,
    worker: () => session.worker,
    step: together(
      (claims, end) => tickSchedules({ db, log, github, directoryOf, looks }, claims, end),
      (claims, error) => postponeTicks(db, claims, briefError(error)),
    ),
  });
  const owned = undo.move();
  return { db, loop, directoryOf, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function fill(ame: Bench): Promise<void> {
  const { db, directoryOf } = ame;
  const tasks = Array.from({ length: schedulesEach }, (_, at) => `  t${at}: "true"\n`).join('');
  const ticks = Array.from(
    { length: schedulesEach },
    (_, at) => `  s${at}: {taskref: t${at}, schedule: "* * * * *", overlap: allow}\n`,
  ).join('');
  for (let at = 0; at < projects; at += 1) {
    const name = `p${at}`;
    const file = `projectname: ${name}\ntasks:\n${tasks}recurring_tasks:\n${ticks}`;
    const { project, problems } = parseProjectFile(Buffer.from(file));
    if (!project) throw new Error('the file of the benchmark is wrong');
    const { id } = await insertLocalRepository(db, { owner: 'bench', name });
    await db.orm.execute(
      sql`update repositories set default_branch = 'main', due_at = null where id = ${id}`,
    );
    const repository = await findRepository(db, id);
    if (!repository) throw new Error('the repository was stored');
    await mkdir(directoryOf(repository), { recursive: true });
    await writeFile(`${directoryOf(repository)}/HEAD`, 'ref: refs/heads/main\n');
    await saveHead(db, id, 'refs/heads/main', commit);
    const row = await upsertProject(db, { repositoryId: id, path: '', name }, true);
    const revision = await insertRevision(db, {
      projectId: row.id,
      commit,
      fileDigest: commit,
      project,
      problems,
    });
    await saveCurrentRevision(db, row.id, revision.id);
    await saveSchedules(db, row.id, project.recurringTasks);
  }
}

/** As if they had all succeeded. Their checks are of no account here, so that they stay due in a far year. */
async function endRuns({ db }: Bench): Promise<void> {
  await db.orm
    .execute(sql`update attempts set state = 'succeeded', class = 'succeeded', finished_at = ${db.now()}
    where finished_at is null`);
  await db.orm
    .execute(sql`update runs set state = 'succeeded', class = 'succeeded', finished_at = ${db.now()},
    started_at = ${db.now()}, due_at = '2100-01-01' where finished_at is null`);
}

async function keepOne({ db }: Bench): Promise<void> {
  await db.orm.execute(sql`delete from schedules where id <> (select min(id) from schedules)`);
}

/** What one tick takes in milliseconds, once its schedule has had so many runs: the median of many. */
async function tickOften(ame: Bench, clock: Clock, past: number): Promise<number> {
  const { db } = ame;
  await db.orm.execute(sql`
    with made as (
      insert into runs (project_id, number, task, commit, ref, trigger, cause_key, trust, plan, plan_digest, concurrency_group,
        when_busy, state, class, created_at, started_at, finished_at, due_at)
      select s.project_id, p.last_number + n, s.task, ${commit}, 'refs/heads/main', 'tick', 'past:' || ${past}::text || ':' || n,
        'trusted', '{}', '', 'schedule:' || s.project_id || ':' || s.name, 'allow', 'succeeded', 'succeeded', now(), now(), now(),
        '2100-01-01'
      from schedules s join projects p on p.id = s.project_id, generate_series(1, ${past}) n
      returning id, project_id, task)
    insert into decisions (project_id, trigger, schedule, tick_at, ticks, task, outcome, rule, message, run_id, decided_at)
    select made.project_id, 'tick', s.name, now(), 1, made.task, 'run', 'tick', '', made.id, now()
    from made join schedules s on s.project_id = made.project_id`);
  await db.orm.execute(sql`update projects set last_number = last_number + ${past}`);
  await db.orm.execute(sql`vacuum analyze`);
  await db.orm.execute(sql`checkpoint`);
  const times: number[] = [];
  for (let at = 0; at < singles; at += 1) {
    clock.advance(60);
    const from = performance.now();
    while ((await ame.loop.once()) > 0);
    times.push(performance.now() - from);
    await endRuns(ame);
  }
  return percentile(times.slice(10), 0.5);
}

/** What is still in use once everything else was collected: what the process was lent besides says nothing of a leak. */
function liveMegabytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  const { heapUsed, external } = process.memoryUsage();
  return Math.round((heapUsed + external) / 104_857.6) / 10;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
