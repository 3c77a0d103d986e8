import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
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
import { clusterEnv, freePort } from './ame-on-cluster.ts';
import { createApiRelay, type Asked } from './api-relay.ts';
import { lacks, openCluster } from './cluster.ts';
import { awaitObjects } from './objects.ts';
import { createRelay } from './relay.ts';
import { readSettings } from './settings.ts';

const { agentHost } = readSettings();

const file = text`
  projectname: replicas
  on: push
  tasks:
    main:
      pipeline:
        a: [sleep 2, echo a > a]
        b: [sleep 2, cat a]
        c: {needs: [], runcommand: sleep 20}
`;

test.skipIf(lacks(agentHost, 'a paused replica', 'AME_TEST_AGENT_HOST'))(
  'two replicas, of which one stands still past its lease with a Job just made: nothing is doubled',
  { timeout: 300_000 },
  async () => {
    await using undo = new AsyncDisposableStack();
    const cluster = undo.use(await openCluster());
    const directory = await mkdtemp(join(tmpdir(), 'ame-replicas-'));
    undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
    const database = undo.use(await createTestDatabase());
    const db = connect({ url: database.url });
    undo.defer(() => db.close());
    const ears = await openEars(database.url);
    undo.defer(() => ears.close());

    // What replicas share is one directory here; each has a lock of its own.
    const shared = join(directory, 'shared');
    for (const part of ['content', 'repositories']) {
      await mkdir(join(shared, part), { recursive: true });
      for (const own of ['one', 'two']) {
        await mkdir(join(directory, own), { recursive: true });
        await symlink(join(shared, part), join(directory, own, part));
      }
    }
    const read = createReader({ db, storage: await openDirectoryStorage(join(shared, 'content')) });
    const ports = { one: await freePort(), two: await freePort() };
    const door = undo.use(await createRelay({ host: '127.0.0.1', port: ports.one }));
    const api = {
      one: undo.use(await createApiRelay(cluster.config, join(directory, 'one.json'))),
      two: undo.use(await createApiRelay(cluster.config, join(directory, 'two.json'))),
    };
    const env = {
      ...(await clusterEnv(cluster)),
      DATABASE_URL: database.url,
      AME_AGENT_URL: `http://${agentHost}:${door.port}`,
      AME_TOKEN: 'a-token-of-both-replicas',
      AME_SECRET_KEY: '17'.repeat(32),
    };
    const start = (name: 'one' | 'two') =>
      startChildServer(join(directory, name), {
        ...env,
        AME_HOST_NAME: name,
        AME_AGENT_PORT: String(ports[name]),
        KUBECONFIG: api[name].kubeconfig,
      });
    const one = await start('one');
    undo.defer(() => one.kill());
    const two = await start('two');
    undo.defer(() => two.kill());
    undo.defer(() => one.resume());

    // It stands still between the create of a Job and its answer: with the row claimed, the token not given.
    const paused = Promise.withResolvers<string>();
    api.one.onAnswer = ({ method, resource, name, status }) => {
      if (method !== 'POST' || resource !== 'jobs' || status !== 201) return;
      api.one.onAnswer = () => {};
      one.pause();
      door.lead({ host: '127.0.0.1', port: ports.two });
      paused.resolve(name ?? '');
    };
    const repositories = ['x', 'y', 'z'].map((name) => ({ owner: 'team', name }));
    const pushed = repositories.map(async ({ owner, name }) => {
      // Asked for through the second: the first may stand still in the middle of a push.
      const clone = await createClone(join(directory, name), two.cloneUrl(owner, name), (push) => push);
      const { code, text: said } = await clone.push({ 'ame.yaml': file });
      expect(code, said).toBe(0);
    });
    await Promise.all(pushed);
    const held = await paused.promise;

    const ended = (repository: (typeof repositories)[number]) =>
      watch(ears, async () => (await read.runs(repository)).find((run) => run.finishedAt !== null));
    // The other takes over once the lease has lapsed, and gives the Job its token.
    await watch(ears, async () => {
      for (const repository of repositories)
        for (const run of await read.runs(repository))
          for (const attempt of await read.attempts(run))
            if (`ame-attempt-${attempt.id}` === held && attempt.state === 'succeeded') return true;
      return undefined;
    });
    one.resume();
    const runs = await Promise.all(repositories.map(ended));
    // The one that stood still works again.
    door.lead({ host: '127.0.0.1', port: ports.one });
    const again = await createClone(join(directory, 'again'), one.cloneUrl('team', 'again'), (push) => push);
    expect((await again.push({ 'ame.yaml': file })).code).toBe(0);
    runs.push(await ended({ owner: 'team', name: 'again' }));

    expect(runs.map(({ state }) => state)).toEqual(runs.map(() => 'succeeded'));
    const names = new Set<string>();
    for (const run of runs) {
      const attempts = await read.attempts(run);
      expect(attempts.map((row) => `${row.task} ${row.number} ${row.class}`)).toEqual(
        ['a', 'b', 'c'].map((task) => `${task} 1 succeeded`),
      );
      for (const { id } of attempts) names.add(`ame-attempt-${id}`);
    }
    await cluster.jobs((jobs) => (jobs.length === 0 ? true : undefined));

    const writes = [...api.one.asked, ...api.two.asked].filter(({ method }) => method !== 'GET');
    const accepted = Map.groupBy(writes.filter(isAccepted), ({ name }) => name ?? '');
    expect(new Set(accepted.keys())).toEqual(names);
    for (const [name, done] of accepted) {
      // The token of the Job held is given once more where the one that stood still comes after the Job is gone.
      const given = done.filter(({ resource }) => resource === 'secrets');
      expect(given.map(({ method }) => method)).toEqual(
        Array.from({ length: name === held ? given.length : 1 }, () => 'POST'),
      );
      expect(given.length).toBeLessThanOrEqual(2);
      const rest = done.filter(({ resource }) => resource !== 'secrets');
      expect(rest.map(({ method, resource }) => `${method} ${resource}`).toSorted()).toEqual([
        'DELETE jobs',
        'POST jobs',
      ]);
    }
    // Such a token is of a Job that is no more, and goes with it.
    await awaitObjects(cluster.config, 'secrets', cluster.namespace, (secrets) =>
      secrets.some(({ metadata }) => metadata?.labels?.['ame.dev/attempt']) ? undefined : true,
    );
    const by = (asked: readonly Asked[]): number =>
      asked.filter(({ method, resource }) => method === 'POST' && resource === 'jobs').length;
    const refused = writes.filter((write) => !isAccepted(write));
    console.log(
      `${names.size} attempts, ${writes.length} writes; creates of Jobs by each: ${by(api.one.asked)}, ` +
        `${by(api.two.asked)}; refused: ${refused.map(({ method, resource, status }) => `${method} ${resource} ${status}`).join(', ') || 'none'}`,
    );
    // Only what stood still asks for what another one had done by then.
    expect(refused.length).toBeLessThanOrEqual(2);
  },
);

function isAccepted({ status }: Asked): boolean {
  return status >= 200 && status < 300;
}
