import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Connection } from '../../src/db/connect.ts';
import { openDirectoryStorage } from '../../src/storage/directory.ts';
import { createTestDatabase, query, type TestDatabase } from '../database.ts';
import { startChildServer, type ChildServer } from './child-server.ts';
import { openEars, watch, type Ears } from './ears.ts';
import { createPipes } from './pipes.ts';
import { createClone, type Clone } from './pusher.ts';
import { createReader, type Reader } from './reader.ts';
import { text } from './text.ts';
import { createWire } from './wire.ts';

let directory: string;
let database: TestDatabase;
let ears: Ears;
let db: Connection;
let read: Reader;
let server: ChildServer | null = null;
let repositories = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ame-crash-'));
  database = await createTestDatabase();
  ears = await openEars(database.url);
  db = connect({ url: database.url });
  read = createReader({ db, storage: await openDirectoryStorage(join(directory, 'data', 'content')) });
});
afterAll(async () => {
  await server?.kill();
  await ears.close();
  await db.close();
  await database.drop();
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
});

/** The server on the one data directory, started where it does not run; `wire` is where it finds its database. */
async function running(wire: string = database.url): Promise<ChildServer> {
  server ??= await startChildServer(join(directory, 'data'), { DATABASE_URL: wire, AME_LOCAL_SLOTS: '4' });
  return server;
}

async function kill(): Promise<void> {
  const killed = server;
  server = null;
  await killed?.kill();
}

type Named = Clone & { readonly owner: string; readonly name: string };

async function repository(on: ChildServer): Promise<Named> {
  const [owner, name] = ['team', `work-${(repositories += 1)}`];
  return {
    ...(await createClone(join(directory, name), on.cloneUrl(owner, name), (push) => push)),
    owner,
    name,
  };
}

/** Waits for the end of a repository's newest run. */
async function ended(of: Named) {
  const run = await watch(ears, async () => (await read.runs(of)).findLast((row) => row.finishedAt !== null));
  const attempts = await read.attempts(run);
  return { run, attempts, tries: attempts.map((row) => `${row.task} ${row.number} ${row.class}`) };
}

test('killed while a command runs: nothing of it lives on, it was lost, and its next try ends the run', async () => {
  await using pipes = await createPipes();
  const up = await pipes.listen();
  const clone = await repository(await running());
  await clone.push({
    'ame.yaml': text`
      projectname: killed
      on: push
      tasks:
        main:
          pipeline:
            first: echo first > file
            long:
              - cat file
              - if [ $AME_ATTEMPT = 1 ]; then exec 3> ${up.path}; echo up >&3; setsid sleep 1000 & sleep 1000; fi
              - echo done > result
            last: cat result
    `,
  });
  await up.first;
  await kill();
  // The end of the pipe: nobody holds it any more, also not who left the group.
  expect(await up.heard).toBe('up\n');
  await running();
  const { run, tries } = await ended(clone);
  expect(run).toMatchObject({ state: 'succeeded', class: 'succeeded', reason: null });
  expect(tries).toEqual(['first 1 succeeded', 'long 1 lost', 'long 2 succeeded', 'last 1 succeeded']);
  expect(await read.log(run, 'last')).toBe('done\n');
});

// Each notice of the database is a moment at which something was just committed.
test.each([1, 2, 4, 7, 11])('killed at notice %s of a push, and started again', async (moment) => {
  const clone = await repository(await running());
  await clone.commit({
    'ame.yaml': text`
      projectname: moments
      on: push
      tasks:
        main:
          pipeline:
            a: [echo a, echo a > a]
            b: {needs: [], runcommand: echo b > b}
            c: {needs: [a, b], runcommand: cat a b}
    `,
  });
  ears.forget();
  const push = clone.push();
  for (let heard = 0; heard < moment; heard += 1) await ears.next();
  await kill();
  const pushed = await push;
  await running();
  // Who saw their push fail tries again; where the ref had moved already, there is nothing more to push.
  if (pushed.code !== 0) {
    await clone.git('remote', 'set-url', 'origin', (await running()).cloneUrl(clone.owner, clone.name));
    expect((await clone.push()).code).toBe(0);
  }
  const { run, attempts } = await ended(clone);
  expect([run.state, run.reason]).toEqual(['succeeded', null]);
  expect(await read.runs(clone)).toHaveLength(1);
  expect(await read.states(run)).toEqual(['a succeeded', 'b succeeded', 'c succeeded']);
  for (const row of attempts) expect(['succeeded', 'lost']).toContain(row.class);
  expect(await read.log(run, 'a')).toBe('a\n');
  expect(await read.log(run, 'c')).toBe('a\nb\n');
  expect((await read.artifacts(run, 'a')).map(({ path }) => path)).toEqual(['a']);
  expect((await read.check(run.commit, run)).says).toMatchObject({
    status: 'completed',
    conclusion: 'success',
  });
});

