import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DataDirectoryError } from '../src/data-directory/error.ts';
import { DataDirectoryBusyError } from '../src/data-directory/lock.ts';
import { makeDirectory } from '../src/data-directory/make-directory.ts';
import {
  dataDirectoryPath,
  findServer,
  openDataDirectory,
  readOrCreateKey,
  readOrCreateHost,
  readOrCreateToken,
} from '../src/data-directory.ts';

let parent: string;
beforeEach(async () => {
  parent = await realpath(await mkdtemp(join(tmpdir(), 'ame-test-directory-')));
});
const started: number[] = [];
afterEach(async () => {
  for (const pid of started.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // ended already, as it should
    }
  }
  await rm(parent, { recursive: true, force: true });
});

describe('dataDirectoryPath', () => {
  test.each([
    ['AME_DATA before all', { AME_DATA: '/a', XDG_DATA_HOME: '/x', HOME: '/h' }, 0, '/a'],
    ['AME_DATA may be relative', { AME_DATA: 'a', HOME: '/h' }, 1000, 'a'],
    ['an empty AME_DATA is none', { AME_DATA: '', HOME: '/h' }, 1000, '/h/.local/share/ame'],
    ['XDG data home', { XDG_DATA_HOME: '/x', HOME: '/h' }, 1000, '/x/ame'],
    ['XDG data home that root set', { XDG_DATA_HOME: '/x', HOME: '/root' }, 0, '/x/ame'],
    ['a relative XDG data home is ignored', { XDG_DATA_HOME: 'x', HOME: '/h' }, 1000, '/h/.local/share/ame'],
    ['below home', { HOME: '/h' }, 1000, '/h/.local/share/ame'],
    ['root', { HOME: '/root' }, 0, '/var/lib/ame'],
    ['a system without user numbers', { HOME: '/h' }, undefined, '/h/.local/share/ame'],
  ])('%s', (_, env, uid, expected) => {
    expect(dataDirectoryPath(env, uid)).toBe(expected);
  });
});

describe('the directory', () => {
  const closed = process.getuid?.() === 0 ? 0o711 : 0o700;

  test('is made with its parents, closed to listing by others', async () => {
    const directory = await openDataDirectory(join(parent, 'a', 'b'));
    expect(directory.path).toBe(join(parent, 'a', 'b'));
    expect((await stat(directory.path)).mode & 0o777).toBe(closed);
    expect((await stat(join(directory.path, 'lock'))).mode & 0o777).toBe(0o600);
    await directory.release();
  });

  test.each([
    [0o755, closed],
    [0o700, 0o700],
  ])('an empty one of mode %o is only closed further', async (mode, expected) => {
    const path = join(parent, 'made');
    await mkdir(path);
    await chmod(path, mode);
    const directory = await openDataDirectory(path);
    expect((await stat(path)).mode & 0o777).toBe(expected);
    await directory.release();
  });

  test('one with other content keeps its mode', async () => {
    await chmod(parent, 0o755);
    await writeFile(join(parent, 'theirs'), '');
    const directory = await openDataDirectory(parent);
    expect((await stat(parent)).mode & 0o777).toBe(0o755);
    await directory.release();
  });

  test('a file in its place is one clear error', async () => {
    const path = join(parent, 'file');
    await writeFile(path, '');
    const opening = openDataDirectory(path);
    await expect(opening).rejects.toThrow(DataDirectoryError);
    await expect(opening).rejects.toThrow(/^The data directory .*file cannot be used: EEXIST[^\n]*$/);
  });

  test('below a file it is one clear error', async () => {
    await writeFile(join(parent, 'file'), '');
    await expect(openDataDirectory(join(parent, 'file', 'a', 'b'))).rejects.toThrow(
      /^The data directory .*file\/a\/b cannot be used: ENOTDIR[^\n]*$/,
    );
  });

  test('a link that leads nowhere is one clear error', async () => {
    await symlink(join(parent, 'nowhere'), join(parent, 'link'));
    await expect(openDataDirectory(join(parent, 'link', 'a'))).rejects.toThrow(
      /^The data directory .*a cannot be used: EEXIST[^\n]*$/,
    );
  });

  test.skipIf(process.platform !== 'linux')(
    `where the system never makes one it is one clear error${process.platform === 'linux' ? '' : ' (skipped: only Linux has /proc)'}`,
    async () => {
      // In a process of its own: what spins there would hold a thread of this one, and it, for ever.
      const script = join(import.meta.dirname, 'data-directory-holder.ts');
      const child = spawn(process.execPath, [script, '/proc/ame/a/b', 'http://127.0.0.1:1'], {
        stdio: ['pipe', 'ignore', 'pipe'],
      });
      started.push(child.pid ?? 0);
      expect(await text(child.stderr)).toMatch(
        /The data directory \/proc\/ame\/a\/b cannot be used: ENOENT[^\n]* mkdir '\/proc\/ame'/,
      );
    },
  );

  test('several that make the same parents at once all succeed', async () => {
    const path = join(parent, 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 10 }, (_, index) => makeDirectory(join(path, String(index)))));
    await makeDirectory(path);
    expect(await readdir(path)).toHaveLength(10);
  });
});

