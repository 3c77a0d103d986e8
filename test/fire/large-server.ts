import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { repositoryDirectory } from '../../src/git/host.ts';
import { git, tryGit, type Ended } from '../git/real-git.ts';
import { startChildServer, type ChildServer } from '../journeys/child-server.ts';
import { askDatabase } from './ask-database.ts';

export type SeenRun = { readonly id: number; readonly commit: string; readonly state: string };

/** A real server in a process of its own, and one clone whose remote it is. */
export type LargeHouse = AsyncDisposable & {
  readonly server: () => ChildServer;
  readonly clone: string;
  /** Makes commits by the words of `git fast-import`, as they come. */
  fastImport(words: Iterable<string | Uint8Array>): Promise<void>;
  push(...refspecs: string[]): Promise<Ended>;
  /** Waits until nothing is left to decide or to run; then the runs, oldest first. */
  over(): Promise<readonly SeenRun[]>;
  ask<T extends object>(statement: string): Promise<readonly T[]>;
  /** Of one stream of the last attempt of a task, as the API gives it. */
  log(run: SeenRun): Promise<string>;
  /** What `ame` prints in the clone. */
  ame(...words: string[]): Promise<string>;
  get(path: string): Promise<{ readonly status: number; readonly text: string }>;
  /** AME's own copy of the repository. */
  bare(): Promise<string>;
  restart(): Promise<void>;
  /** MiB that the server's process held at most since it was started. */
  peakMiB(): Promise<number>;
};

/** What a small container would give it: whoever holds more ends, and the lane with it. */
const env = { NODE_OPTIONS: '--max-old-space-size=512' };

const launch = fileURLToPath(new URL('../../src/cli/launch.mjs', import.meta.url));

export async function openLargeHouse(): Promise<LargeHouse> {
  await using undo = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'ame-large-'));
  undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const data = join(directory, 'data');
  let server = await startChildServer(data, env);
  undo.defer(() => server.stop());
  const clone = join(directory, 'clone');
  await git(directory, 'init', '--quiet', '--initial-branch=main', clone);
  // What is packed here is not what is looked at.
  await git(clone, 'config', 'core.compression', '0');
  await git(clone, 'remote', 'add', 'origin', server.cloneUrl('team', 'large'));
  const ask = <T extends object>(statement: string): Promise<readonly T[]> =>
    askDatabase<T>(server.databaseUrl, statement);
  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const headers = { authorization: `Bearer ${server.token}` };
    const response = await fetch(`${server.address}${path}`, { headers });
    return { status: response.status, text: await response.text() };
  };
  const owned = undo.move();
  return {
    server: () => server,
    clone,
    ask,
    get,
    async fastImport(words) {
      const child = spawn('git', ['fast-import', '--quiet', '--force'], {
        cwd: clone,
        stdio: ['pipe', 'inherit', 'inherit'],
      });
      const ended = once(child, 'exit');
      // Where it fails, how it ended says so.
      child.stdin.on('error', () => {});
      for (const part of words) if (!child.stdin.write(part)) await once(child.stdin, 'drain');
      child.stdin.end();
      const [code] = await ended;
      if (code !== 0) throw new Error(`git fast-import ended with ${String(code)}`);
    },
    push: (...refspecs) => tryGit(clone, ['push', '--quiet', 'origin', ...refspecs]),
    async over() {
      for (;;) {
        const [left] = await ask<{ open: number }>(
          `select ((select count(*) from deliveries where decided_at is null)
            + (select count(*) from runs where finished_at is null))::int as open`,
        );
        if (left?.open === 0) return ask('select id::int, commit, state from runs order by id');
        await delay(200);
      }
    },
    async log(run) {
      const [attempt] = await ask<{ id: number }>(
        `select id::int from attempts where run_id = ${run.id} order by id desc limit 1`,
      );
      return (await get(`/api/v1/attempts/${attempt?.id ?? 0}/log`)).text;
    },
    async ame(...words) {
      const ofPerson = { PATH: process.env['PATH'], AME_URL: server.address, AME_TOKEN: server.token };
      const options = { cwd: clone, env: ofPerson };
      return (await promisify(execFile)(process.execPath, [launch, ...words], options)).stdout;
    },
    async bare() {
      const [row] = await ask<{ id: number }>('select id::int from repositories');
      return repositoryDirectory(join(data, 'repositories'), row?.id ?? 0);
    },
    async restart() {
      await server.kill();
      server = await startChildServer(data, env);
      await git(clone, 'remote', 'set-url', 'origin', server.cloneUrl('team', 'large'));
    },
    async peakMiB() {
      const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
      return Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
