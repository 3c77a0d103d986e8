import type { Clock } from '../../agent/clock.ts';
import type { ClusterEvent, ClusterFacts } from '../../core/outcome/cluster-facts.ts';
import { isRefused } from './cluster-error.ts';
import type { Cluster } from './client.ts';
import { eventFactsOf, type KubernetesEvent } from './observe.ts';

export type Warnings = {
  /** Warnings about these objects, by their uids; none where there is no right to read events, or no time. */
  about(attempt: number, uids: readonly string[]): Promise<readonly ClusterEvent[]>;
  forget(attempt: number): void;
};

/** How long what was read of an attempt is not read again. */
const rememberedMs = 20_000;
const refusedMs = 600_000;
/** Questions about events at once: they explain, and nothing waits for them to go on. */
const mostAtOnce = 8;
const mostRemembered = 5_000;

/** Reads the warnings of single attempts, seldom and not many at once. */
export function createWarnings(cluster: Cluster, clock: Clock): Warnings {
  const known = new Map<number, { readonly events: readonly ClusterEvent[]; readonly until: number }>();
  let asking = 0;
  let refusedUntil = 0;

  async function ask(uid: string): Promise<readonly KubernetesEvent[]> {
    const answer = (await cluster.ask({
      method: 'GET',
      path: `/api/v1/namespaces/${cluster.namespace}/events`,
      query: { fieldSelector: `involvedObject.uid=${uid},type=Warning`, limit: '50' },
    })) as { readonly items?: readonly KubernetesEvent[] };
    return answer.items ?? [];
  }

  return {
    async about(attempt, uids) {
      const now = clock.now();
      const before = known.get(attempt);
      if (before !== undefined && before.until > now) return before.events;
      if (refusedUntil > now || asking >= mostAtOnce) return before?.events ?? [];
      asking += 1;
      try {
        const events = eventFactsOf((await Promise.all(uids.map(ask))).flat());
        if (known.size >= mostRemembered) known.clear();
        known.set(attempt, { events, until: now + rememberedMs });
        return events;
      } catch (error) {
        if (!isRefused(error, 'forbidden')) throw error;
        refusedUntil = now + refusedMs;
        return [];
      } finally {
        asking -= 1;
      }
    },
    forget(attempt) {
      known.delete(attempt);
    },
  };
}

const suspiciousMs = 4_000;

/** Whether warnings may explain what the objects themselves leave open. */
export function wantsWarnings({ job, pod }: Omit<ClusterFacts, 'events'>, now: number): boolean {
  if (job?.failed || pod?.phase === 'Failed') return true;
  if (pod === null) return job !== null && !job.suspended && now - job.createdAt.getTime() > suspiciousMs;
  const begins = pod.node !== null && pod.phase === 'Pending';
  return begins && now - pod.createdAt.getTime() > suspiciousMs;
}
