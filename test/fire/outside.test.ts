import childProcess from 'node:child_process';
import fs from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { watchOutside } from './watch-outside.ts';

const sources = fileURLToPath(new URL('../../src/', import.meta.url));

/** Modules of Node of which parts are watched. */
const watched: Readonly<Record<string, object>> = {
  'node:fs': fs,
  'node:fs/promises': fs.promises,
  'node:http': http,
  'node:https': https,
  'node:child_process': childProcess,
};

/** Modules of Node that reach nothing: what they are given stays in the process. Every other one is asked for below. */
const inside = new Set(
  'async_hooks buffer diagnostics_channel crypto events os path perf_hooks stream stream/consumers stream/promises timers timers/promises url util v8 zlib'
    .split(' ')
    .map((name) => `node:${name}`),
);

/** Programs of their own, and what a person runs: the harness plays the server. */
const others = /^(agent\/pod\/|cli\/|sample\/|doctor\/|pod-agent|main\.ts|data-directory|db\/embedded)/;

/** What the server uses and is not watched, with why. `*`: a whole module, in whatever way it is imported. */
const known: Readonly<Record<string, string>> = {
  // Everything that starts a program comes down to one function, which is watched.
  'node:child_process spawn': 'ChildProcess.prototype.spawn',
  'node:child_process execFile': 'ChildProcess.prototype.spawn',
  'node:fs constants': 'numbers',
  'node:fs/promises constants': 'numbers',
  'node:fs closeSync': 'a file that is not closed is one more open file',
  'node:fs fstatSync': 'of a file that is open',
  'node:fs existsSync': 'at the start only, where it cannot fail',
  'node:fs readdirSync': 'in the thread, whose work is one call here',
  'node:fs lstatSync': 'in the thread',
  'node:fs readlinkSync': 'in the thread',
  'node:http Agent': 'opens connections for requests, which are watched',
  'node:https Agent': 'opens connections for requests, which are watched',
  'node:net Socket': 'of the database, whose statements are watched, and of the pipe of a command',
  'node:dgram createSocket':
    'asks the system for its own address on the way to the API server, and sends nothing',
  'node:worker_threads Worker': 'Worker.prototype.postMessage',
  'node:worker_threads parentPort': 'in the thread',
};

/** Packages that the server imports, and how what they reach is watched. */
const nothing = 'reaches nothing';
const packages: Readonly<Record<string, string>> = {
  pg: 'Client.prototype.connect and .query',
  'drizzle-orm': 'by way of pg',
  '@kubernetes/client-node':
    'reads the file of its configuration, and asks by node:https, whose requests are watched',
  '@octokit/rest': 'fetch',
  s3mini: 'fetch',
  'simple-git': 'ChildProcess.prototype.spawn',
  '@hono/node-server': 'only listens',
  pino: 'the log of the server',
  '@hono/zod-openapi': nothing,
  '@octokit/webhooks': nothing,
  'cron-parser': nothing,
  hono: nothing,
  ignore: nothing,
  'p-limit': nothing,
  'prom-client': nothing,
  yaml: nothing,
  zod: nothing,
};

type Used = { readonly file: string; readonly module: string; readonly name: string };

/** Names that a file takes from a module; `*` for all of it. Types reach nothing. */
function namesOf(clause: string): readonly string[] {
  const braces = /\{([^}]*)\}/.exec(clause);
  const whole = clause
    .replace(/\{[^}]*\}/, '')
    .replaceAll(',', '')
    .trim();
  const named = (braces?.[1] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
    .map((name) => name.split(' as ')[0] ?? '');
  return [...(whole === '' ? [] : ['*']), ...named.map((name) => (name === 'default' ? '*' : name))];
}

