import { PatchStrategy, setHeaderOptions, type V1Pod } from '@kubernetes/client-node';
import { setTimeout as delay } from 'node:timers/promises';
import { doorPath, reportWord } from '../../src/core/door-wire.ts';
import { attemptOf, type Cluster } from '../cluster/cluster.ts';

/** What says at AME's door what the agents of pods would say that run on no machine: that all ended well. */
export type FakeAgents = {
  /** Attempts whose report was taken. */
  readonly reported: ReadonlySet<number>;
  /** Looks at the pods that are there now, and speaks for those that are new. */
  look(pods: readonly V1Pod[]): void;
  /** Resolves when nobody speaks any more. */
  stop(): Promise<void>;
};

export function createFakeAgents(cluster: Cluster, agentUrl: string): FakeAgents {
  const spoken = new Map<number, Promise<void>>();
  const reported = new Set<number>();
  const stopping = new AbortController();

  async function speak(id: number, pod: string): Promise<void> {
    const token = await tokenOf(cluster, { id, pod }, stopping.signal);
    if (token === null) return;
    const say = (path: string, body: unknown): Promise<boolean> =>
      sayUntilHeard(`${agentUrl}${doorPath(id)}${path}`, token, body, stopping.signal);
    if (!(await say('/started', { at: new Date().toISOString() }))) return;
    const now = new Date();
    const report = reportWord({
      ending: { exitCode: 0, signal: null },
      fault: null,
      phases: { preparedFrom: now, startedAt: now, endedAt: now, storedAt: now },
      output: null,
      artifacts: [],
      notices: [],
      peakMemoryBytes: null,
    });
    if (await say('/report', report)) reported.add(id);
  }

  return {
    reported,
    look(pods) {
      for (const pod of pods) {
        const id = attemptOf(pod);
        if (pod.status?.phase === 'Running' && !spoken.has(id))
          spoken.set(id, speak(id, pod.metadata?.name ?? ''));
      }
    },
    async stop() {
      stopping.abort();
      await Promise.allSettled(spoken.values());
    },
  };
}

const againMs = 200;

/** Looks for a token without which a node would have said by then that it cannot start the containers. */
const patientLooks = 15;

/** The Secret comes after the Job, and a server that is killed in between makes it in its next life. */
async function tokenOf(
  cluster: Cluster,
  of: { readonly id: number; readonly pod: string },
  signal: AbortSignal,
): Promise<string | null> {
  const { core, namespace } = cluster;
  for (let looks = 0; !signal.aborted; looks += 1) {
    const name = `ame-attempt-${of.id}`;
    const secret = await core.readNamespacedSecret({ namespace, name }).catch(() => null);
    const token = secret?.data?.['token'];
    if (token !== undefined) return Buffer.from(token, 'base64').toString();
    if (looks === patientLooks) await sayWaiting(cluster, of.pod);
    await delay(againMs);
  }
  return null;
}

/** What a node says of a pod with a volume that it cannot have; one that runs nothing says that all runs. */
async function sayWaiting({ core, namespace }: Cluster, name: string): Promise<void> {
  const waits = (container: string) => ({
    name: container,
    image: '',
    imageID: '',
    ready: false,
    restartCount: 0,
    state: { waiting: { reason: 'ContainerCreating' } },
  });
  const status = {
    phase: 'Pending',
    initContainerStatuses: [waits('agent')],
    containerStatuses: [waits('task')],
  };
  await core
    .patchNamespacedPodStatus(
      { namespace, name, body: { status } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    )
    // It may be gone.
    .catch(() => {});
}

/** As agents do: who is away is asked again, and what is refused is over. Answers with whether it was taken. */
async function sayUntilHeard(
  url: string,
  token: string,
  body: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  while (!signal.aborted) {
    const answer = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) }).catch(() => null);
    await answer?.arrayBuffer().catch(() => {});
    if (answer?.ok === true) return true;
    if (answer !== null && answer.status < 500 && answer.status !== 429) return false;
    await delay(againMs);
  }
  return false;
}
