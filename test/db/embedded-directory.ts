import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Client } from 'pg';
import { afterEach, beforeEach } from 'vitest';
import { startEmbeddedPostgres } from '../../src/db/embedded.ts';
import type { EmbeddedPostgres } from '../../src/db/embedded.ts';

/** The data directory of the test that runs. What was started in it ends with the test. */
export let directory: string;
const stops: (() => Promise<unknown>)[] = [];

/** A directory for each test of the file that calls this: a module runs once for all files of a process. */
export function useDirectory(): void {
  beforeEach(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'ame-test-embedded-')));
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
    await rm(directory, { recursive: true, force: true });
  });
}

/** Has something ended after the test, the latest first. */
export function after(stop: () => Promise<unknown>): void {
  stops.push(stop);
}

/** Starts Postgres in this process; `messages` is told what it logs. */
export async function start(
  path: string = directory,
  messages: { push: (message: string) => unknown } = { push: () => {} },
): Promise<EmbeddedPostgres> {
  const log = {
    info: (_: object, message: string) => void messages.push(message),
    error: (_: object, message: string) => void messages.push(message),
  };
  const postgres = await startEmbeddedPostgres({ directory: path, log });
  after(postgres.stop);
  return postgres;
}

/** Starts Postgres from a process of its own, which can be killed. `said` is the address, or why there is none. */
export async function startHolder(
  path: string,
  identity: { uid?: number; gid?: number } = {},
): Promise<{ said: string; kill: () => Promise<void>; stop: () => Promise<unknown> }> {
  const script = join(import.meta.dirname, 'embedded-holder.ts');
  const child = spawn(process.execPath, [script, path], {
    cwd: dirname(path),
    stdio: ['pipe', 'pipe', 'inherit'],
    ...identity,
  });
  const exit = once(child, 'exit');
  after(async () => {
    child.stdin.end();
    await exit;
  });
  const [said]: unknown[] = await once(createInterface(child.stdout), 'line');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exit;
  };
  const stop = async (): Promise<unknown> => {
    child.stdin.end();
    return (await exit)[0];
  };
  return { said: String(said), kill, stop };
}

/** Ends a child and waits for that. */
export async function end(child: ReturnType<typeof spawn>): Promise<void> {
  const exit = once(child, 'exit');
  child.kill();
  await exit;
}

/** One statement on a session of its own. */
export async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

/** The process that the pid file of Postgres names. */
export async function postmasterPid(path: string): Promise<number> {
  return Number.parseInt(await readFile(join(path, 'postgres-18', 'data', 'postmaster.pid'), 'utf8'), 10);
}
