import { afterAll, beforeAll, expect, test } from 'vitest';
import { saveSecret } from '../../src/db/secrets.ts';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { openCluster } from './cluster.ts';
import { pushTasks, runOf } from './pushes.ts';

const owned = new AsyncDisposableStack();
let ame: ClusterAme;
beforeAll(async () => {
  ame = owned.use(await startClusterAme(owned.use(await openCluster())));
});
afterAll(() => owned.disposeAsync());

test('an entry that never comes to life is explained by what its container said', async () => {
  const secret = 'a-secret-that-is-printed';
  // In place of `sh` the loader of programs lists what that is made of, and ends with 0: nobody reports an end.
  const env = `{LD_TRACE_LOADED_OBJECTS: "1", LD_PRELOAD: ${secret}.so}`;
  const repository = await pushTasks(ame, `main: {env: ${env}, runcommand: echo never}`);
  const { projectId } = await runOf(ame, repository);
  const { db, secretKey } = ame.server.context;
  // It is set by the time of the last try, of which the check speaks.
  await saveSecret(db, secretKey, { projectId, name: 'PRINTED', value: secret });
  const run = await ame.ended(repository);
  expect([run.state, run.class]).toEqual(['failed', 'agent_failed']);
  const attempts = await ame.read.attempts(run);
  // A further try tells its own. An agent that had to ask twice has said so beside it.
  const saidBy = attempts.map(
    ({ lastWords }) => lastWords?.said.find(({ container }) => container === 'task')?.text,
  );
  expect(saidBy).toEqual(attempts.map(() => expect.stringContaining('.so') as unknown));
  expect(attempts.map(({ lastWords }) => lastWords?.unread)).toEqual(attempts.map(() => null));
  const last = saidBy.at(-1);
  expect(last).toContain('***.so');
  const { says } = await ame.read.check(run.commit, run);
  expect(says.text).toContain(`Container <code>task</code>:\n\n\`\`\`\n${last}\n\`\`\``);
  expect(says.text).not.toContain(secret);
});
