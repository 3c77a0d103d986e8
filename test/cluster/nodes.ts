import { ApiException, type V1Taint } from '@kubernetes/client-node';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Cluster } from './cluster.ts';

/** A node that is an entry and no machine: pods are placed on it and never begin. */
export type FakeNode = AsyncDisposable & { readonly name: string };

/**
 * Adds a node, closed to all but those who tolerate the taints given and the key `ame.test/fake`; it goes at the end.
 * `has` is what it can give beside 8 cores, 32Gi and 100 pods.
 */
export async function addNode(
  cluster: Cluster,
  suffix: string,
  {
    labels = {},
    has = {},
    taints = [fakeTaint],
  }: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly has?: Readonly<Record<string, string>>;
    readonly taints?: readonly V1Taint[];
  },
): Promise<FakeNode> {
  const { core, namespace } = cluster;
  const name = `${namespace}-${suffix}`;
  const amounts = { cpu: '8', memory: '32Gi', 'ephemeral-storage': '100Gi', pods: '100', ...has };
  await core.createNode({
    body: {
      metadata: { name, labels: { 'kubernetes.io/hostname': name, 'ame.test/of': namespace, ...labels } },
      spec: { taints: [...taints] },
      status: { capacity: amounts, allocatable: amounts },
    },
  });
  return {
    name,
    async [Symbol.asyncDispose]() {
      try {
        await core.deleteNode({ name });
      } catch (error) {
        if (!(error instanceof ApiException) || error.code !== 404) throw error;
      }
    },
  };
}

const fakeTaint: V1Taint = { key: 'ame.test/fake', effect: 'NoSchedule' };

/** For pods that go to fake nodes alone; those never say that they are ready. */
export function onFakeNodes({ namespace }: Cluster): Readonly<Record<string, string>> {
  const keys = ['ame.test/fake', 'node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
  return {
    AME_K8S_NODE_SELECTOR: JSON.stringify({ 'ame.test/of': namespace }),
    AME_K8S_TOLERATIONS: JSON.stringify(keys.map((key) => ({ key, operator: 'Exists' }))),
  };
}

/** Whether this machine is all of the cluster's nodes, so that they reach its 127.0.0.1. */
export async function areNodesHere({ core }: Pick<Cluster, 'core'>): Promise<boolean> {
  const { items } = await core.listNode();
  // A node that is closed for good to what does not know it may be none at all.
  const open = items.filter(({ spec }) =>
    (spec?.taints ?? []).every(({ key }) => key.startsWith('node.kubernetes.io/')),
  );
  const addresses = open.map(
    ({ status }) => status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '',
  );
  for (const address of new Set(addresses)) if (!(await isOwn(address))) return false;
  return true;
}

/** Only what is an address of this machine can be listened on; the system's list leaves out what is idle. */
async function isOwn(address: string): Promise<boolean> {
  if (address === '') return false;
  const server = createServer();
  try {
    server.listen(0, address);
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
