import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

/** Which rooms a room may import, itself apart. What is not listed may import nothing of ours. */
const doors: Readonly<Record<string, readonly string[]>> = {
  core: [],
  db: ['core'],
  github: ['core'],
  git: ['core'],
  storage: ['core'],
  agent: ['core', 'log'],
  executor: ['core', 'log', 'agent'],
  'data-directory': [],
  config: ['core'],
  log: [],
  hints: [],
  'agent-address': [],
  metrics: [],
  attempt: ['core', 'db', 'git', 'storage'],
  'github-app': ['config', 'db', 'github', 'log'],
  'cluster-executor': ['agent-address', 'attempt', 'config', 'db', 'executor', 'log'],
  'commit-source': ['git', 'github', 'github-app'],
  'run-check': ['core', 'db'],
  'retry-run': ['core', 'db', 'log', 'run-check'],
  'file-check': ['core', 'db'],
  'project-at': ['core', 'git'],
  context: [
    'core',
    'db',
    'git',
    'github',
    'storage',
    'executor',
    'agent',
    'attempt',
    'cluster-executor',
    'commit-source',
    'config',
    'github-app',
    'hints',
    'log',
    'metrics',
  ],
  worker: [
    'core',
    'db',
    'git',
    'github',
    'storage',
    'executor',
    'attempt',
    'file-check',
    'github-app',
    'project-at',
    'retry-run',
    'run-check',
    'context',
    'hints',
    'log',
    'metrics',
  ],
  server: [
    'core',
    'db',
    'git',
    'github',
    'storage',
    'attempt',
    'file-check',
    'github-app',
    'project-at',
    'retry-run',
    'run-check',
    'context',
    'hints',
    'log',
    'metrics',
  ],
  main: ['config', 'context', 'data-directory', 'db', 'log', 'server', 'worker'],
  doctor: ['agent-address', 'config', 'core', 'db', 'executor', 'github', 'github-app', 'log', 'storage'],
  'pod-agent': ['agent', 'config', 'log'],
  sample: ['config', 'main', 'git', 'log'],
  cli: [
    'core',
    'config',
    'data-directory',
    'doctor',
    'log',
    'main',
    'sample',
    'server',
    'git',
    'db',
    'hints',
  ],
};

type Import = {
  readonly file: string;
  readonly room: string;
  readonly target: string;
  readonly line: string;
};

const root = join(import.meta.dirname, '..', 'src');

async function sources(): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function roomOf(path: string): string {
  return path.split('/')[0]?.replace(/\.(ts|mjs)$/, '') ?? '';
}

async function imports(): Promise<readonly Import[]> {
  const found: Import[] = [];
  for (const file of await sources()) {
    const text = await readFile(join(root, file), 'utf8');
    for (const match of text.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^;]*?from '([^']+)'|import\('([^']+)'\)/g,
    )) {
      const path = match[1] ?? match[2] ?? '';
      const target = path.startsWith('.') ? relative(root, join(root, dirname(file), path)) : path;
      found.push({ file, room: roomOf(file), target, line: match[0].trim() });
    }
  }
  return found;
}

test('every room imports only the rooms that it may', async () => {
  const wrong = (await imports()).filter(({ room, target, file }) => {
    if (target.startsWith('@') || !/\.(ts|mjs)$/.test(target)) return false;
    const other = roomOf(target);
    return other !== room && !(doors[room] ?? []).includes(other) && file !== '';
  });
  expect(wrong.map(({ file, line }) => `${file}: ${line}`)).toEqual([]);
});

test('every room is named in the table', async () => {
  const rooms = new Set((await sources()).map(roomOf));
  expect([...rooms].filter((room) => !(room in doors))).toEqual([]);
});

/** Packages that stand for an outside system, and the one room that knows each. */
const owners: readonly (readonly [name: RegExp, rooms: readonly string[]])[] = [
  [/^(drizzle-orm|pg)(\/|$)/, ['db']],
  [/^@octokit\//, ['github']],
  [/^simple-git$/, ['git']],
  [/^(yaml|cron-parser)$/, ['core']],
  [/^(hono|@hono)(\/|$)/, ['server', 'main', 'cli']],
  [/^commander$/, ['cli']],
  [/^pino$/, ['log']],
  [/^prom-client$/, ['metrics']],
  [/^@kubernetes\//, ['executor']],
];

test('only one room knows each outside system', async () => {
  const wrong = (await imports()).filter(({ room, target }) =>
    owners.some(([name, rooms]) => name.test(target) && !rooms.includes(room)),
  );
  expect(wrong.map(({ file, line }) => `${file}: ${line}`)).toEqual([]);
});

test('the core does no I/O and has no clock and no randomness', async () => {
  const pure = new Set(['node:crypto', 'node:buffer']);
  const outside = (await imports()).filter(
    ({ room, target }) => room === 'core' && target.startsWith('node:') && !pure.has(target),
  );
  expect(outside.map(({ file, line }) => `${file}: ${line}`)).toEqual([]);
  const wrong: string[] = [];
  for (const file of (await sources()).filter((path) => path.startsWith('core/'))) {
    const text = await readFile(join(root, file), 'utf8');
    if (
      /\b(Date\.now|new Date\(\)|Math\.random|randomUUID|randomBytes|setTimeout|console\.|process\.)/.test(
        text,
      )
    )
      wrong.push(file);
  }
  expect(wrong).toEqual([]);
});

test('process.env is read in one place, and SQL written in one room', async () => {
  const env: string[] = [];
  const sql: string[] = [];
  for (const file of await sources()) {
    const text = await readFile(join(root, file), 'utf8');
    if (/process\.env\b/.test(text)) env.push(file);
    if (!file.startsWith('db/') && /\bsql`/.test(text)) sql.push(file);
  }
  // The launcher runs before TypeScript can: it passes the environment on and reads nothing of it.
  expect(env.filter((file) => file !== 'cli/launch.mjs')).toEqual(['config.ts']);
  expect(sql).toEqual([]);
});

test('no file is a drawer, and none re-exports for others', async () => {
  const names = (await sources()).filter((path) =>
    /(^|\/)(utils?|helpers?|common|misc|manager|service|index)(\.ts|\/)/.test(path),
  );
  expect(names).toEqual([]);
});
