import type { Clock } from '../../agent/clock.ts';
import type { ClusterRoom } from '../../core/outcome/cluster-facts.ts';
import { wholeUnits, parseQuantity } from '../../core/quantity.ts';
import type { AskedResources } from '../../core/resources.ts';
import { isRefused } from './cluster-error.ts';
import type { Cluster } from './client.ts';
import { listPages, type Listed } from './list-pages.ts';
import { agentRequests } from './manifest.ts';
import { meetsTerms, toleratesAll, type Taint } from './node-match.ts';
import { requiredTerms, type PlacementSettings } from './placement.ts';

export type Nodes = {
  /**
   * What the nodes that pods of ours may be placed on could hold if they were empty; null where nobody may look.
   * `diskBytes` are asked of a node's disk, which is another amount than what the task may write.
   */
  roomFor(asked: AskedResources, diskBytes: number): Promise<ClusterRoom>;
  /** Whether nothing is heard of a node any more; false also where nobody may look, or it is gone. */
  isSilent(name: string): Promise<boolean>;
};

type NodeObject = Listed & {
  readonly metadata?: { readonly name?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: { readonly taints?: readonly Taint[] };
  readonly status?: {
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
};

type Amounts = NonNullable<ClusterRoom>['largest'];

const rememberedMs = 60_000;
/** How long it is believed that we may not look at nodes: rights seldom change. */
const refusedMs = 600_000;

/** Looks at the nodes at most once a minute; without the right to, which is cluster-wide, it says null. */
export function createNodes(cluster: Cluster, settings: PlacementSettings, clock: Clock): Nodes {
  let known: { readonly nodes: Promise<readonly Amounts[] | null>; until: number } | null = null;

  async function look(): Promise<readonly Amounts[] | null> {
    const found: Amounts[] = [];
    try {
      for await (const page of listPages<NodeObject>(cluster, '/api/v1/nodes', ''))
        for (const node of page) if (isOpen(node, settings)) found.push(amountsOf(node, settings));
    } catch (error) {
      if (!isRefused(error, 'forbidden')) throw error;
      if (known) known.until = clock.now() + refusedMs;
      return null;
    }
    return found;
  }

  return {
    async roomFor(asked, diskBytes) {
      if (known === null || known.until <= clock.now()) {
        const fresh = { nodes: look(), until: clock.now() + rememberedMs };
        known = fresh;
        // What failed is not kept, and whoever asked hears of it.
        fresh.nodes.catch(() => {
          if (known === fresh) known = null;
        });
      }
      const nodes = await known.nodes;
      if (nodes === null) return null;
      return {
        nodes: nodes.length,
        largest: largestOf(nodes),
        fits: nodes.some((node) => holds(node, asked, diskBytes)),
      };
    },

    async isSilent(name) {
      try {
        const path = `/api/v1/nodes/${encodeURIComponent(name)}`;
        const { status } = (await cluster.ask({ method: 'GET', path })) as NodeObject;
        // Unknown is the control plane's word for a kubelet that says nothing; False is the kubelet's own.
        return (
          status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'Unknown') ?? false
        );
      } catch (error) {
        if (isRefused(error, 'forbidden') || isRefused(error, 'missing')) return false;
        throw error;
      }
    },
  };
}

/** Whether the scheduler could ever choose it: what only ails it for a while does not count. */
function isOpen({ metadata, spec }: NodeObject, settings: PlacementSettings): boolean {
  const nodeLabels = metadata?.labels ?? {};
  return (
    Object.entries(settings.nodeSelector).every(([key, value]) => nodeLabels[key] === value) &&
    toleratesAll(settings.tolerations, spec?.taints ?? []) &&
    meetsTerms(requiredTerms(settings.affinity), { name: metadata?.name ?? '', labels: nodeLabels })
  );
}

/** What a task can have of it, once the agent beside it has its part. */
function amountsOf({ metadata, status }: NodeObject, settings: PlacementSettings): Amounts {
  const has = (name: string): number => Number(wholeUnits(status?.allocatable?.[name] ?? '') ?? 0n);
  const cpuMillis = Number((parseQuantity(status?.allocatable?.['cpu'] ?? '') ?? 0n) / 1_000_000n);
  const gpus = has(settings.gpuResource);
  const vram = Number(metadata?.labels?.[settings.vramLabel] ?? '');
  return {
    cpuMillis: Math.max(0, cpuMillis - agentRequests.cpuMillis),
    memoryBytes: Math.max(0, has('memory') - agentRequests.memoryBytes),
    storageBytes: Math.max(0, has('ephemeral-storage') - agentRequests.storageBytes),
    gpus,
    vramMib: gpus > 0 && Number.isInteger(vram) && vram > 0 ? vram : null,
  };
}

function largestOf(nodes: readonly Amounts[]): Amounts {
  const most = (of: (node: Amounts) => number): number => Math.max(0, ...nodes.map(of));
  const vram = most(({ vramMib }) => vramMib ?? 0);
  return {
    cpuMillis: most(({ cpuMillis }) => cpuMillis),
    memoryBytes: most(({ memoryBytes }) => memoryBytes),
    storageBytes: most(({ storageBytes }) => storageBytes),
    gpus: most(({ gpus }) => gpus),
    vramMib: vram === 0 ? null : vram,
  };
}

function holds(node: Amounts, asked: AskedResources, diskBytes: number): boolean {
  return (
    node.cpuMillis >= asked.cpu.millis &&
    node.memoryBytes >= asked.memory.bytes &&
    node.storageBytes >= diskBytes &&
    node.gpus >= asked.gpus &&
    (asked.gpus === 0 || asked.vramMib === null || (node.vramMib ?? 0) >= asked.vramMib)
  );
}
