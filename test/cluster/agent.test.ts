import { Exec } from '@kubernetes/client-node';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PlacedRun } from '../../src/db/runs.ts';
import { text } from '../journeys/text.ts';
import { testBucket } from '../storage/s3-server.ts';
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

/** Runs a file's `main` to its end. */
async function runOf(on: ClusterAme, main: string): Promise<PlacedRun> {
  const repository = await on.repository();
  const file = `projectname: agent\non: push\ntasks:\n${text`${main}`.replaceAll(/^/gm, '  ')}\n`;
  await repository.push({ 'ame.yaml': file });
  return on.watch(async () => (await on.read.runs(repository)).find((run) => run.finishedAt !== null));
}

const count = 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo "line $i"; sleep 0.05; done; echo kept > file';
const counted = Array.from({ length: 300 }, (_, at) => `line ${at + 1}\n`).join('');

/** Process 1 hears no signal of its own container but those it listens to: its own inspector makes it exit. */
const crash = `
process.kill(1, 'SIGUSR1');
for (;;) {
  const [target] = await fetch('http://127.0.0.1:9229/json').then((it) => it.json(), () => []);
  if (target === undefined) continue;
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  const expression = 'setTimeout(() => process.exit(9), 100)';
  socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }));
  // A process that ends waits for its inspector to leave.
  socket.onmessage = () => socket.close();
  await new Promise((resolve) => { socket.onclose = resolve; socket.onerror = resolve; });
  break;
}`;

async function crashAgent(pod: string): Promise<void> {
  const command = ['node', '--input-type=module', '--eval', crash];
  const { promise, resolve } = Promise.withResolvers<void>();
  const quiet = (): PassThrough => new PassThrough().resume();
  const socket = await new Exec(cluster.config).exec(
    ...([cluster.namespace, pod, 'agent', command, quiet(), quiet(), null, false] as const),
    () => resolve(),
  );
  socket.addEventListener('close', () => resolve());
  await promise;
}

test('an agent that crashes is started again and goes on where it was, and nothing is lost or doubled', async () => {
  const repository = await ame.repository();
  const file = `projectname: agent\non: push\ntasks:\n  main:\n    image: ${cluster.settings.smallImage}\n    runcommand: '${count}'\n`;
  await repository.push({ 'ame.yaml': file });
  const pod = await cluster.pods((pods) => pods.find(({ status }) => status?.phase === 'Running'));
  await ame.watch(async () => {
    const run = (await ame.read.runs(repository)).at(-1);
    return run && (await ame.read.log(run, 'main')).includes('line 20\n') ? true : undefined;
  });
  await crashAgent(pod.metadata?.name ?? '');
  const run = await ame.watch(async () =>
    (await ame.read.runs(repository)).find((one) => one.finishedAt !== null),
  );
  expect(await ame.read.states(run)).toEqual(['main succeeded']);
  expect(await ame.read.log(run, 'main')).toBe(counted);
  const artifacts = await ame.read.artifacts(run, 'main');
  expect(artifacts.map(({ path }) => path)).toEqual(['file']);
  const [attempt] = await ame.read.attempts(run);
  expect(attempt?.report?.cpuSeconds).toBeGreaterThan(0);
});

test('what a task would have the agent read for it is refused', async () => {
  const run = await runOf(
    ame,
    `
    main:
      - ln -s /ame/token/token leak
      - ln -s /proc/1/environ leak2
    `,
  );
  expect(await ame.read.states(run)).toEqual(['main failed content_refused']);
});

test('a task finds no token, nothing of what the agent keeps, and makes nothing beside its pipes', async () => {
  const run = await runOf(
    ame,
    `
    main:
      - ls /ame/io/script
      - if cat /ame/token/token; then exit 9; fi
      - if ls /ame/token || ls /ame/state; then exit 10; fi
      - if touch /ame/io/new; then exit 11; fi
    `,
  );
  expect(await ame.read.states(run)).toEqual(['main succeeded']);
});

/** The server that AME_TEST_S3 names, under the name by which pods reach this machine. */
async function bucketForPods() {
  const place = await testBucket(`pods-${process.pid}/`);
  const { agentHost } = cluster.settings;
  if (place === null || agentHost === null) return null;
  const endpoint = new URL(place.endpoint);
  endpoint.hostname = agentHost;
  return { ...place, endpoint: endpoint.origin };
}

test('content goes from and to a bucket', async (context) => {
  const place = await bucketForPods();
  if (place === null) return context.skip('set AME_TEST_S3 and AME_TEST_AGENT_HOST to try it');
  await using second = await startClusterAme(cluster, {
    AME_S3_ENDPOINT: place.endpoint,
    AME_S3_BUCKET: place.bucket,
    AME_S3_ACCESS_KEY_ID: place.accessKeyId,
    AME_S3_SECRET_ACCESS_KEY: place.secretAccessKey,
    AME_S3_PREFIX: place.prefix.replace(/\/$/, ''),
  });
  const run = await runOf(
    second,
    `
    main:
      pipeline:
        make:
          - mkdir data && for i in 1 2 3 4 5; do echo $i > data/$i; done
          - head -c 20000000 /dev/zero > big
        use: ["cat data/*", "wc -c < big", "echo done > result"]
    `,
  );
  expect(await second.read.states(run)).toEqual(['make succeeded', 'use succeeded']);
  expect(await second.read.log(run, 'use')).toBe('1\n2\n3\n4\n5\n20000000\n');
  const [artifact] = await second.read.artifacts(run, 'use');
  expect(artifact && (await second.read.content(artifact))).toBe('done\n');
});
