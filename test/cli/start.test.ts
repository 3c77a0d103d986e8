import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { git } from '../git/real-git.ts';
import { createWire } from '../journeys/wire.ts';

// What `npm start` runs, as processes: in a directory of its own, on a database of the test's server.
const launcher = join(import.meta.dirname, '..', '..', 'src', 'cli', 'launch.mjs');

type Child = {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<{ readonly code: unknown; readonly out: string; readonly err: string }>;
  /** Resolves with stdout once it holds the text, or what the pattern finds; rejects where the process ends before. */
  shows(text: string | RegExp): Promise<string>;
};

let folder: string;
let data: string;
let database: TestDatabase;
const children: Child[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ame-test-start-'));
  data = join(folder, 'data');
  database = await createTestDatabase();
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.process.kill('SIGKILL');
    await child.ended;
  }
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
  const child = spawn(process.execPath, [launcher, ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      AME_DATA: data,
      DATABASE_URL: database.url,
      PORT: '0',
      AME_GRACE: '1',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    for (const look of waiting) look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = once(child, 'close').then(([code]: unknown[]) => ({ code, out, err }));
  const shows = (text: string | RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (typeof text === 'string' ? !out.includes(text) : !text.test(out)) return;
        waiting.delete(look);
        resolve(out);
      };
      waiting.add(look);
      look();
      void ended.then(() => reject(new Error(`it ended without "${text}":\n${out}${err}`)));
    });
  const started = { process: child, ended, shows };
  children.push(started);
  return started;
}

test('first the sample, then a push of a change, and a warm start that keeps it all', async () => {
  const first = start(['start']);
  const shown = await first.shows('Ctrl-C stops AME');
  expect(shown).toMatch(
    /^AME runs at http:\/\/127\.0\.0\.1:\d+\/\?token=ame_\S+\n\ngit push http:\S+\/git\/samples\/weather\.git\n/,
  );
  expect(shown).toMatch(/^remote: ame\.yaml: success: Runs main$/m);
  expect(shown).toMatch(/^train {5}\| step 200 of 200: loss 0\.\d+$/m);
  expect(shown).toMatch(
    /^evaluate {2}\| accuracy \d\d\.\d% on 500 held-out days\nevaluate {2}\| .*\nevaluate {4}succeeded/m,
  );
  expect(shown).toMatch(/^weather#1 succeeded after [\d.]+ s\nhttp:\S+\/runs\/\d+\?token=ame_\S+$/m);

  expect(shown).toMatch(/^ {2}http:\S+\/setup {4}connects GitHub; it asks for the token ame_\S+$/m);

  const second = await start(['start']).ended;
  expect([second.code, second.out]).toEqual([1, '']);
  expect(second.err).toBe(
    `ame: AME runs already as process ${first.process.pid} at ${/http:\/\/[\d.:]+/.exec(shown)?.[0]} (data directory ${data})\n`,
  );

  const clone = /git (clone) (\S+)/.exec(shown)?.[2] ?? '';
  await git(folder, 'clone', '--quiet', clone);
  const work = join(folder, 'weather');
  await git(work, 'commit', '--quiet', '--allow-empty', '-m', 'a change');
  await git(work, 'push', '--quiet');
  // Not always the second: a minute of the sample's schedule may begin in between.
  const line = /^(weather#(?!1 )\d+) push: main at /m;
  const pushed = line.exec(await first.shows(line))?.[1];
  await first.shows(`${pushed} succeeded after`);

  first.process.kill('SIGINT');
  const stopped = await first.ended;
  expect([stopped.code, stopped.err]).toEqual([0, 'Stopping; Ctrl-C once more ends at once.\n']);
  expect(stopped.out.endsWith('Stopped.\n')).toBe(true);

  const warm = start(['start']);
  const again = await warm.shows('Ctrl-C stops AME');
  // Where a minute began in between, the sample's schedule has a run in that list too.
  expect(again.replaceAll(/^weather#\d+ .* tick .*\n/gm, '')).toMatch(
    /Everything is still here\. The latest runs:\n\nRUN .*\nweather#\d +succeeded .* push .*\nweather#1 +succeeded /,
  );
  expect(again).not.toContain('git push http');
  warm.process.kill('SIGTERM');
  expect((await warm.ended).code).toBe(0);
});

test('serve is the server alone, with its log on stdout', async () => {
  const serving = start(['serve']);
  await serving.shows('"listening"');
  const runs = await start(['runs', '--json']).ended;
  expect(runs).toEqual({ code: 0, out: '[]\n', err: '' });
  serving.process.kill('SIGINT');
  const { code, out } = await serving.ended;
  expect(code).toBe(0);
  for (const line of out.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
  expect((await start(['runs']).ended).err).toMatch(/^ame: AME is not running /);
});

test('Ctrl-C ends it in the middle of a run, also while the database hangs', async () => {
  await using wire = await createWire(database.url);
  const hung = start(['start'], { DATABASE_URL: wire.url });
  await hung.shows('train     | step 50');
  wire.freeze();
  hung.process.kill('SIGINT');
  const { code, out } = await hung.ended;
  expect([code, out.endsWith('Stopped.\n')]).toEqual([0, true]);
});

test('a port in use is one clear line', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const bound = other.address();
  const port = typeof bound === 'object' && bound !== null ? String(bound.port) : '';
  const { code, out, err } = await start(['start'], { PORT: port }).ended;
  other.close();
  expect([code, out]).toEqual([1, '']);
  expect(err).toMatch(new RegExp(`^ame: Port ${port} is in use by another program\\. .*\\n$`));
});

test('a machine without git is told so in one line', async () => {
  const { code, err } = await start(['start'], { PATH: folder }).ended;
  expect([code, err]).toEqual([
    1,
    'ame: AME needs git, and there is none on the PATH. Install git and start again.\n',
  ]);
});