/** Every import of a text, static or not, a re-export among them. */
function importsOf(text: string): readonly Omit<Used, 'file'>[] {
  const used: Omit<Used, 'file'>[] = [];
  for (const [, type, clause = '', module = ''] of text.matchAll(
    /^(?:import|export)\s+(type\s+)?([\w$*{][^'"]*?)\s+from\s+['"]([^'"]+)['"]/gm,
  ))
    if (type === undefined) for (const name of namesOf(clause)) used.push({ module, name });
  for (const [, module = ''] of text.matchAll(
    /(?:^import\s+|\bimport\s*\(\s*|\brequire\s*\(\s*|\bgetBuiltinModule\s*\(\s*)['"]([^'"]+)['"]/gm,
  ))
    used.push({ module, name: '*' });
  return used;
}

async function imported(): Promise<readonly Used[]> {
  const used: Used[] = [];
  for (const file of await readdir(sources, { recursive: true })) {
    if (!file.endsWith('.ts') || others.test(file)) continue;
    const text = await readFile(join(sources, file), 'utf8');
    for (const one of importsOf(text)) if (!one.module.startsWith('.')) used.push({ file, ...one });
  }
  return used;
}

test('whatever the server uses to reach the outside is watched, or said not to be', async () => {
  const before = new Map(Object.entries(watched).map(([name, module]) => [name, { ...module }]));
  const isReplaced = ({ module, name }: Used): boolean =>
    Reflect.get(watched[module] ?? {}, name) !== Reflect.get(before.get(module) ?? {}, name);
  const all = await imported();
  const used = all.filter(({ module }) => module.startsWith('node:') && !inside.has(module));
  expect(used.length).toBeGreaterThan(50);
  using _watched = await watchOutside();
  const open = used.filter((one) => !(`${one.module} ${one.name}` in known) && !isReplaced(one));
  expect(open).toEqual([]);
  const reached = all
    .filter(({ module }) => !module.startsWith('node:'))
    .map(({ module }) => packageOf(module));
  expect(reached.filter((name) => !(name in packages))).toEqual([]);
  // What the rooms never use any more is no longer to be explained.
  const names = new Set(used.map(({ module, name }) => `${module} ${name}`));
  expect(Object.keys(known).filter((name) => !names.has(name))).toEqual([]);
  expect(Object.keys(packages).filter((name) => !reached.includes(name))).toEqual([]);
});

function packageOf(module: string): string {
  return module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/');
}

test.each([
  [`import { spawn } from 'node:child_process';`, ['node:child_process spawn']],
  [
    `import {\n  spawn as start,\n  type ChildProcess,\n} from "node:child_process";`,
    ['node:child_process spawn'],
  ],
  [`import net from 'node:net';`, ['node:net *']],
  [`import net, { connect } from 'node:net';`, ['node:net *', 'node:net connect']],
  [`import { default as net } from 'node:net';`, ['node:net *']],
  [`import * as dns from 'node:dns';`, ['node:dns *']],
  [`import 'node:tls';`, ['node:tls *']],
  [`export { connect } from 'node:http2';`, ['node:http2 connect']],
  [`export * from 'node:http2';`, ['node:http2 *']],
  [`const { connect } = await import('node:tls');`, ['node:tls *']],
  [`const dgram = process.getBuiltinModule('node:dgram');`, ['node:dgram *']],
  [`const dgram = createRequire(import.meta.url)('node:dgram'); require('dgram');`, ['dgram *']],
  [`import type { Socket } from 'node:net';`, []],
])('%s', (text, expected) => {
  expect(importsOf(text).map(({ module, name }) => `${module} ${name}`)).toEqual(expected);
});

test('what was watched is as it was', async () => {
  const before = [fs.promises.readFile, fs.openSync, childProcess.spawn, http.request, globalThis.fetch];
  const watched = await watchOutside();
  expect(fs.promises.readFile).not.toBe(before[0]);
  watched[Symbol.dispose]();
  expect([fs.promises.readFile, fs.openSync, childProcess.spawn, http.request, globalThis.fetch]).toEqual(
    before,
  );
});
