import { afterEach, expect, test } from 'vitest';
import { connectCluster } from '../../src/executor/kubernetes/client.ts';
import { meetsTerms, toleratesAll, type Taint } from '../../src/executor/kubernetes/node-match.ts';
import { createNodes } from '../../src/executor/kubernetes/nodes.ts';
import type { NodeTerm, PlacementSettings } from '../../src/executor/kubernetes/placement.ts';
import { createManualClock } from '../agent/manual-clock.ts';
import { startFakeKubernetes, type FakeKubernetes } from '../fakes/kubernetes/server.ts';
import { orderOf, plainSettings } from './kubernetes-orders.ts';

type Tolerations = PlacementSettings['tolerations'];

const gpu: Taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' };

test.each<readonly [string, Tolerations, readonly Taint[], boolean]>([
  ['no taint', [], [], true],
  ['a taint that nobody tolerates', [], [gpu], false],
  ['its key and value', [{ key: 'gpu', value: 'yes' }], [gpu], true],
  ['another value', [{ key: 'gpu', value: 'no' }], [gpu], false],
  ['its key, whatever the value', [{ key: 'gpu', operator: 'Exists' }], [gpu], true],
  ['everything', [{ operator: 'Exists' }], [gpu], true],
  ['another effect', [{ key: 'gpu', operator: 'Exists', effect: 'NoExecute' }], [gpu], false],
  ['one of two', [{ key: 'gpu', operator: 'Exists' }], [gpu, { key: 'spot', effect: 'NoExecute' }], false],
  ['a wish alone', [], [{ key: 'old', effect: 'PreferNoSchedule' }], true],
  [
    'a node that is cordoned now',
    [],
    [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }],
    true,
  ],
])('taints: %s', (_, tolerations, taints, expected) => {
  expect(toleratesAll(tolerations, taints)).toBe(expected);
});

const node = { name: 'a', labels: { zone: 'north', memory: '24576' } };
const one = (operator: string, values?: readonly string[], key = 'zone'): readonly NodeTerm[] => [
  { matchExpressions: [{ key, operator, ...(values && { values }) }] },
];

test.each<readonly [string, readonly NodeTerm[], boolean]>([
  ['no term', [], true],
  ['an empty term', [{}], false],
  ['In', one('In', ['south', 'north']), true],
  ['In, of a label that is not there', one('In', ['north'], 'other'), false],
  ['NotIn', one('NotIn', ['north']), false],
  ['NotIn, of a label that is not there', one('NotIn', ['north'], 'other'), true],
  ['Exists', one('Exists'), true],
  ['DoesNotExist', one('DoesNotExist'), false],
  ['Gt', one('Gt', ['24575'], 'memory'), true],
  ['Gt, the same', one('Gt', ['24576'], 'memory'), false],
  ['Gt, of a text', one('Gt', ['1']), false],
  ['Lt', one('Lt', ['24577'], 'memory'), true],
  ['an operator of the future', one('Near', ['north']), false],
  ['its name', [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }], true],
  ['the second of two terms', [...one('DoesNotExist'), ...one('Exists')], true],
])('node affinity: %s', (_, terms, expected) => {
  expect(meetsTerms(terms, node)).toBe(expected);
});

const owned: AsyncDisposableStack[] = [];
afterEach(async () => {
  for (const stack of owned.splice(0)) await stack.disposeAsync();
});

async function tryNodes(settings: Partial<PlacementSettings> = {}) {
  const stack = new AsyncDisposableStack();
  owned.push(stack);
  const fake = stack.use(await startFakeKubernetes());
  const cluster = await connectCluster({ kubeconfig: fake.kubeconfig, namespace: null });
  stack.defer(() => cluster.close());
  const clock = createManualClock();
  return { fake, clock, nodes: createNodes(cluster, { ...plainSettings, ...settings }, clock) };
}

function putNode(
  fake: FakeKubernetes,
  name: string,
  allocatable: Readonly<Record<string, string>>,
  more: { readonly labels?: Readonly<Record<string, string>>; readonly taints?: readonly Taint[] } = {},
): void {
  fake.store.put('nodes', name, {
    metadata: { labels: more.labels ?? {} },
    spec: { taints: more.taints ?? [] },
    status: { allocatable },
  });
}

