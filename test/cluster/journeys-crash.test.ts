import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { openDirectoryStorage } from '../../src/storage/directory.ts';
import { createTestDatabase } from '../database.ts';
import { startChildServer } from '../journeys/child-server.ts';
import { openEars, watch } from '../journeys/ears.ts';
import { createClone } from '../journeys/pusher.ts';
import { createReader } from '../journeys/reader.ts';
import { text } from '../journeys/text.ts';
import { clusterEnv } from './ame-on-cluster.ts';
import { openCluster } from './cluster.ts';

test('AME killed while a task runs: the task goes on, and the next AME takes it to its end', async () => {
  await using undo = new AsyncDisposableStack();
  const cluster = undo.use(await openCluster());
  const directory = await mkdtemp(join(tmpdir(), 'ame-cluster-crash-'));
  undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const database = undo.use(await createTestDatabase());
  const db = connect({ url: database.url });
  undo.defer(() => db.close());
  const ears = await openEars(database.url);
  undo.defer(() => ears.close());
  const data = join(directory, 'data');
  const read = createReader({ db, storage: await openDirectoryStorage(join(data, 'content')) });
  // One port through both lives: what runs was told it.
  const env = { ...(await clusterEnv(cluster)), DATABASE_URL: database.url };

  const first = await startChildServer(data, env);
  const clone = await createClone(join(directory, 'clone'), first.cloneUrl('team', 'crash'), (push) => push);
  const repository = { owner: 'team', name: 'crash' };
  await clone.push({
    'ame.yaml': text`
      projectname: crash
      on: push
      tasks:
        main:
          pipeline:
            a: "echo a > a; for n in $(seq 40); do echo $n; sleep 0.5; done"
            b: [cat a, echo $AME_ATTEMPT]
    `,
  });
  await watch(ears, async () => {
    const run = (await read.runs(repository)).at(-1);
    const log = run && (await read.log(run, 'a'));
    return log ? true : undefined;
  });
  await first.kill();
  const second = await startChildServer(data, env);
  undo.defer(() => second.kill());
  const run = await watch(ears, async () => (await read.runs(repository)).find((row) => row.finishedAt));
  expect([run.state, run.reason]).toEqual(['succeeded', null]);
  const attempts = await read.attempts(run);
  expect(attempts.map((row) => `${row.task} ${row.number} ${row.class}`)).toEqual([
    'a 1 succeeded',
    'b 1 succeeded',
  ]);
  // Not a line is lost, and none comes twice.
  expect(await read.log(run, 'a')).toBe(Array.from({ length: 40 }, (_, index) => `${index + 1}\n`).join(''));
  expect(await read.log(run, 'b')).toBe('a\n1\n');
  await cluster.jobs((jobs) => (jobs.length === 0 ? true : undefined));
});
