import { startBadRegistry, type BadRegistry } from './endings/registry.ts';
import { areNodesHere } from './nodes.ts';
import type { Cluster } from './cluster.ts';

/** The registry of bad answers, which goes at the end; null, and the reason printed, where nodes cannot reach it. */
export async function openBadRegistry(
  cluster: Cluster,
  what: string,
): Promise<(AsyncDisposable & BadRegistry) | null> {
  if (!(await areNodesHere(cluster))) {
    console.log(
      `skipped: ${what}, because not all nodes are this machine, whose registry they would have to reach`,
    );
    return null;
  }
  const registry = await startBadRegistry();
  return {
    ...registry,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => registry.server.close(resolve));
      registry.server.closeAllConnections();
      await closed;
    },
  };
}