const gibibyte = 2 ** 30;
const asked = orderOf(1).asked;

test('what nodes can hold is told beside the agent, and whether one of them could hold it all', async () => {
  const { fake, nodes } = await tryNodes({ nodeSelector: { pool: 'work' } });
  const labels = { pool: 'work' };
  putNode(fake, 'a', { cpu: '4', memory: '8Gi', 'ephemeral-storage': '100Gi' }, { labels });
  putNode(
    fake,
    'b',
    { cpu: '1500m', memory: '2Gi', 'ephemeral-storage': '100Gi', 'nvidia.com/gpu': '2' },
    { labels: { ...labels, 'nvidia.com/gpu.memory': '24576' } },
  );
  putNode(fake, 'c', { cpu: '64', memory: '512Gi' }, { labels: { pool: 'other' } });
  putNode(fake, 'd', { cpu: '64', memory: '512Gi' }, { labels, taints: [gpu] });
  const room = await nodes.roomFor({ ...asked, gpus: 2, vramMib: 24_576 }, 0);
  expect(room).toEqual({
    nodes: 2,
    largest: {
      cpuMillis: 3_950,
      memoryBytes: 8 * gibibyte - 128 * 2 ** 20,
      storageBytes: 100 * gibibyte - 64 * 2 ** 20,
      gpus: 2,
      vramMib: 24_576,
    },
    fits: true,
  });
  const fits = async (more: Partial<typeof asked>, diskBytes = 0): Promise<boolean | undefined> =>
    (await nodes.roomFor({ ...asked, ...more }, diskBytes))?.fits;
  expect(await fits({ cpu: { millis: 3_950, limited: true } })).toBe(true);
  expect(await fits({ cpu: { millis: 3_951, limited: true } })).toBe(false);
  expect(await fits({ gpus: 3 })).toBe(false);
  expect(await fits({}, 100 * gibibyte - 64 * 2 ** 20)).toBe(true);
  expect(await fits({}, 100 * gibibyte)).toBe(false);
  expect(await fits({ gpus: 1, vramMib: 24_577 })).toBe(false);
  // Each alone would fit, but not on the same node.
  expect(await fits({ gpus: 1, memory: { bytes: 4 * gibibyte, ceilingBytes: 4 * gibibyte } })).toBe(false);
  expect(fake.count('GET nodes')).toBe(1);
});

test('nodes are looked at once a minute, and seldom where that is forbidden', async () => {
  const { fake, nodes, clock } = await tryNodes();
  await Promise.all([nodes.roomFor(asked, 0), nodes.roomFor(asked, 0)]);
  expect(fake.count('GET nodes')).toBe(1);
  clock.advance(60_000);
  fake.fail('GET nodes', { status: 403, message: 'nodes is forbidden' });
  expect(await nodes.roomFor(asked, 0)).toBeNull();
  clock.advance(120_000);
  expect(await nodes.roomFor(asked, 0)).toBeNull();
  expect(fake.count('GET nodes')).toBe(2);
});

test('a look that failed is not remembered', async () => {
  const { fake, nodes } = await tryNodes();
  fake.fail('GET nodes', { status: 503 });
  await expect(nodes.roomFor(asked, 0)).rejects.toThrow('503');
  expect(await nodes.roomFor(asked, 0)).toMatchObject({ nodes: 0, fits: false });
});

test('a node of which nothing is heard is told from one that says itself that it is not ready', async () => {
  const { fake, nodes } = await tryNodes();
  for (const [name, is] of [
    ['silent', 'Unknown'],
    ['ailing', 'False'],
    ['well', 'True'],
  ] as const)
    fake.store.put('nodes', name, { status: { conditions: [{ type: 'Ready', status: is }] } });
  const silent = await Promise.all(['silent', 'ailing', 'well', 'gone'].map((name) => nodes.isSilent(name)));
  expect(silent).toEqual([true, false, false, false]);
  fake.fail('GET nodes', { status: 403, message: 'nodes is forbidden' });
  expect(await nodes.isSilent('silent')).toBe(false);
});
