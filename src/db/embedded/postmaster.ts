import { spawn } from 'node:child_process';
import { open, rename, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Binaries } from './binaries.ts';
import { clusterName, dataArgument, postgresEnvironment } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { answers } from './connection.ts';
import type { Connection } from './connection.ts';
import { cannotRun, EmbeddedPostgresError } from './error.ts';
import { isAlive } from './process.ts';

/** A running postmaster. `ended` resolves when its process is gone, however that came. */
export type Postmaster = { readonly pid: number; readonly port: number; readonly ended: Promise<void> };

/** Recovery after a crash may replay much, so the wait for a live process is long; a dead one ends it at once. */
export const patience = 5 * 60_000;

/**
 * Starts Postgres on the cluster and waits until it answers. `choosePort` is given the port of the last time, or 0
 * where there was none or it could not be had. Throws `EmbeddedPostgresError` with Postgres' own reason.
 */
export async function startPostmaster(
  cluster: Cluster,
  binaries: Binaries,
  connection: Connection,
  choosePort: (wanted: number) => Promise<number>,
): Promise<Postmaster> {
  const until = Date.now() + 60_000;
  let port = connection.port;
  for (;;) {
    port = await choosePort(port);
    const attempt = await tryStart(cluster, binaries, { ...connection, port });
    if (typeof attempt !== 'string') return attempt;
    // Someone else took the port in between, or the orphans of a killed postmaster have not noticed its end yet.
    const passing = /could not create any TCP\/IP sockets|shared memory block|lock file/.test(attempt);
    if (!passing || Date.now() > until) {
      throw new EmbeddedPostgresError(`Postgres did not start: ${attempt}. Its log is ${cluster.log}`);
    }
    if (attempt.includes('TCP/IP')) port = 0;
    await delay(100);
  }
}

/** Ends Postgres in its fast way: sessions are ended, everything is written. Answers when the process is gone. */
export async function stopPostmaster(postmaster: Postmaster): Promise<void> {
  const { pid } = postmaster;
  signal(pid, 'SIGINT');
  const until = Date.now() + 60_000;
  while (await isAlive(pid)) {
    // It did not end in its own time: without a last checkpoint the next start recovers from the log.
    if (Date.now() > until) signal(pid, 'SIGQUIT');
    await delay(10);
  }
}

async function tryStart(
  cluster: Cluster,
  binaries: Binaries,
  connection: Connection,
): Promise<Postmaster | string> {
  await rotate(cluster.log);
  const log = await open(cluster.log, 'a', 0o600);
  const from = (await log.stat()).size;
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${connection.port}`,
    'unix_socket_directories=',
    `cluster_name=${clusterName(cluster)}`,
    'logging_collector=off',
    'log_destination=stderr',
    'timezone=UTC',
    'log_timezone=UTC',
    'fsync=on',
  ];
  const child = spawn(
    binaries.postgres,
    [
      '-D',
      await dataArgument(cluster.data, cluster.identity),
      ...settings.flatMap((setting) => ['-c', setting]),
    ],
    {
      cwd: cluster.data,
      env: postgresEnvironment(),
      stdio: ['ignore', log.fd, log.fd],
      // A session of its own: Ctrl-C in the terminal must reach AME alone, which ends Postgres last.
      detached: true,
      ...cluster.identity,
    },
  );
  const end = Promise.withResolvers<void>();
  child.once('exit', () => end.resolve());
  const spawned = Promise.withResolvers<void>();
  child.once('spawn', spawned.resolve).once('error', spawned.reject);
  try {
    await spawned.promise;
  } catch (error) {
    throw cannotRun(binaries.postgres, error);
  } finally {
    await log.close();
  }
  child.unref();
  const pid = child.pid ?? 0;
  const started = { pid, port: connection.port, ended: end.promise };
  const until = Date.now() + patience;
  for (
    let pause = 10;
    child.exitCode === null && child.signalCode === null;
    pause = Math.min(500, pause * 1.5)
  ) {
    if (await ready(connection, started)) return started;
    if (Date.now() > until) {
      signal(pid, 'SIGQUIT');
      return `it did not answer within ${patience / 60_000} minutes`;
    }
    await delay(pause);
  }
  return await reasonInLog(cluster.log, from);
}

async function ready(connection: Connection, postmaster: Postmaster): Promise<boolean> {
  try {
    return await answers(connection);
  } catch (error) {
    await stopPostmaster(postmaster);
    throw error;
  }
}

/** What the last fatal line since `from` says. */
async function reasonInLog(path: string, from: number): Promise<string> {
  const log = await open(path, 'r');
  try {
    const { size } = await log.stat();
    const { buffer, bytesRead } = await log.read(Buffer.alloc(Math.min(size - from, 16_384)), {
      position: from,
    });
    const lines = buffer.toString('utf8', 0, bytesRead).trim().split('\n');
    const fatal = lines.findLast((line) => /(FATAL|PANIC):/.test(line)) ?? lines.at(-1) ?? '';
    return fatal.replace(/^.*?(FATAL|PANIC): +/, '') || 'it ended without a word';
  } finally {
    await log.close();
  }
}

async function rotate(log: string): Promise<void> {
  const { size } = await stat(log).catch(() => ({ size: 0 }));
  if (size > 16 * 1024 * 1024) await rename(log, `${log}.1`);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended in between, which is what was wanted.
  }
}

/** `wanted` if nobody listens there, else a port that the system gives; between the look and the use it may go. */
export async function freePort(wanted: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', reject).listen({ host: '127.0.0.1', port: wanted, exclusive: true }, () => {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    server.close(() => resolve(port));
  });
  return await promise.catch(async (error: unknown) => {
    if (wanted === 0) throw error;
    return await freePort(0);
  });
}
