import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Pool } from 'pg';
import { startChildServer, type ChildServer } from '../test/journeys/child-server.ts';
import type { Figures } from './figures.ts';

const run = promisify(execFile);

/** One run of many tasks that do nothing: tasks a second, each state of each stored; beside make on the same machine. */
export async function benchFanOut(): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  const server = await startChildServer(join(directory, 'data'), { AME_LOCAL_SLOTS: '4' });
  try {
    await timeRun(server, join(directory, 'warm'), 1);
    const thousand = await timeRun(server, join(directory, 'thousand'), 10);
    const tenThousand = await timeRun(server, join(directory, 'ten-thousand'), 100);
    const make = await timeMake(directory, 1_000);
    const figures = {
      tasksPerSecond: Math.round(1_000 / thousand),
      tasksPerSecondOf10000: Math.round(10_000 / tenThousand),
      makePerSecond: Math.round(1_000 / make),
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
  await git('push', '--quiet', server.cloneUrl('bench', `fan-${hundreds}`), 'main');
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

/** Seconds that make takes for as many shells that do nothing, four at once; it stores no state. */
async function timeMake(directory: string, tasks: number): Promise<number> {
  const names = Array.from({ length: tasks }, (_, at) => `t${at}`);
  const file = join(directory, 'Makefile');
  await writeFile(
    file,
    `SHELL = /bin/sh\nall: ${names.join(' ')}\n${names.map((name) => `${name}:\n\t@true;`).join('\n')}\n.PHONY: all ${names.join(' ')}\n`,
  );
  const from = performance.now();
  await run('make', ['--no-print-directory', '-j4', '-f', file]);
  return (performance.now() - from) / 1_000;
}
