import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readConfig } from '../src/config.ts';
import { openWorkerSession } from '../src/db/worker.ts';
import { createLog } from '../src/log.ts';
import { cloneAddress, startServer, type Server } from '../src/main.ts';
import { createLoops } from '../src/worker/worker.ts';
import { percentile, type BenchOptions, type Figures } from './figures.ts';
import { fillWithPastRuns } from './past-runs.ts';

const run = promisify(execFile);
const few = 1_000;

/** What a long history costs: a page of the list of runs, and a look of each loop of the worker, with 10³ and 10⁶ past runs. */
export async function benchHistory({ short }: BenchOptions): Promise<Figures> {
  const many = short ? 10_000 : 1_000_000;
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  const config = { ...readConfig(), port: 0, databaseUrl: null };
  const server = await startServer(config, join(directory, 'data'), createLog('error'));
  try {
    await makeOneRun(server, join(directory, 'clone'));
    await fillWithPastRuns(server.context.databaseUrl, few);
    const young = { list: await timeLists(server), tick: await timeTicks(server) };
    await fillWithPastRuns(server.context.databaseUrl, many);
    const old = { list: await timeLists(server), tick: await timeTicks(server) };
    const figures = {
      listP50: round(percentile(old.list, 0.5)),
      listP99: round(percentile(old.list, 0.99)),
      listP99Of1000: round(percentile(young.list, 0.99)),
      tickP50: round(percentile(old.tick, 0.5)),
      tickP50Of1000: round(percentile(young.tick, 0.5)),
    };
    const more = percentile(old.tick, 0.5) / percentile(young.tick, 0.5);
    return {
      name: 'history',
      figures: { ...figures, tickRatio: round(more) },
      aims: { listP99: '<= 50', tickRatio: '<= 1.1' },
      met: figures.listP99 <= 50 && more <= 1.1,
    };
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function makeOneRun(server: Server, clone: string): Promise<void> {
  const git = (...args: string[]): Promise<unknown> =>
    run('git', ['-C', clone, '-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args]);
  await run('git', ['init', '--quiet', '--initial-branch=main', clone]);
  await writeFile(join(clone, 'ame.yaml'), 'projectname: bench\non: push\ntasks:\n  main: "true"\n');
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'one');
  await git('push', '--quiet', cloneAddress(server, 'bench', 'bench'), 'main');
  for (;;) {
    const { runs } = await list(server, '?state=succeeded');
    if (runs.length > 0) return;
    await server.context.hints.wait('runs', 100);
  }
}

/** Milliseconds of pages of the list: the newest, and one in the middle of all. */
async function timeLists(server: Server): Promise<readonly number[]> {
  const { runs } = await list(server, '');
  const middle = Math.floor((runs[0]?.id ?? 2) / 2);
  const times: number[] = [];
  for (let at = 0; at < 300; at += 1) {
    const query = ['', '?project=bench', '?state=succeeded', `?cursor=${middle}`][at % 4] ?? '';
    const from = performance.now();
    await list(server, query);
    times.push(performance.now() - from);
  }
  return times.slice(20);
}

async function list(
  server: Server,
  query: string,
): Promise<{ readonly runs: readonly { readonly id: number }[] }> {
  const response = await fetch(`${server.address}/api/v1/runs${query}`, {
    headers: { authorization: `Bearer ${server.token}` },
  });
  if (!response.ok) throw new Error(`the list answers ${response.status}`);
  return (await response.json()) as { readonly runs: readonly { readonly id: number }[] };
}

/** Milliseconds of one look of every loop, nothing being due. */
async function timeTicks(server: Server): Promise<readonly number[]> {
  const session = await openWorkerSession(server.context.databaseUrl, null);
  try {
    const loops = Object.values(createLoops(server.context, () => session.worker));
    const times: number[] = [];
    for (let at = 0; at < 300; at += 1) {
      const from = performance.now();
      for (const loop of loops) await loop.once();
      times.push(performance.now() - from);
    }
    return times.slice(50);
  } finally {
    await session.close();
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
