import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readConfig } from '../src/config.ts';
import { listAttempts } from '../src/db/attempts.ts';
import { findDelivery } from '../src/db/deliveries.ts';
import { listRuns } from '../src/db/runs.ts';
import { createLog } from '../src/log.ts';
import { cloneAddress, startServer } from '../src/main.ts';
import { percentile, type BenchOptions, type Figures } from './figures.ts';
import { beside } from './peers/beside.ts';
import { measureBuildbotStart, pushToBuildbotKnown } from './peers/push-to-buildbot.ts';

const run = promisify(execFile);

/** From a `git push` being stored to its task's process running, on a warm server; milliseconds. */
export async function benchStart({ peers, short }: BenchOptions): Promise<Figures> {
  const ame = await measureAme(short ? 10 : 40);
  return peers ? { ...ame, peers: await beside(measureBuildbotStart, pushToBuildbotKnown) } : ame;
}

async function measureAme(pushes: number): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  const config = { ...readConfig(), port: 0, databaseUrl: null };
  const server = await startServer(config, join(directory, 'data'), createLog('error'));
  const { db, hints } = server.context;
  const clone = join(directory, 'clone');
  const git = (...args: string[]): Promise<unknown> =>
    run('git', ['-C', clone, '-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args]);
  const delays: number[] = [];
  const pushMs: number[] = [];
  try {
    await run('git', ['init', '--quiet', '--initial-branch=main', clone]);
    await writeFile(join(clone, 'ame.yaml'), 'projectname: bench\non: push\ntasks:\n  main: "true"\n');
    for (let at = 0; at < pushes; at += 1) {
      await writeFile(join(clone, 'change.txt'), String(at));
      await git('add', '.');
      await git('commit', '--quiet', '--message', `change ${at}`);
      const from = performance.now();
      await git('push', '--quiet', cloneAddress(server, 'bench', 'bench'), 'main');
      pushMs.push(performance.now() - from);
      for (;;) {
        const [last] = await listRuns(db, {}, { limit: 1 });
        if (last?.number === at + 1 && last.finishedAt !== null) {
          const delivery = last.deliveryId === null ? undefined : await findDelivery(db, last.deliveryId);
          const [attempt] = await listAttempts(db, last.id);
          if (delivery && attempt?.startedAt)
            delays.push(attempt.startedAt.getTime() - delivery.receivedAt.getTime());
          break;
        }
        await hints.wait('runs', 50);
      }
    }
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
  const warm = delays.slice(5);
  const figures = {
    pushes: warm.length,
    storedToRunningP50: percentile(warm, 0.5),
    storedToRunningP95: percentile(warm, 0.95),
    pushP50: Math.round(percentile(pushMs.slice(5), 0.5)),
  };
  return {
    name: 'start',
    figures,
    aims: { storedToRunningP50: '<= 150' },
    met: figures.storedToRunningP50 <= 150,
  };
}
