import type { ClusterFacts } from '../cluster-facts.ts';
import { hasBegun, isOver } from './phase.ts';
import type { ClusterCircumstances, ClusterRule } from './rule.ts';
import { named, quoted, size } from './words.ts';

/** What the pod's own status says of why it failed: words of its node's kubelet. */
export const evictedRules: readonly ClusterRule[] = [
  {
    id: 'preempted-by-node',
    says: 'leaving',
    class: 'preempted',
    shows: 'pod Failed, reason `Preempting`',
    message: (facts) =>
      told(
        failedFor(facts, /^Preempting$/u) ?? evictedFor(facts, /critical pod/u),
        'It made room on its node for a part of the cluster itself',
      ),
  },
  {
    id: 'node-shut-down',
    says: 'leaving',
    class: 'drained',
    shows: 'pod Failed, reason `Terminated`, `NodeShutdown` or `Shutdown`',
    message: (facts) =>
      told(
        failedFor(facts, /^(?:Terminated|NodeShutdown|Shutdown)$/u) ?? evictedFor(facts, /node shutdown/u),
        'Its node was shut down',
      ),
  },
  {
    id: 'workspace-full',
    says: 'leaving',
    class: 'storage_full',
    shows: 'pod Failed, reason `Evicted`, `Usage of EmptyDir volume "workspace" exceeds the limit`',
    message: (facts, known) => (evictedFor(facts, /EmptyDir volume "workspace"/u) ? full(known) : null),
  },
  {
    id: 'agent-disk-full',
    says: 'leaving',
    class: 'agent_failed',
    shows: 'pod Failed, reason `Evicted`, for another volume or for container `agent`',
    message: (facts) =>
      told(
        evictedFor(facts, /EmptyDir volume "|Container agent exceeded/u),
        'What AME keeps beside the task, such as a log that could not be sent, outgrew its place',
      ),
  },
  {
    id: 'storage-full',
    says: 'leaving',
    class: 'storage_full',
    shows:
      'pod Failed, reason `Evicted`, `Container task exceeded its local ephemeral storage limit` or `Pod ephemeral local storage usage exceeds`',
    message: (facts, known) =>
      evictedFor(facts, /Container task exceeded|ephemeral local storage usage/u) ? full(known) : null,
  },
  {
    id: 'node-memory-low',
    says: 'leaving',
    class: 'evicted',
    shows: 'pod Failed, reason `Evicted`, `The node was low on resource: memory`',
    message: (facts) =>
      told(evictedFor(facts, /low on resource: memory/u), 'Its node ran short of memory and sent it away'),
  },
  {
    id: 'node-short',
    says: 'leaving',
    class: 'evicted',
    shows: 'pod Failed, reason `Evicted`, `low on resource: ephemeral-storage`, `inodes` or `pids`',
    message: (facts) =>
      told(
        evictedFor(facts, /low on resource|node had condition/u),
        'Its node ran short of disk space or processes and sent it away',
      ),
  },
  {
    id: 'evicted',
    says: 'leaving',
    class: 'evicted',
    shows: 'pod Failed, reason `Evicted`, for any other cause',
    message: (facts) => told(evictedFor(facts, /^/u), 'Its node sent it away'),
  },
  {
    id: 'node-lost-said',
    says: 'over',
    class: 'node_lost',
    shows: 'pod with reason `NodeLost`',
    message: ({ pod }) =>
      pod?.reason === 'NodeLost' ? told(pod.message ?? '', 'The node that it ran on does not answer') : null,
  },
  {
    id: 'node-was-full',
    says: 'over',
    class: 'evicted',
    shows: 'pod Failed, reason `OutOfcpu`, `OutOfmemory`, `OutOfpods` and kin',
    message: (facts) =>
      told(
        failedFor(facts, /^OutOf/u),
        'The node that was chosen for it had no room left when it arrived there',
      ),
  },
  {
    id: 'node-refused',
    says: 'over',
    class: 'start_failed',
    shows: 'pod Failed before any container began, reason `UnexpectedAdmissionError`, `NodeAffinity` and kin',
    message: (facts) => {
      const { pod } = facts;
      if (pod === null || hasBegun(pod) || pod.agent?.state === 'terminated') return null;
      if (pod.reason === 'DeadlineExceeded') return null;
      return told(
        failedFor(facts, /^/u),
        `The node that was chosen for it refused it (${named(pod.reason ?? '')})`,
      );
    },
  },
];

/** The kubelet's message where it takes the pod away, or has, for such a cause. */
function evictedFor(facts: ClusterFacts, cause: RegExp): string | null {
  const message = kubeletWords(facts);
  return message !== null && cause.test(message) ? message : null;
}

function kubeletWords({ pod }: ClusterFacts): string | null {
  if (pod === null) return null;
  if (pod.phase === 'Failed') return pod.reason === 'Evicted' ? (pod.message ?? '') : null;
  // The condition is there as soon as the pod is told to go, its reason only once it is gone.
  return pod.disruption?.reason === 'TerminationByKubelet' && !isOver(pod) ? pod.disruption.message : null;
}

function failedFor({ pod }: ClusterFacts, reason: RegExp): string | null {
  if (pod?.phase !== 'Failed' || pod.reason === null) return null;
  return reason.test(pod.reason) ? (pod.message ?? '') : null;
}

function told(said: string | null, sentence: string): string | null {
  if (said === null) return null;
  return said === '' ? `${sentence}.` : `${sentence}: ${quoted(said)}`;
}

function full({ asked }: ClusterCircumstances): string {
  return `It wrote more than the ${size(asked.storageBytes)} that it may store. Raise \`resources.storage\`, or leave less behind.`;
}
