import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ClusterFacts, ContainerFacts, PodFacts } from '../../src/core/outcome/cluster-facts.ts';
import { judgeProbe } from '../../src/doctor/cluster/probe.ts';
import { probeJob } from '../../src/doctor/cluster/probe-job.ts';
import type { PodSettings } from '../../src/executor/kubernetes/manifest.ts';

const settings: PodSettings = {
  namespace: 'work',
  instance: 'doctor',
  image: 'ame:1',
  defaultImage: 'python:3',
  taskEnv: [],
  user: 1000,
  annotations: { team: 'ml' },
  priorityClass: 'low',
  runtimeClass: null,
  imagePullSecrets: ['registry'],
  queue: 'research',
  agentUrl: 'http://ame.example:8081',
  graceSeconds: 10,
  storePatienceSeconds: 4_200,
  reachPatienceSeconds: 300,
  gpuResource: 'nvidia.com/gpu',
  vramLabel: 'nvidia.com/gpu.memory',
  nodeSelector: { pool: 'work' },
  tolerations: [{ key: 'work', operator: 'Exists' }],
  affinity: null,
};
const defaults = {
  cpuMillis: 100,
  memoryBytes: 2 ** 27,
  memoryCeilingBytes: 2 ** 30,
  storageBytes: 2 ** 28,
};
const at = new Date(0);
const job = { createdAt: at, deleting: false, suspended: false, failed: null, complete: false };
const pod: PodFacts = {
  phase: 'Pending',
  reason: null,
  message: null,
  createdAt: at,
  deleting: false,
  deletedAt: null,
  goneBy: null,
  node: null,
  unscheduled: null,
  disruption: null,
  nodeUnreachable: false,
  agent: null,
  task: null,
};
const waiting = (reason: string, message: string | null = null): ContainerFacts => ({
  state: 'waiting',
  reason,
  message,
  restarts: 0,
  last: null,
});
const ended = (exitCode: number, message: string | null = null): ContainerFacts => ({
  state: 'terminated',
  reason: exitCode === 0 ? 'Completed' : 'Error',
  message,
  exitCode,
  signal: null,
  startedAt: at,
  finishedAt: at,
  restarts: 0,
});
const facts = (agent: ContainerFacts | null, task: ContainerFacts | null): ClusterFacts => ({
  job,
  pod: { ...pod, agent, task },
  events: [],
});

const storeUrl = 'https://s3.example:9000/bucket/x?X-Amz-Signature=1';

test.each([
  ['answers', ended(0), true, /Pods reach the store of content at https:\/\/s3\.example:9000$/],
  [
    'does not',
    ended(0, 'store: UND_ERR_CONNECT_TIMEOUT\n'),
    false,
    /do not reach.*: UND_ERR_CONNECT_TIMEOUT$/,
  ],
] as const)('a store that %s is told beside the rest', (_, agent, ok, words) => {
  const findings = judgeProbe(facts(agent, ended(0)), settings, storeUrl) ?? [];
  expect(findings.map(({ what }) => what)).toEqual(['image', 'door', 'storage']);
  const told = findings.at(-1);
  expect(told?.ok).toBe(ok);
  expect(told?.message).toMatch(words);
  expect(told?.message).not.toContain('Signature');
  expect(told?.remedy ?? 'AME_S3_ENDPOINT').toContain('AME_S3_ENDPOINT');
});

test('the script of the probe tells the door from the store', async () => {
  const command = probeJob('probe', { ...settings, agentUrl: '' }, defaults, storeUrl).spec?.template.spec
    ?.initContainers?.[0]?.command;
  const script = command?.[3] ?? '';
  await using door = await openDoor();
  const { port } = door;
  const nowhere = await openDoor();
  await nowhere[Symbol.asyncDispose]();
  const run = async (...addresses: string[]): Promise<readonly [number | null, string]> => {
    const word = join(tmpdir(), `ame-probe-${process.pid}-${addresses.length}`);
    const own = script.replaceAll('/dev/termination-log', word);
    const child = spawn(process.execPath, ['--input-type=module', '--eval', own, '--', ...addresses]);
    const [code] = (await once(child, 'exit')) as [number | null];
    const text = await readFile(word, 'utf8').catch(() => '');
    await rm(word, { force: true });
    return [code, text];
  };
  const here = `http://127.0.0.1:${port}`;
  expect(await run(here)).toEqual([0, '']);
  // Whatever it says of what is not there.
  expect(await run(here, `${here}/bucket/x?signature`)).toEqual([0, '']);
  expect(await run(here, `http://127.0.0.1:${nowhere.port}/x`)).toEqual([0, 'store: ECONNREFUSED']);
  expect(await run(`http://127.0.0.1:${nowhere.port}`, here)).toEqual([7, 'ECONNREFUSED']);
});

