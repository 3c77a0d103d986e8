import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Pool } from 'pg';
import { startChildServer, type ChildServer } from '../test/journeys/child-server.ts';
import type { BenchOptions, Figures, Peers } from './figures.ts';
import { beside } from './peers/beside.ts';
import { makeKnown, measureMake } from './peers/make.ts';
import { measureMetaflow, metaflowKnown } from './peers/metaflow.ts';
import { measureSnakemake, snakemakeKnown } from './peers/snakemake.ts';

const run = promisify(execFile);

/** Tasks of a run at once; so many for the peers too. */
const slots = 4;

/** One run of many tasks that do nothing: tasks a second, each state of each stored. */
export async function benchFanOut({ peers, short }: BenchOptions): Promise<Figures> {
  const hundreds = short ? 1 : 10;
  const ame = await measureAme(hundreds);
  return peers ? { ...ame, peers: await measurePeers(100 * hundreds) } : ame;
}

/** Metaflow takes a third of a second for each task, so that a tenth of them is enough. */
async function measurePeers(tasks: number): Promise<Peers> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  try {
    return {
      ...(await beside(() => measureMake(directory, tasks, slots), makeKnown)),
      ...(await beside(() => measureSnakemake(directory, tasks, slots), snakemakeKnown)),
      ...(await beside(() => measureMetaflow(directory, tasks / 10, slots), metaflowKnown)),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measureAme(hundreds: number): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  const server = await startChildServer(join(directory, 'data'), { AME_LOCAL_SLOTS: String(slots) });
  try {
    await timeRun(server, join(directory, 'warm'), 1);
    const few = await timeRun(server, join(directory, 'few'), hundreds);
    const many = await timeRun(server, join(directory, 'many'), 10 * hundreds);
    const figures = {
      tasksPerSecond: Math.round((100 * hundreds) / few),
      tasksPerSecondOf10000: Math.round((1_000 * hundreds) / many),
    };
    return {
      name: 'fan-out',
      figures,
      aims: { tasksPerSecond: '>= 200', tasksPerSecondOf10000: '>= tasksPerSecond' },
      met: figures.tasksPerSecond >= 200 && figures.tasksPerSecondOf10000 >= figures.tasksPerSecond,
    };
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Seconds from the run's start to its end, by its own rows. It has a hundred tasks for each of `hundreds`. */
async function timeRun(server: ChildServer, clone: string, hundreds: number): Promise<number> {
  const entries = (count: number, task: string): string =>
    Array.from({ length: count }, (_, at) => `      n${at}: {taskref: ${task}, needs: []}`).join('\n');
  const file = [
    'projectname: fan',
    'on: push',
    'tasks:',
    '  one: "true"',
    `  hundred:\n    pipeline:\n${entries(100, 'one')}`,
    `  main:\n    pipeline:\n${entries(hundreds, 'hundred')}`,
  ].join('\n');
  const git = (...args: string[]): Promise<unknown> =>
    run('git', ['-C', clone, '-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args]);
  await run('git', ['init', '--quiet', '--initial-branch=main', clone]);
  await writeFile(join(clone, 'ame.yaml'), `${file}\n`);
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'fan out');
  await git('push', '--quiet', server.cloneUrl('bench', basename(clone)), 'main');
  const pool = new Pool({ connectionString: server.databaseUrl, max: 1 });
  try {
    for (;;) {
      const { rows } = await pool.query<{ state: string; seconds: number | null }>(
        'select state, extract(epoch from finished_at - started_at)::float8 as seconds from runs order by id desc limit 1',
      );
      const [last] = rows;
      if (last && last.seconds !== null) {
        if (last.state !== 'succeeded') throw new Error(`the run is ${last.state}`);
        return last.seconds;
      }
      await sleep(250);
    }
  } finally {
    await pool.end();
  }
}
