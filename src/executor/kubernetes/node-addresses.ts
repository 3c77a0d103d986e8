import type { Cluster } from './client.ts';
import { isRefused } from './cluster-error.ts';

type NodeObject = {
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
  };
};

/** As many nodes are enough to find the network that they are in. */
const most = 20;

/** Where some of the cluster's nodes are, inside of it; nothing where nobody may look at nodes. */
export async function findNodeAddresses(cluster: Cluster): Promise<readonly string[]> {
  try {
    const query = { limit: String(most) };
    const { items = [] } = (await cluster.ask({ method: 'GET', path: '/api/v1/nodes', query })) as {
      readonly items?: readonly NodeObject[];
    };
    return items
      .flatMap(({ status }) => status?.addresses ?? [])
      .filter(({ type }) => type === 'InternalIP')
      .map(({ address }) => address);
  } catch (error) {
    // The right to it is cluster-wide, and AME does without.
    if (isRefused(error, 'forbidden')) return [];
    throw error;
  }
}
