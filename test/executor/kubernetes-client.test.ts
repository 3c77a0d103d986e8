import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ExecutorAwayError } from '../../src/executor/executor.ts';
import { connectCluster, type Cluster } from '../../src/executor/kubernetes/client.ts';
import { ClusterRefusal } from '../../src/executor/kubernetes/cluster-error.ts';
import { startFakeKubernetes, type FakeKubernetes, type Fault } from '../fakes/kubernetes/server.ts';

const owned: AsyncDisposableStack[] = [];
afterEach(async () => {
  for (const stack of owned.splice(0)) await stack.disposeAsync();
});

const path = '/apis/batch/v1/namespaces/work/jobs';

async function tryClient(): Promise<{ readonly fake: FakeKubernetes; readonly cluster: Cluster }> {
  const stack = new AsyncDisposableStack();
  owned.push(stack);
  const fake = stack.use(await startFakeKubernetes());
  const cluster = await connectCluster({ kubeconfig: fake.kubeconfig, namespace: null });
  stack.defer(() => cluster.close());
  return { fake, cluster };
}

test('the namespace is the context’s unless another one is named', async () => {
  const { fake, cluster } = await tryClient();
  expect(cluster.namespace).toBe('work');
  const other = await connectCluster({ kubeconfig: fake.kubeconfig, namespace: 'other' });
  expect(other.namespace).toBe('other');
});

test.each<readonly [Fault, string]>([
  [{ status: 400, message: 'no such field' }, 'invalid'],
  [{ status: 403, message: 'not you' }, 'forbidden'],
  [{ status: 404, message: 'nothing here' }, 'missing'],
  [{ status: 409, message: 'there already' }, 'conflict'],
  [{ status: 410, message: 'too old' }, 'expired'],
  [{ status: 413, message: 'too large' }, 'invalid'],
  [{ status: 422, message: 'must be a name' }, 'invalid'],
])('%o is a refusal', async (fault, kind) => {
  const { fake, cluster } = await tryClient();
  fake.fail('POST jobs', fault);
  const error: unknown = await cluster
    .ask({ method: 'POST', path, body: {} })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ClusterRefusal);
  expect(error).toMatchObject({ kind, message: typeof fault === 'string' ? '' : fault.message });
});

test.each<Fault>([
  { status: 401, message: 'who are you' },
  { status: 429 },
  { status: 409, headers: { 'retry-after': '1' } },
  { status: 500 },
  { status: 504 },
  'broken',
  'frozen',
])('%o means that it is away', async (fault) => {
  const { fake, cluster } = await tryClient();
  fake.fail('GET jobs', fault, 2);
  await expect(cluster.ask({ method: 'GET', path, timeoutMs: 30 })).rejects.toBeInstanceOf(ExecutorAwayError);
});

test('credentials that were refused are had anew, and asked with once more', async () => {
  const { fake, cluster } = await tryClient();
  fake.fail('GET jobs', { status: 401 });
  await cluster.ask({ method: 'GET', path });
  expect(fake.count('GET jobs')).toBe(2);
});

test('a kept connection that the server closes is not the end of a call', async () => {
  const { fake, cluster } = await tryClient();
  await cluster.ask({ method: 'GET', path });
  fake.fail('GET jobs', 'broken');
  await cluster.ask({ method: 'GET', path });
  expect(fake.count('GET jobs')).toBe(3);
});

test('a call that is ended from outside ends at once', async () => {
  const { fake, cluster } = await tryClient();
  fake.fail('GET jobs', 'frozen');
  const stop = new AbortController();
  const asked = cluster.ask({ method: 'GET', path, signal: stop.signal });
  await fake.until('GET jobs');
  stop.abort();
  await expect(asked).rejects.toBeInstanceOf(ExecutorAwayError);
});

test('nobody at the address means that it is away', async () => {
  const { fake, cluster } = await tryClient();
  await fake[Symbol.asyncDispose]();
  await expect(cluster.ask({ method: 'GET', path })).rejects.toBeInstanceOf(ExecutorAwayError);
  owned.pop();
});

test('many calls share few connections', async () => {
  let connections = 0;
  const server = createServer((_, response) => response.end('{}'));
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // What a listening TCP server answers with; only one on a pipe has a text.
  const { port } = server.address() as AddressInfo;
  const { fake } = await tryClient();
  await writeFile(
    fake.kubeconfig,
    `{current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}], users: [{name: a, user: {}}],
     clusters: [{name: a, cluster: {server: "http://127.0.0.1:${port}"}}]}`,
  );
  const cluster = await connectCluster({ kubeconfig: fake.kubeconfig, namespace: null });
  for (let time = 0; time < 50; time += 1) await cluster.ask({ method: 'GET', path });
  expect(connections).toBe(1);
  await Promise.all(Array.from({ length: 200 }, () => cluster.ask({ method: 'GET', path })));
  expect(connections).toBeLessThanOrEqual(33);
  cluster.close();
  await new Promise((resolve) => server.close(resolve));
});

test.each([
  ['/nowhere/at/all', /ENOENT/],
  ['', /ENOENT|no such file/],
])('a kubeconfig that is not there is told: %s', async (kubeconfig, said) => {
  await expect(connectCluster({ kubeconfig, namespace: null })).rejects.toThrow(said);
});
