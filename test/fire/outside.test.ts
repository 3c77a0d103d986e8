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

/** Modules of Node that reach the outside, as far as they are ever used. */
const modules: Readonly<Record<string, object>> = {
  'node:fs': fs,
  'node:fs/promises': fs.promises,
  'node:http': http,
  'node:https': https,
  'node:child_process': childProcess,
};

/** Programs of their own, and what a person runs: the harness plays the server. */
const others = /^(agent\/pod\/|cli\/|sample\/|doctor\/|pod-agent|main\.ts|data-directory|db\/embedded)/;

/** What the server uses and is not watched, with why. */
const known: Readonly<Record<string, string>> = {
  // Everything that starts a program comes down to one function, which is watched.
  spawn: 'ChildProcess.prototype.spawn',
  execFile: 'ChildProcess.prototype.spawn',
  constants: 'numbers',
  closeSync: 'a file that is not closed is one more open file',
  fstatSync: 'of a file that is open',
  existsSync: 'at the start only, where it cannot fail',
  readdirSync: 'in the thread, whose work is one call here',
  lstatSync: 'in the thread',
  readlinkSync: 'in the thread',
  Agent: 'opens connections for requests, which are watched',
};

type Used = { readonly file: string; readonly module: string; readonly name: string };

async function imported(): Promise<readonly Used[]> {
  const used: Used[] = [];
  for (const file of await readdir(sources, { recursive: true })) {
    if (!file.endsWith('.ts') || others.test(file)) continue;
    const text = await readFile(join(sources, file), 'utf8');
    for (const [, names = '', module = ''] of text.matchAll(/^import \{([^}]*)\} from '(node:[\w/]+)'/gm))
      for (const name of names.split(','))
        if (!name.trim().startsWith('type '))
          used.push({ file, module, name: name.trim().split(' as ')[0] ?? '' });
  }
  return used.filter(({ module, name }) => module in modules && name !== '');
}

test('whatever the server uses to reach the outside is watched, or said not to be', async () => {
  const before = new Map(Object.entries(modules).map(([name, module]) => [name, { ...module }]));
  const isReplaced = (module: string, name: string): boolean =>
    Reflect.get(modules[module] ?? {}, name) !== Reflect.get(before.get(module) ?? {}, name);
  const used = await imported();
  expect(used.length).toBeGreaterThan(50);
  using _watched = await watchOutside();
  const open = used.filter(({ module, name }) => !(name in known) && !isReplaced(module, name));
  expect(open).toEqual([]);
  // What the rooms never use any more is no longer to be explained.
  const names = new Set(used.map(({ name }) => name));
  expect(Object.keys(known).filter((name) => !names.has(name))).toEqual([]);
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
