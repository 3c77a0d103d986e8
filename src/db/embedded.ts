import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { findPackage, openBinaries, packageVersion } from './embedded/binaries.ts';
import type { Binaries } from './embedded/binaries.ts';
import { clusterFolder, makeFolder, openCluster, refuseOtherMajor } from './embedded/cluster.ts';
import type { Cluster } from './embedded/cluster.ts';
import { databaseUrl, readConnection, writeConnection } from './embedded/connection.ts';
import type { Connection } from './embedded/connection.ts';
import { postgresIdentity } from './embedded/identity.ts';
import { freePort, startPostmaster, stopPostmaster } from './embedded/postmaster.ts';
import type { Postmaster } from './embedded/postmaster.ts';
import { findPostmaster } from './embedded/takeover.ts';

/** What the launcher tells while it works; the logger of the server fits. */
export type EmbeddedLog = {
  info(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
};

export type EmbeddedPostgres = {
  /** Of the database `ame`; the same for as long as this runs, also when Postgres had to be started again. */
  readonly url: string;
  /** Ends Postgres, also one that was taken over, and answers when its process is gone. */
  readonly stop: () => Promise<void>;
};

/**
 * Postgres from npm in AME's data directory, for whoever holds that directory's lock. A first start makes the
 * cluster; later ones use what is there, and take over a Postgres that an AME killed with SIGKILL left behind.
 * If Postgres ends while this runs, it is started again. Throws `EmbeddedPostgresError`.
 */
export async function startEmbeddedPostgres(options: {
  directory: string;
  log: EmbeddedLog;
}): Promise<EmbeddedPostgres> {
  const { log } = options;
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const directory = await realpath(options.directory);
  const root = findPackage();
  const { major } = await packageVersion(root);
  await refuseOtherMajor(directory, major);

  const folder = clusterFolder(directory, major);
  const data = join(folder, 'data');
  const identity = await postgresIdentity(data);
  await makeFolder(folder, identity);
  const cluster: Cluster = { folder, data, log: join(folder, 'postgres.log'), identity };

  const known = await readConnection(folder);
  const left = known === undefined ? undefined : await findPostmaster(cluster, known);
  const binaries = await openBinaries(root, folder, identity);
  const connection = left === undefined || known === undefined ? await openCluster(cluster, binaries) : known;
  const first = left ?? (await startPostmaster(cluster, binaries, connection, freePort));
  log.info(
    { postgresPid: first.pid, port: first.port, folder },
    left === undefined ? 'Postgres started' : 'took over the running Postgres',
  );
  const current = { ...connection, port: first.port };
  try {
    if (current.port !== connection.port) await writeConnection(folder, current);
    await createDatabase(current);
  } catch (error) {
    await stopPostmaster(first);
    throw error;
  }
  return keepRunning(cluster, binaries, current, first, log);
}

function keepRunning(
  cluster: Cluster,
  binaries: Binaries,
  connection: Connection,
  first: Postmaster,
  log: EmbeddedLog,
): EmbeddedPostgres {
  const stopping = new AbortController();
  const asked = new Promise<void>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const samePort = (): Promise<number> => Promise.resolve(connection.port);
  let postmaster: Postmaster | undefined = first;

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      await Promise.race([postmaster?.ended, asked]);
      if (stopping.signal.aborted) return;
      log.error(
        { postgresPid: postmaster?.pid, log: cluster.log },
        'Postgres ended by itself: it is started again',
      );
      postmaster = undefined;
      await restart();
    }
  }

  async function restart(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      try {
        postmaster =
          (await findPostmaster(cluster, connection)) ??
          (await startPostmaster(cluster, binaries, connection, samePort));
        log.info({ postgresPid: postmaster.pid, port: postmaster.port }, 'Postgres started again');
        return;
      } catch (error) {
        log.error(
          { reason: error instanceof Error ? error.message : String(error) },
          'Postgres did not start',
        );
        const pause = Math.min(10_000, 200 * 2 ** failures);
        await delay(pause, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  }

  const watching = watch();
  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    stopping.abort();
    await watching;
    if (postmaster === undefined) return;
    await stopPostmaster(postmaster);
    log.info({ postgresPid: postmaster.pid }, 'Postgres stopped');
  }
  return { url: databaseUrl(connection, 'ame'), stop: () => (stopped ??= stop()) };
}

/** A start that was killed between making the cluster and this leaves no database: so it is asked for every time. */
async function createDatabase(connection: Connection): Promise<void> {
  const client = new Client({ connectionString: databaseUrl(connection, 'postgres') });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rowCount } = await client.query("select from pg_database where datname = 'ame'");
    if (rowCount === 0) await client.query('create database ame');
  } finally {
    await client.end();
  }
}
