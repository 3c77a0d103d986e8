import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isAlive } from '../../src/db/embedded/process.ts';
import {
  after,
  directory,
  end,
  postmasterPid,
  query,
  start,
  startHolder,
  useDirectory,
} from './embedded-directory.ts';

const root = process.getuid?.() === 0;
useDirectory();

describe('killed', () => {
  test('an AME: the next one takes its Postgres over and ends it', async () => {
    const holder = await startHolder(directory);
    const pid = await postmasterPid(directory);
    await query(holder.said, 'create table kept (n int)');
    await holder.kill();
    expect(await isAlive(pid)).toBe(true);

    const messages: string[] = [];
    const postgres = await start(directory, messages);
    expect(messages).toEqual(['took over the running Postgres']);
    expect(postgres.url).toBe(holder.said);
    expect(await postmasterPid(directory)).toBe(pid);
    expect(await query(postgres.url, 'select * from kept')).toEqual([]);
    await postgres.stop();
    expect(await isAlive(pid)).toBe(false);
  });

  test('both: the stale pid file does not hinder, and what was committed is there', async () => {
    const holder = await startHolder(directory);
    const pid = await postmasterPid(directory);
    await query(holder.said, 'create table kept (n int)');
    await query(holder.said, 'insert into kept values (1)');
    await holder.kill();
    process.kill(pid, 'SIGKILL');
    const postgres = await start();
    expect(await query(postgres.url, 'select * from kept')).toEqual([{ n: 1 }]);
  });

  test('Postgres alone: it is started again behind the same address', async () => {
    const again = Promise.withResolvers<void>();
    const postgres = await start(directory, {
      push: (message) => {
        if (message === 'Postgres started again') again.resolve();
      },
    });
    await query(postgres.url, 'create table kept (n int)');
    const pid = await postmasterPid(directory);
    process.kill(pid, 'SIGKILL');
    await again.promise;
    expect(await query(postgres.url, 'select * from kept')).toEqual([]);
    expect(await postmasterPid(directory)).not.toBe(pid);
  });

  test('a Postgres that was taken over is started again too', async () => {
    const holder = await startHolder(directory);
    await holder.kill();
    const again = Promise.withResolvers<void>();
    const postgres = await start(directory, {
      push: (message) => {
        if (message === 'Postgres started again') again.resolve();
      },
    });
    process.kill(await postmasterPid(directory), 'SIGKILL');
    await again.promise;
    expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('a pid file that names another process', () => {
  test('of the same user: it is ignored, and the process left alone', async () => {
    const first = await start();
    await first.stop();
    const data = join(directory, 'postgres-18', 'data');
    const { uid, gid } = await stat(data);
    // Postgres itself would take the owner of that number for its own postmaster and refuse to start.
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore', ...(root ? { uid, gid } : {}) });
    after(() => end(stranger));
    await once(stranger, 'spawn');
    await writeFile(
      join(data, 'postmaster.pid'),
      `${stranger.pid}\n${data}\n0\n${new URL(first.url).port}\n`,
    );
    const second = await start();
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(stranger.exitCode).toBeNull();
  });

  test("another directory's Postgres with the same password: it is neither used nor ended", async () => {
    const original = join(directory, 'original');
    const copy = join(directory, 'copy');
    const first = await start(original);
    await query(first.url, 'create table here (n int)');
    await cp(original, copy, { recursive: true, preserveTimestamps: true });
    if (root) await giveAll(copy, await stat(join(original, 'postgres-18', 'data')));
    const second = await start(copy);
    expect(second.url).not.toBe(first.url);
    await second.stop();
    expect(await query(first.url, 'select * from here')).toEqual([]);
  });
});

async function giveAll(path: string, owner: { uid: number; gid: number }): Promise<void> {
  const chownAll = spawn('chown', ['-R', `${owner.uid}:${owner.gid}`, join(path, 'postgres-18', 'data')]);
  await once(chownAll, 'exit');
}
