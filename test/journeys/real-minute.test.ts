import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { cloneAddress, startServer } from '../../src/main.ts';
import { createTestDatabase } from '../database.ts';
import { openEars, watch } from './ears.ts';
import { createClone } from './pusher.ts';
import { createReader } from './reader.ts';

/** The one journey with the clock of the machine: it waits for the next whole minute, while other files run beside it. */
test(
  'a real minute: the server by itself makes a run of the tick, and never early',
  { timeout: 150_000 },
  async () => {
    await using undo = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'ame-minute-'));
    undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
    const database = undo.use(await createTestDatabase());
    const ears = await openEars(database.url);
    undo.defer(() => ears.close());
    const env = { PATH: process.env['PATH'], PORT: '0', AME_GRACE: '1', DATABASE_URL: database.url };
    const server = await startServer(parseConfig(env), join(directory, 'data'), createLog('silent'));
    undo.defer(() => server.stop());
    const read = createReader(server.context);
    const place = { owner: 'team', name: 'minute' };
    const url = cloneAddress(server, place.owner, place.name);
    const clone = await createClone(join(directory, 'clone'), url, (push) => push);
    const file =
      'projectname: clock\ntasks:\n  main: date\nrecurring_tasks:\n  minutely: {taskref: main, schedule: "* * * * *"}\n';
    const { commit } = await clone.push({ 'ame.yaml': file });
    const run = await watch(ears, async () => (await read.runs(place)).find((row) => row.finishedAt));
    expect(run).toMatchObject({ trigger: 'tick', commit, state: 'succeeded' });
    const nominal = Date.parse(run.causeKey.slice('tick:minutely:'.length));
    const drift = run.createdAt.getTime() - nominal;
    console.log(`the tick of ${new Date(nominal).toISOString()} was a run after ${drift} ms`);
    expect(nominal % 60_000).toBe(0);
    expect(drift).toBeGreaterThanOrEqual(0);
  },
);
