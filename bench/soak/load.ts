import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Pool } from 'pg';
import { createClient, type Client } from '../../src/cli/client.ts';
import { RefusalFault } from '../../src/cli/fault.ts';
import { followLog } from '../../src/cli/follow-log.ts';

const run = promisify(execFile);
/** Refs of one push; each of them is a delivery of its own. */
const together = 50;

export type Counts = { readonly running: number; readonly waiting: number; readonly ended: number };

/** Somebody who keeps so many attempts waiting, and others who follow logs as they grow. */
export type Load = {
  /** Pushes that the server could not take in at once. */
  refused(): number;
  counts(): Promise<Counts>;
  /** Pushes branches of one commit until so many runs wait that have not begun. */
  fill(waiting: number): Promise<void>;
  /** Each follows the log of a running attempt to its end, and then that of another, until the signal. */
  follow(followers: number, signal: AbortSignal): Promise<{ readonly lines: number; readonly logs: number }>;
  /** Cancels everything, and waits until nothing is left to be done. */
  drain(): Promise<void>;
  close(): Promise<void>;
};

type Server = { readonly address: string; readonly token: string; readonly databaseUrl: string };

export async function createLoad(server: Server, clone: string, command: string): Promise<Load> {
  const pool = new Pool({ connectionString: server.databaseUrl, max: 2 });
  const client = createClient(server);
  const git = (...args: string[]): Promise<unknown> =>
    run('git', ['-C', clone, '-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args]);
  const remote = `${server.address.replace('//', `//ame:${server.token}@`)}/git/bench/soak.git`;
  await run('git', ['init', '--quiet', '--initial-branch=main', clone]);
  await writeFile(
    join(clone, 'ame.yaml'),
    `projectname: soak\non: push\ntasks:\n  main:\n    runcommand: ${JSON.stringify(command)}\n`,
  );
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'soak');
  let branches = 0;
  let refused = 0;

  async function counts(): Promise<Counts> {
    const { rows } = await pool.query<Counts>(`select
      (select count(*)::int from attempts where state = 'running') as running,
      (select count(*)::int from attempts where state in ('waiting', 'queued')) +
      (select count(*)::int from deliveries where decided_at is null) as waiting,
      (select count(*)::int from runs where finished_at is not null) as ended`);
    const [row] = rows;
    if (!row) throw new Error('the database does not answer');
    return row;
  }

  async function fill(waiting: number): Promise<void> {
    const { waiting: now } = await counts();
    for (let missing = waiting - now; missing > 0; missing -= together) {
      const refs = Array.from(
        { length: Math.min(missing, together) },
        () => `main:refs/heads/b${++branches}`,
      );
      await push(refs);
    }
  }

  /** Until it is taken: a server that cannot store it in time refuses it whole. */
  async function push(refs: readonly string[]): Promise<void> {
    for (;;) {
      try {
        await git('push', '--quiet', remote, ...refs);
        return;
      } catch (error) {
        if (!(error instanceof Error && error.message.includes('push again in a moment'))) throw error;
        refused += 1;
        await sleep(1_000);
      }
    }
  }

  async function follow(followers: number, signal: AbortSignal) {
    let [lines, logs] = [0, 0];
    const one = async (at: number): Promise<void> => {
      while (!signal.aborted) {
        try {
          const attempt = await running(pool, at);
          if (attempt === null) {
            await sleep(200, undefined, { signal });
            continue;
          }
          logs += 1;
          for await (const { pieces } of followLog(client, attempt, { signal })) lines += pieces.length;
        } catch (error) {
          if (!signal.aborted) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: followers }, (_, at) => one(at)));
    return { lines, logs };
  }

  async function drain(): Promise<void> {
    const { rows } = await pool.query<{ id: string }>('select id from runs where finished_at is null');
    for (const { id } of rows) await cancel(client, id);
    for (;;) {
      const { running: active, waiting } = await counts();
      if (active + waiting === 0) return;
      await sleep(500);
    }
  }

  return { refused: () => refused, counts, fill, follow, drain, close: () => pool.end() };
}

/** The youngest but so many of the attempts that run; null: there are not so many. */
async function running(pool: Pool, but: number): Promise<number | null> {
  const { rows } = await pool.query<{ id: string }>(
    `select id from attempts where state = 'running' order by id desc offset $1 limit 1`,
    [but],
  );
  return rows[0] === undefined ? null : Number(rows[0].id);
}

async function cancel(client: Client, id: string): Promise<void> {
  for (let at = 0; ; at += 1) {
    try {
      await client.api.runs[':id'].cancel.$post({ param: { id } });
      return;
    } catch (error) {
      // One that ended meanwhile has nothing to cancel.
      if (error instanceof RefusalFault && error.status === 409) return;
      if (!(error instanceof RefusalFault && error.status === 503) || at === 60) throw error;
      await sleep(1_000);
    }
  }
}
