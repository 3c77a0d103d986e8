import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { clusterName } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { ask } from './connection.ts';
import type { Connection } from './connection.ts';
import { EmbeddedPostgresError } from './error.ts';
import { patience } from './postmaster.ts';
import type { Postmaster } from './postmaster.ts';
import { commandLine, isAlive } from './process.ts';

/**
 * The postmaster of this very cluster that still runs because an earlier AME was killed, once it answers. Absent
 * where there is none; a pid file that names a process which is something else by now is removed.
 */
export async function findPostmaster(
  cluster: Cluster,
  connection: Connection,
): Promise<Postmaster | undefined> {
  const until = Date.now() + patience;
  for (;;) {
    const claim = await readPidFile(cluster);
    if (claim === undefined) return undefined;
    const alive = await isAlive(claim.pid);
    if (alive && claim.port !== 0 && (await servesCluster(cluster, { ...connection, port: claim.port }))) {
      return { pid: claim.pid, port: claim.port, ended: processEnd(claim.pid) };
    }
    if (!alive || !(await runsCluster(claim.pid, cluster))) {
      // Postgres asks only whether the number is in use by its own user: by another process, or by one that ended
      // and was never waited for. It would refuse to start. What still has the shared memory it finds without the file.
      await rm(join(cluster.data, 'postmaster.pid'), { force: true });
      return undefined;
    }
    if (Date.now() > until) {
      throw new EmbeddedPostgresError(
        `Process ${claim.pid} has the database in ${cluster.data} open and does not answer. End it and start again.`,
      );
    }
    await delay(50);
  }
}

/**
 * Whether the server behind that port serves this very folder. The password alone is no proof, since a copied data
 * directory has the same one: it must read back what we have just written into the folder.
 */
async function servesCluster(cluster: Cluster, connection: Connection): Promise<boolean> {
  const proof = randomBytes(16).toString('hex');
  const path = join(cluster.data, 'ame-proof');
  await rm(path, { force: true });
  await writeFile(path, proof, { mode: cluster.identity === undefined ? 0o600 : 0o644, flag: 'wx' });
  try {
    return (await ask(connection, "select pg_read_file('ame-proof', true) as answer")) === proof;
  } catch {
    return false;
  } finally {
    await rm(path, { force: true });
  }
}

async function runsCluster(pid: number, cluster: Cluster): Promise<boolean> {
  const command = await commandLine(pid);
  return (
    command.includes('postgres') && (command.includes(clusterName(cluster)) || command.includes(cluster.data))
  );
}

/** Process and port as the pid file of Postgres has them (its 1st and 4th line; the port is 0 until it is known). */
async function readPidFile(cluster: Cluster): Promise<{ pid: number; port: number } | undefined> {
  const text = await readFile(join(cluster.data, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number.parseInt(lines[0] ?? '', 10);
  if (!(pid > 1)) return undefined;
  return { pid, port: Number.parseInt(lines[3] ?? '', 10) || 0 };
}

/** The end of a process that is not our child can only be looked for. */
async function processEnd(pid: number): Promise<void> {
  while (await isAlive(pid)) await delay(250, undefined, { ref: false });
}