async function openDoor(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/healthz' ? 200 : 403);
    response.end('{"ok":true}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

test.each<[string, ClusterFacts, readonly (readonly [ok: boolean, what: string, words: RegExp])[] | null]>([
  ['no pod yet', { job, pod: null, events: [] }, null],
  ['containers that are being made', facts(waiting('PodInitializing'), waiting('PodInitializing')), null],
  ['the door reached, the task still to come', facts(ended(0), waiting('PodInitializing')), null],
  [
    'all well',
    facts(ended(0), ended(0)),
    [
      [true, 'image', /ame:1, python:3/],
      [true, 'door', /http:\/\/ame\.example:8081/],
    ],
  ],
  [
    'a quota',
    {
      job,
      pod: null,
      events: [{ reason: 'FailedCreate', message: 'pods "x" is forbidden: exceeded quota: small' }],
    },
    [[false, 'pod', /exceeded quota: small/]],
  ],
  [
    "AME's image missing",
    facts(waiting('ImagePullBackOff', 'not found'), waiting('PodInitializing')),
    [[false, 'image', /ame:1 cannot be used: not found.*AME_IMAGE name.*AME_K8S_IMAGE_PULL_SECRETS/]],
  ],
  [
    "the tasks' image missing",
    facts(ended(0), waiting('ErrImagePull', 'not found')),
    [
      [false, 'image', /python:3 cannot be used: not found.*AME_DEFAULT_IMAGE/],
      [true, 'door', /reach/],
    ],
  ],
  [
    'no way to the door',
    facts(ended(7, 'ECONNREFUSED'), waiting('PodInitializing')),
    [
      [true, 'image', /ame:1/],
      [false, 'door', /ECONNREFUSED.*AME_AGENT_URL.*AME_AGENT_BIND/],
    ],
  ],
  [
    'an image of something else',
    facts(ended(127, 'exec: "node": not found'), null),
    [
      [true, 'image', /can be pulled/],
      [false, 'image', /cannot run the agent: exec: "node": not found.*AME_IMAGE/],
    ],
  ],
  [
    'an image without sh',
    facts(ended(0), ended(128, 'exec: "sh": not found')),
    [
      [true, 'door', /reach/],
      [false, 'image', /runs no sh: exec: "sh".*AME_DEFAULT_IMAGE/],
    ],
  ],
  [
    'a deadline',
    { ...facts(null, null), job: { ...job, failed: { reason: 'DeadlineExceeded', message: '' } } },
    [[false, 'pod', /DeadlineExceeded/]],
  ],
])('the probe shows: %s', (_, seen, expected) => {
  const findings = judgeProbe(seen, settings);
  expect(findings?.map(({ ok, what }) => [ok, what]) ?? null).toEqual(
    expected?.map(([ok, what]) => [ok, what]) ?? null,
  );
  for (const [index, { message, remedy, ok }] of (findings ?? []).entries()) {
    expect(`${message}. ${remedy}`).toMatch(expected?.[index]?.[2] ?? /^$/);
    expect(remedy === null).toBe(ok);
  }
});

test('the probe is placed, confined and pulled as an attempt is, and is nobody’s attempt', () => {
  const { metadata, spec } = probeJob('ame-doctor-1', settings, defaults);
  expect(metadata?.labels).toEqual({
    'app.kubernetes.io/managed-by': 'ame',
    'ame.dev/doctor': 'true',
    'kueue.x-k8s.io/queue-name': 'research',
  });
  const made = spec?.template.spec;
  expect(made).toMatchObject({
    nodeSelector: { pool: 'work' },
    tolerations: [{ key: 'work' }],
    priorityClassName: 'low',
    imagePullSecrets: [{ name: 'registry' }],
    securityContext: { runAsNonRoot: true, runAsUser: 1000 },
    volumes: [],
  });
  const containers = [...(made?.initContainers ?? []), ...(made?.containers ?? [])];
  expect(containers.map(({ name, image }) => [name, image])).toEqual([
    ['agent', 'ame:1'],
    ['task', 'python:3'],
  ]);
  for (const container of containers) {
    expect(container).not.toHaveProperty('env');
    expect(container).not.toHaveProperty('restartPolicy');
    expect(container.securityContext?.capabilities?.drop).toEqual(['ALL']);
  }
});
