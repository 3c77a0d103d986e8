import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { readConnection, writeConnection } from './connection.ts';
import type { Connection } from './connection.ts';
import { cannotRun, EmbeddedPostgresError, reason } from './error.ts';
import { canReach } from './identity.ts';
import type { Identity } from './identity.ts';

/**
 * One Postgres cluster on disk:
 *
 *     postgres-18/               entered by Postgres' own user, listed by ours only
 *       connection.json          port and password, mode 0600
 *       postgres.log             what Postgres says on stderr
 *       data/                    Postgres' own, mode 0700
 */
export type Cluster = {
  readonly folder: string;
  readonly data: string;
  readonly log: string;
  readonly identity: Identity | undefined;
};

/** A name for the cluster in the list of processes, so that its postmaster can be told from another's. */
export function clusterName(cluster: Cluster): string {
  return `ame-${createHash('sha256').update(cluster.data).digest('hex').slice(0, 16)}`;
}

/** The place of a major version's cluster below AME's data directory. */
export function clusterFolder(directory: string, major: number): string {
  return join(directory, `postgres-${major}`);
}

/** Throws where the directory holds the data of another Postgres, which this one cannot read. */
export async function refuseOtherMajor(directory: string, major: number): Promise<void> {
  const folders = (await readdir(directory)).filter((name) => /^postgres-\d+$/.test(name));
  const versions = await Promise.all(
    folders.map((name) =>
      readFile(join(directory, name, 'data', 'PG_VERSION'), 'utf8').catch(() => undefined),
    ),
  );
  const found = versions.filter((version) => version !== undefined).map(Number);
  const newest = Math.max(...found);
  if (newest > major) {
    throw new EmbeddedPostgresError(
      `The data in ${directory} was written by Postgres ${newest}, and this AME brings Postgres ${major}, which cannot ` +
        'read it. Start the newer AME again, or choose another data directory (AME_DATA).',
    );
  }
  if (found.length > 0 && !found.includes(major)) {
    throw new EmbeddedPostgresError(
      `The data in ${directory} was written by Postgres ${newest}, and this AME brings Postgres ${major}. Dump the ` +
        'database with the earlier AME and restore it into a new data directory (AME_DATA).',
    );
  }
}

/**
 * Makes the cluster unless it is there. `initdb` works under another name, which is renamed when all of it is on
 * disk: one that was killed half-way is started over.
 */
export async function openCluster(cluster: Cluster, binaries: Binaries): Promise<Connection> {
  const made = await stat(cluster.data).catch(() => undefined);
  if (made !== undefined) {
    const connection = await readConnection(cluster.folder);
    if (connection !== undefined) return connection;
    throw new EmbeddedPostgresError(
      `${cluster.data} is a database whose password is lost: ${join(cluster.folder, 'connection.json')} is missing.`,
    );
  }
  const connection = { port: 0, password: randomBytes(24).toString('base64url') };
  await writeConnection(cluster.folder, connection);
  const unfinished = `${cluster.data}.unfinished`;
  const passwordFile = join(cluster.folder, 'password');
  await rm(unfinished, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, connection.password, { mode: 0o600, flag: 'wx' });
  if (cluster.identity !== undefined) {
    await give(unfinished, cluster.identity);
    await give(passwordFile, cluster.identity);
  }
  try {
    await initdb(cluster, binaries, unfinished);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(unfinished, cluster.data);
  return connection;
}

/** Makes the folder around a cluster; Postgres' user must be able to pass through it to its data. */
export async function makeFolder(folder: string, identity: Identity | undefined): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (identity !== undefined) await chmod(folder, 0o711);
}

/**
 * How Postgres is told where its data is, when its working directory is that folder. Where its user may not pass
 * through a folder above (a data directory below root's home, a `mktemp -d`), Linux still lets it name the folder
 * it stands in: we enter it as root, and only then change the user.
 */
export async function dataArgument(data: string, identity: Identity | undefined): Promise<string> {
  if (await canReach(data, identity)) return data;
  if (process.platform === 'linux') return '/proc/self/cwd';
  throw new EmbeddedPostgresError(
    `Postgres does not run as root, and the user it runs as instead cannot enter ${data}. ` +
      'Choose a data directory (AME_DATA) below folders that every user may pass through.',
  );
}

/** The environment of Postgres' programs: nothing of ours, no PGDATA or PGOPTIONS of the person who starts us. */
export function postgresEnvironment(): Record<string, string> {
  return { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' };
}

async function initdb(cluster: Cluster, binaries: Binaries, data: string): Promise<void> {
  const child = spawn(
    binaries.initdb,
    [
      `--pgdata=${await dataArgument(data, cluster.identity)}`,
      '--username=ame',
      '--pwfile=../password',
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
    ],
    { cwd: data, env: postgresEnvironment(), stdio: ['ignore', 'ignore', 'pipe'], ...cluster.identity },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4096)));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject).once('close', resolve);
  const code = await promise.catch((error: unknown) => {
    throw cannotRun(binaries.initdb, error);
  });
  if (code === 0) return;
  const line = said.split('\n').findLast((each) => /error|fatal|could not/i.test(each)) ?? said.trim();
  if (line.includes('could not look up effective user')) {
    throw new EmbeddedPostgresError(
      'Postgres makes a database only as a user that has a name, and the user of this process has none: ' +
        'give it a line in /etc/passwd, or set DATABASE_URL.',
    );
  }
  throw new EmbeddedPostgresError(
    `The database could not be made in ${data}: ${line || `initdb ended with ${code}`}`,
  );
}

async function give(path: string, identity: Identity): Promise<void> {
  await chown(path, identity.uid, identity.gid).catch((error: unknown) => {
    throw new EmbeddedPostgresError(
      `Postgres does not run as root, and ${path} cannot be given to user ${identity.uid} (${reason(error)}). ` +
        'Start AME as an ordinary user, or set DATABASE_URL.',
    );
  });
}
