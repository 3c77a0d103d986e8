import { afterAll, beforeAll, expect, test } from 'vitest';
import { saveSecret } from '../../src/db/secrets.ts';
import { startClusterAme, type ClusterAme } from './ame-on-cluster.ts';
import { openCluster, type Cluster } from './cluster.ts';

let cluster: Cluster;
let ame: ClusterAme;
beforeAll(async () => {
  cluster = await openCluster();
  ame = await startClusterAme(cluster);
});
afterAll(async () => {
  await ame?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const file = `projectname: late
on: push
tasks:
  main:
    runcommand: test "$TOKEN" = set-late
    secrets: [TOKEN]
`;

test('a secret that is set once its Job is made reaches the pod that waits for it', async () => {
  const repository = await ame.repository();
  const pushing = repository.push({ 'ame.yaml': file });
  // Its Secret was written before, without that key.
  await cluster.jobs((jobs) => (jobs.length > 0 ? true : undefined));
  const run = await ame.watch(async () => (await ame.read.runs(repository)).at(-1));
  const { db, secretKey } = ame.server.context;
  await saveSecret(db, secretKey, { projectId: run.projectId, name: 'TOKEN', value: 'set-late' });
  expect((await pushing).code).toBe(0);
  const ended = await ame.ended(repository);
  expect([ended.state, ended.reason]).toEqual(['succeeded', null]);
  expect(await ame.read.attempts(ended)).toHaveLength(1);
});
