import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { EmbeddedPostgresError } from '../../src/db/embedded/error.ts';
import { canReach } from '../../src/db/embedded/identity.ts';
import { after, directory, end, query, start, startHolder, useDirectory } from './embedded-directory.ts';

const root = process.getuid?.() === 0;
useDirectory();
describe('start and stop', () => {
  test('keeps data and port over a stop, lets in with the password only, and on loopback only', async () => {
    const first = await start();
    const url = new URL(first.url);
    await query(first.url, 'create table kept (n int)');
    await query(first.url, 'insert into kept values (42)');
    expect(await settings(first.url)).toEqual({
      fsync: 'on',
      listen_addresses: '127.0.0.1',
      password_encryption: 'scram-sha-256',
      server_encoding: 'UTF8',
      unix_socket_directories: '',
      TimeZone: 'UTC',
    });

    const guessed = new URL(first.url);
    guessed.password = 'guessed';
    await expect(query(guessed.href, 'select 1')).rejects.toThrow(/password authentication failed/);
    expect(await listensOutside(Number(url.port))).toBe(false);
    const folder = join(directory, 'postgres-18');
    expect((await stat(join(folder, 'connection.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'data'))).uid === 0).toBe(false);
    await expect(stat(join(folder, 'password'))).rejects.toThrow('ENOENT');

    await first.stop();
    await first.stop();
    await expect(query(first.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 42 }]);
  });

  test('starts over where an earlier start was killed during initdb', async () => {
    const unfinished = join(directory, 'postgres-18', 'data.unfinished');
    await mkdir(join(unfinished, 'base'), { recursive: true });
    await writeFile(join(unfinished, 'PG_VERSION'), '18\n');
    await writeFile(join(directory, 'postgres-18', 'password'), 'old');
    const postgres = await start();
    expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('takes another port where its own is in use', async () => {
    const first = await start();
    const { port } = new URL(first.url);
    await first.stop();
    const other = spawn(process.execPath, [
      '-e',
      `net.createServer().listen(${port}, '127.0.0.1', () => console.log('listens'))`,
    ]);
    after(() => end(other));
    await once(other.stdout, 'data');
    const second = await start();
    expect(new URL(second.url).port).not.toBe(port);
  });
});

describe('refuses', () => {
  test.each([
    [19, /was written by Postgres 19, and this AME brings Postgres 18, which cannot read it\. [^\n]+$/],
    [17, /was written by Postgres 17, and this AME brings Postgres 18\. Dump [^\n]+$/],
  ])('the data of Postgres %i', async (major, message) => {
    await mkdir(join(directory, `postgres-${major}`, 'data'), { recursive: true });
    await writeFile(join(directory, `postgres-${major}`, 'data', 'PG_VERSION'), `${major}\n`);
    await expect(start()).rejects.toThrow(message);
    await expect(start()).rejects.toThrow(EmbeddedPostgresError);
  });

  test('newer data in the folder of this version', async () => {
    await mkdir(join(directory, 'postgres-18', 'data'), { recursive: true });
    await writeFile(join(directory, 'postgres-18', 'data', 'PG_VERSION'), '19\n');
    await expect(start()).rejects.toThrow(/written by Postgres 19/);
  });

  test('a database whose password is lost', async () => {
    const first = await start();
    await first.stop();
    await rm(join(directory, 'postgres-18', 'connection.json'));
    await expect(start()).rejects.toThrow(/password is lost: .*connection\.json is missing/);
  });

  test("a damaged database, with Postgres' own reason in one line", async () => {
    const first = await start();
    await first.stop();
    await rm(join(directory, 'postgres-18', 'data', 'global', 'pg_control'));
    await expect(start()).rejects.toThrow(/^Postgres did not start: [^\n]*pg_control[^\n]*$/);
  });
});

// Any user with a name will do: initdb refuses to work for a number without one.
const ordinary = await passwdEntry('daemon');
const skipped = !root
  ? 'the tests run as an ordinary user, so that what root does differently is not tried'
  : ordinary === undefined || !(await canReach(import.meta.dirname, ordinary))
    ? 'no other user can enter this checkout, so that starting as one is not tried'
    : undefined;
if (skipped !== undefined) console.warn(`skipped: ${skipped}`);

test.skipIf(skipped !== undefined)(
  'an ordinary user runs it as itself; root goes on as that user',
  async () => {
    const { uid, gid } = ordinary ?? { uid: 0, gid: 0 };
    await chmod(directory, 0o755);
    const own = join(directory, 'own');
    await mkdir(own, { mode: 0o700 });
    await chown(own, uid, gid);
    const holder = await startHolder(own, { uid, gid });
    expect(holder.said).toMatch(/^postgres:/);
    expect((await stat(join(own, 'postgres-18', 'data'))).uid).toBe(uid);
    expect((await stat(join(own, 'postgres-18'))).mode & 0o777).toBe(0o700);
    await query(holder.said, 'create table kept (n int)');
    expect(await holder.stop()).toBe(0);

    const postgres = await start(own);
    expect(await query(postgres.url, 'select * from kept')).toEqual([]);
    await postgres.stop();
  },
);

test.skipIf(skipped !== undefined)('a user without a name is told what is missing', async () => {
  await chmod(directory, 0o755);
  const own = join(directory, 'own');
  await mkdir(own, { mode: 0o700 });
  await chown(own, 64321, 64321);
  const holder = await startHolder(own, { uid: 64321, gid: 64321 });
  expect(holder.said).toMatch(/only as a user that has a name.*\/etc\/passwd, or set DATABASE_URL\.$/);
  expect(await holder.stop()).toBe(1);
});

async function settings(url: string): Promise<Record<string, string>> {
  const names = 'fsync listen_addresses password_encryption server_encoding unix_socket_directories TimeZone';
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; setting: string }>(
      'select name, setting from pg_settings where name = any($1)',
      [names.split(' ')],
    );
    return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
  } finally {
    await client.end();
  }
}

/** Whether this machine's other addresses answer on a port; false where it has none. */
async function listensOutside(port: number): Promise<boolean> {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const outside = addresses.find((address) => !address.internal && address.family === 'IPv4');
  if (outside === undefined) return false;
  const socket = connect(port, outside.address);
  return await once(socket, 'connect').then(
    () => true,
    () => false,
  );
}

async function passwdEntry(name: string): Promise<{ uid: number; gid: number } | undefined> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, uid, gid] = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(text) ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}