describe('the lock', () => {
  test('excludes a second open in the same process, tells it the address, and can be given back', async () => {
    const first = await openDataDirectory(parent);
    await first.announce('http://127.0.0.1:8080');
    const second = openDataDirectory(parent);
    await expect(second).rejects.toThrow(DataDirectoryBusyError);
    await expect(second).rejects.toThrow(
      `AME runs already as process ${process.pid} at http://127.0.0.1:8080 (data directory ${parent})`,
    );
    expect(await findServer(parent)).toEqual({ pid: process.pid, address: 'http://127.0.0.1:8080' });
    await first.release();
    await first.release();
    expect(await findServer(parent)).toBeUndefined();
    const third = await openDataDirectory(parent);
    await third.release();
  });

  test('a holder without an address is still starting', async () => {
    const first = await openDataDirectory(parent);
    await expect(openDataDirectory(parent)).rejects.toThrow(
      `as process ${process.pid}, which is still starting`,
    );
    await first.release();
  });

  test('of twenty processes one has it; killed, it leaves nothing behind', async () => {
    const address = 'http://127.0.0.1:1';
    const all = await Promise.all(Array.from({ length: 20 }, () => startHolder(parent, address)));
    const holders = all.filter(({ said }) => said.startsWith('held'));
    expect(holders).toHaveLength(1);
    const [holder] = holders;
    for (const { said, code } of all.filter((each) => each !== holder)) {
      expect(said).toMatch(/^busy /);
      expect(await code).toBe(1);
    }

    // Its child lives on and must not keep the lock; its record stays and names a process that is gone.
    holder?.process.kill('SIGKILL');
    expect(await holder?.code).toBeNull();
    const child = Number(holder?.said.split(' ')[1]);
    expect(process.kill(child, 0)).toBe(true);
    const again = await Promise.all(Array.from({ length: 5 }, () => startHolder(parent, address)));
    const next = again.filter(({ said }) => said.startsWith('held'));
    expect(next).toHaveLength(1);
    expect(await findServer(parent)).toEqual({ pid: next[0]?.process.pid, address });
    next[0]?.process.stdin.end();
    expect(await next[0]?.code).toBe(0);
    expect(await findServer(parent)).toBeUndefined();
  });
});

test('the name that attempts are stored under stays when the machine is called something else', async () => {
  const first = await readOrCreateHost(parent, 'laptop');
  expect(first).toMatch(/^laptop-[0-9a-f]{6}$/);
  expect(await readOrCreateHost(parent, 'renamed')).toBe(first);
});

describe('token and key', () => {
  test('are made once, for our user alone', async () => {
    const tokens = await Promise.all(Array.from({ length: 10 }, () => readOrCreateToken(parent)));
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(/^ame_[\w-]{32}$/);
    const keys = await Promise.all(Array.from({ length: 10 }, () => readOrCreateKey(parent)));
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
    expect(keys[0]).toHaveLength(32);
    for (const name of ['token', 'secret-key']) {
      expect((await stat(join(parent, name))).mode & 0o777).toBe(0o600);
    }
  });

  test('are closed again where someone opened them', async () => {
    const token = await readOrCreateToken(parent);
    await chmod(join(parent, 'token'), 0o644);
    expect(await readOrCreateToken(parent)).toBe(token);
    expect((await stat(join(parent, 'token'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(parent, 'token'), 'utf8')).toBe(`${token}\n`);
  });

  test('damaged ones are named, never replaced', async () => {
    await writeFile(join(parent, 'token'), 'short');
    await writeFile(join(parent, 'secret-key'), '');
    await expect(readOrCreateToken(parent)).rejects.toThrow(/token holds no token/);
    await expect(readOrCreateKey(parent)).rejects.toThrow(/secret-key is damaged/);
    await expect(readOrCreateKey(join(parent, 'absent'))).rejects.toThrow(DataDirectoryError);
  });
});

type HolderProcess = {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  readonly said: string;
  readonly code: Promise<unknown>;
};

async function startHolder(path: string, address: string): Promise<HolderProcess> {
  const script = join(import.meta.dirname, 'data-directory-holder.ts');
  const child = spawn(process.execPath, [script, path, address], { stdio: ['pipe', 'pipe', 'inherit'] });
  started.push(child.pid ?? 0);
  const code = once(child, 'exit').then(([status]: unknown[]) => status);
  const lines = createInterface(child.stdout);
  const [said]: unknown[] = await Promise.race([once(lines, 'line'), once(lines, 'close')]);
  const [word, grandchild] = typeof said === 'string' ? said.split(' ') : [];
  if (word === 'held') started.push(Number(grandchild));
  return { process: child, said: typeof said === 'string' ? said : '', code };
}