test('killed while it stores what a command left', async () => {
  const clone = await repository(await running());
  await clone.push({
    'ame.yaml': 'projectname: stores\non: push\ntasks:\n  main: python3 many.py\n',
    'many.py': 'for n in range(300): open(f"file-{n}", "w").write(str(n))\nprint("stored from here on")\n',
  });
  await watch(ears, async () => ((await read.log(await read.run(clone), 'main')) === '' ? undefined : true));
  await kill();
  await running();
  const { run } = await ended(clone);
  expect(run.state).toBe('succeeded');
  expect(await read.artifacts(run, 'main')).toHaveLength(300);
  expect(await read.log(run, 'main')).toBe('stored from here on\n');
});

test('stopped in order while a command runs: it hears TERM, and is tried again after the next start', async () => {
  await using pipes = await createPipes();
  const up = await pipes.listen();
  const clone = await repository(await running());
  await clone.push({
    'ame.yaml': text`
      projectname: stopped
      on: push
      tasks:
        main:
          - if [ $AME_ATTEMPT = 1 ]; then exec 3> ${up.path}; trap 'echo bye >&3; exit 1' TERM; echo up >&3; sleep 1000 & wait; fi
          - echo again
    `,
  });
  await up.first;
  await server?.stop();
  server = null;
  expect(await up.heard).toBe('up\nbye\n');
  await running();
  const { run, tries } = await ended(clone);
  expect([run.state, ...tries]).toEqual(['succeeded', 'main 1 lost', 'main 2 succeeded']);
});

test('every session of the database cut while a command runs', async () => {
  await using pipes = await createPipes();
  const [up, hold] = [await pipes.listen(), await pipes.hold()];
  const clone = await repository(await running());
  await clone.push({
    'ame.yaml': `projectname: cut\non: push\ntasks:\n  main: {pipeline: {a: "echo up > ${up.path}; read _ < ${hold.path}", b: echo b}}\n`,
  });
  await up.heard;
  await query(
    database.url,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name in ('ame', 'ame-worker')`,
  );
  // The reader’s own were cut too.
  await db.close();
  db = connect({ url: database.url });
  read = createReader({ db, storage: await openDirectoryStorage(join(directory, 'data', 'content')) });
  hold.release();
  const { run, tries } = await ended(clone);
  expect([run.state, ...tries]).toEqual(['succeeded', 'a 1 succeeded', 'b 1 succeeded']);
});

test('the database away for a while, in which a command ends', async () => {
  await kill();
  await using wire = await createWire(database.url);
  await using pipes = await createPipes();
  const [up, hold, down] = [await pipes.listen(), await pipes.hold(), await pipes.listen()];
  const clone = await repository(await running(wire.url));
  await clone.push({
    'ame.yaml': text`
      projectname: away
      on: push
      tasks:
        main:
          pipeline:
            a: [echo up > ${up.path}, read _ < ${hold.path}, echo meanwhile > file, echo told, echo down > ${down.path}]
            b: cat file
    `,
  });
  await up.heard;
  wire.cut();
  hold.release();
  await down.heard;
  const refused = await clone.push({ other: 'file\n' });
  expect([refused.code === 0, refused.text]).toEqual([
    false,
    expect.stringMatching(/cannot reach its database/),
  ]);
  wire.mend();
  const { run, tries } = await ended(clone);
  expect([run.state, ...tries]).toEqual(['succeeded', 'a 1 succeeded', 'b 1 succeeded']);
  expect(await read.log(run, 'a')).toBe('told\n');
  expect(await read.log(run, 'b')).toBe('meanwhile\n');
  await kill();
});

test('the embedded Postgres killed while a command runs', async () => {
  await using pipes = await createPipes();
  const [up, hold, next, end] = [
    await pipes.listen(),
    await pipes.hold(),
    await pipes.listen(),
    await pipes.hold(),
  ];
  const own = join(directory, 'own');
  const embedded = await startChildServer(own, {});
  try {
    const clone = await repository(embedded);
    const pushed = await clone.push({
      'ame.yaml': `projectname: own\non: push\ntasks:\n  main: {pipeline: {a: "echo up > ${up.path}; read _ < ${hold.path}", b: "echo up > ${next.path}; read _ < ${end.path}"}}\n`,
    });
    expect(pushed.code, pushed.text).toBe(0);
    await up.heard;
    process.kill(await postmasterOf(own), 'SIGKILL');
    hold.release();
    // The second task is proof that a new Postgres was started and that the word of the first one reached it.
    await next.heard;
    const again = await openEars(embedded.databaseUrl);
    const there = connect({ url: embedded.databaseUrl });
    try {
      const reader = createReader({ db: there, storage: await openDirectoryStorage(join(own, 'content')) });
      end.release();
      const run = await watch(again, async () =>
        (await reader.runs(clone)).find((row) => row.finishedAt !== null),
      );
      expect(await reader.states(run)).toEqual(['a succeeded', 'b succeeded']);
      expect(await reader.attempts(run)).toHaveLength(2);
    } finally {
      await again.close();
      await there.close();
    }
  } finally {
    await embedded.stop();
  }
});

/** The first process of the Postgres in a data directory. */
async function postmasterOf(own: string): Promise<number> {
  const folders = (await readdir(own)).filter((name) => name.startsWith('postgres'));
  const file = await readFile(join(own, folders[0] ?? '', 'data', 'postmaster.pid'), 'utf8');
  return Number(file.split('\n')[0]);
}
