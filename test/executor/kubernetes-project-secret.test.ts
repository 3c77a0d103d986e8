import { afterEach, expect, test } from 'vitest';
import { connectCluster } from '../../src/executor/kubernetes/client.ts';
import { createProjectSecrets, type ProjectSecrets } from '../../src/executor/kubernetes/project-secret.ts';
import { createManualClock, type ManualClock } from '../agent/manual-clock.ts';
import { startFakeKubernetes, type FakeKubernetes } from '../fakes/kubernetes/server.ts';
import { instance, ownKey } from './kubernetes-orders.ts';

type Tried = {
  readonly fake: FakeKubernetes;
  readonly clock: ManualClock;
  readonly values: Map<string, string>;
  readonly projects: Set<number>;
  readonly secrets: ProjectSecrets;
};

const owned: AsyncDisposableStack[] = [];
afterEach(async () => {
  for (const stack of owned.splice(0)) await stack.disposeAsync();
});

async function trySecrets(given?: Tried): Promise<Tried> {
  const stack = new AsyncDisposableStack();
  owned.push(stack);
  const fake = given?.fake ?? stack.use(await startFakeKubernetes());
  const values = given?.values ?? new Map([['KEY', 'a value']]);
  const projects = given?.projects ?? new Set([5]);
  const clock = createManualClock();
  const cluster = await connectCluster({ kubeconfig: fake.kubeconfig, namespace: null });
  stack.defer(() => cluster.close());
  const secrets = createProjectSecrets({
    cluster,
    instance,
    key: ownKey,
    secretsOf: () => Promise.resolve([...values].map(([name, value]) => ({ name, value }))),
    projectsOf: (ids) => Promise.resolve(new Set(ids.filter((id) => projects.has(id)))),
    clock,
  });
  return { fake, clock, values, projects, secrets };
}

function writes({ asked }: FakeKubernetes): readonly string[] {
  return asked.map(({ what }) => what).filter((what) => !what.startsWith('GET'));
}

function stored({ store }: FakeKubernetes): unknown {
  return store.find('secrets', 'ame-project-5')?.['data'];
}

const encoded = (text: string): string => Buffer.from(text).toString('base64');

test('it is written once, and again only when a value differs', async () => {
  const { fake, clock, values, secrets } = await trySecrets();
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await secrets.mirror(5);
    clock.advance(60_000);
  }
  expect(writes(fake)).toEqual(['POST secrets']);
  expect(stored(fake)).toEqual({ KEY: encoded('a value') });
  values.set('KEY', 'another');
  values.set('MORE', 'ünï');
  await secrets.mirror(5);
  expect(writes(fake)).toEqual(['POST secrets', 'PUT secrets/ame-project-5']);
  expect(stored(fake)).toEqual({ KEY: encoded('another'), MORE: encoded('ünï') });
});

test('a value that is deleted goes from the cluster also where nothing is started any more', async () => {
  const { fake, values, secrets } = await trySecrets();
  await secrets.mirror(5);
  const token = { 'ame.dev/instance': instance, 'ame.dev/project': '6', 'ame.dev/attempt': '7' };
  fake.store.put('secrets', 'ame-attempt-7', { metadata: { labels: token } });
  const { signal } = new AbortController();
  await secrets.refresh(signal);
  expect(writes(fake)).toEqual(['POST secrets']);
  values.delete('KEY');
  await secrets.refresh(signal);
  await secrets.refresh(signal);
  expect(stored(fake)).toEqual({});
  expect(writes(fake)).toEqual(['POST secrets', 'PUT secrets/ame-project-5']);
});

test('the Secret of a project that is gone goes as well, and is there again when it is needed', async () => {
  const { fake, projects, secrets } = await trySecrets();
  expect(await secrets.mirror(5)).toEqual(['KEY']);
  const { signal } = new AbortController();
  projects.delete(5);
  await secrets.refresh(signal);
  expect(writes(fake)).toEqual(['POST secrets', 'DELETE secrets/ame-project-5']);
  await secrets.mirror(5);
  expect(stored(fake)).toEqual({ KEY: encoded('a value') });
});

test('neither an annotation nor a label tells a value', async () => {
  const { fake, secrets } = await trySecrets();
  await secrets.mirror(5);
  const { metadata } = fake.store.find('secrets', 'ame-project-5') ?? {};
  expect(metadata?.annotations?.['ame.dev/digest']).toMatch(/^[0-9a-f]{64}$/);
  expect(JSON.stringify(metadata)).not.toContain('a value');
});

test('one that somebody removed or changed is made anew before long', async () => {
  const { fake, clock, secrets } = await trySecrets();
  await secrets.mirror(5);
  fake.store.remove('secrets', 'ame-project-5');
  clock.advance(30_000);
  await secrets.mirror(5);
  expect(stored(fake)).toEqual({ KEY: encoded('a value') });
});

test.each([
  { was: 'emptied', data: {} },
  { was: 'changed', data: { KEY: encoded('theirs') } },
  { was: 'added to', data: { KEY: encoded('a value'), THEIRS: encoded('x') } },
])('one that somebody has $was, and whose digest stayed, is made as it was', async ({ data }) => {
  const { fake, clock, secrets } = await trySecrets();
  await secrets.mirror(5);
  const change = (): void => {
    const there = fake.store.find('secrets', 'ame-project-5');
    fake.store.put('secrets', 'ame-project-5', { ...there, data });
  };
  change();
  clock.advance(30_000);
  await secrets.mirror(5);
  expect(stored(fake)).toEqual({ KEY: encoded('a value') });
  // Also where nothing of the project is started any more.
  change();
  clock.advance(30_000);
  await secrets.refresh(new AbortController().signal);
  expect(stored(fake)).toEqual({ KEY: encoded('a value') });
  expect(writes(fake)).toHaveLength(3);
});

test('two replicas that begin at once end with the same', async () => {
  const one = await trySecrets();
  const two = await trySecrets(one);
  await Promise.all([one.secrets.mirror(5), two.secrets.mirror(5), one.secrets.mirror(5)]);
  expect(one.fake.store.all('secrets')).toHaveLength(1);
  expect(stored(one.fake)).toEqual({ KEY: encoded('a value') });
});

test("a Secret of somebody else under the project's name is never written", async () => {
  const { fake, secrets } = await trySecrets();
  fake.store.put('secrets', 'ame-project-5', { metadata: { labels: {} }, data: { theirs: '' } });
  await expect(secrets.mirror(5)).rejects.toThrow('was not made by this AME');
  expect(stored(fake)).toEqual({ theirs: '' });
});

test('a failure is told and not remembered', async () => {
  const { fake, secrets } = await trySecrets();
  fake.fail('POST secrets', { status: 500 });
  await expect(secrets.mirror(5)).rejects.toThrow('500');
  await secrets.mirror(5);
  expect(stored(fake)).toEqual({ KEY: encoded('a value') });
});
