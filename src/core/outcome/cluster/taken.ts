import type { ClusterFacts } from '../cluster-facts.ts';
import { hasBegun, isOver } from './phase.ts';
import type { ClusterRule } from './rule.ts';
import { minutes, named, quoted } from './words.ts';

// A node that is well ends a pod within its grace; the kubelet's own rounds and slow disks take some of this.
const overdueMs = 120_000;

/** Who took the pod away, or takes it away at this moment. */
export const takenRules: readonly ClusterRule[] = [
  {
    id: 'node-lost',
    says: 'over',
    class: 'node_lost',
    shows:
      'pod deleted with `DisruptionTarget` `DeletionByTaintManager`, `Ready` False while `ContainersReady` stays True; it stays Terminating until the node comes back, and the Job already says `BackoffLimitExceeded`',
    message: (facts) =>
      facts.pod?.nodeUnreachable && !isOver(facts.pod) && disrupted(facts, 'DeletionByTaintManager')
        ? `The node ${nodeOf(facts)}does not answer any more, and what ran there was given up.`
        : null,
  },
  {
    id: 'node-gone',
    says: 'over',
    class: 'node_lost',
    shows: 'pod with `DisruptionTarget` `DeletionByPodGC`: its node was removed from the cluster',
    message: (facts) =>
      disrupted(facts, 'DeletionByPodGC') ? `The node ${nodeOf(facts)}was removed from the cluster.` : null,
  },
  {
    id: 'never-began-to-leave',
    says: 'over',
    class: 'node_lost',
    shows:
      'pod Terminating for two minutes, on a node that has not said that the task began: there is nothing that its grace is for',
    // A pod that was not ready is not marked when its node stops to answer.
    message: (facts, { now }) => {
      const { pod } = facts;
      if (!pod?.deletedAt || pod.node === null || isOver(pod) || hasBegun(pod)) return null;
      if (now.getTime() - pod.deletedAt.getTime() < overdueMs) return null;
      return `It was told to go before it began, and the node ${nodeOf(facts)}has not let go of it for ${minutes((now.getTime() - pod.deletedAt.getTime()) / 1_000)}.`;
    },
  },
  {
    id: 'never-left',
    says: 'over',
    class: 'node_lost',
    shows: 'pod Terminating two minutes after its grace is over',
    message: (facts, { now }) => {
      const { pod } = facts;
      if (!pod?.goneBy || isOver(pod) || now.getTime() - pod.goneBy.getTime() < overdueMs) return null;
      return `It was to be gone by ${pod.goneBy.toISOString().slice(0, 19)}Z, and the node ${nodeOf(facts)}has not said that it is.`;
    },
  },
  {
    id: 'preempted',
    says: 'leaving',
    class: 'preempted',
    shows: 'pod with `DisruptionTarget` `PreemptionByScheduler`',
    message: (facts) =>
      disrupted(facts, 'PreemptionByScheduler')
        ? 'It made room on its node for a pod of higher priority.'
        : null,
  },
  {
    id: 'drained',
    says: 'leaving',
    class: 'drained',
    shows: 'pod with `DisruptionTarget` `EvictionByEvictionAPI`, also where the command then ended with 0',
    message: (facts) =>
      disrupted(facts, 'EvictionByEvictionAPI')
        ? `The node ${nodeOf(facts)}was emptied, for maintenance or to save cost.`
        : null,
  },
  {
    id: 'node-tainted',
    says: 'leaving',
    class: 'drained',
    shows: 'pod with `DisruptionTarget` `DeletionByTaintManager` on a node that answers',
    message: (facts) =>
      disrupted(facts, 'DeletionByTaintManager', 'DeletionByDeviceTaintManager')
        ? `The node ${nodeOf(facts)}was closed to it, or did not answer for a while.`
        : null,
  },
  {
    id: 'taken-by-node',
    says: 'leaving',
    class: 'evicted',
    shows: 'pod with `DisruptionTarget` `TerminationByKubelet` or for another cause',
    message: ({ pod }) =>
      pod?.disruption
        ? `The cluster took its pod away (${named(pod.disruption.reason)}): ${quoted(pod.disruption.message)}`
        : null,
  },
  {
    id: 'queue-took-back',
    says: 'leaving',
    class: 'preempted',
    shows: 'pod deleted while its Job has `suspend: true` (a queue such as Kueue)',
    message: ({ job, pod }) =>
      job?.suspended && !job.deleting && pod?.deleting
        ? 'The queue that had let it in took its place back.'
        : null,
  },
  {
    id: 'deadline',
    says: 'leaving',
    class: 'timeout',
    shows: 'Job or pod with reason `DeadlineExceeded`, after the task began',
    message: (facts) =>
      deadline(facts) && (facts.pod === null || hasBegun(facts.pod))
        ? 'The last time limit of its pod is over, which stands long after `timeout`: its agent did not end it.'
        : null,
  },
  {
    id: 'deadline-waiting',
    says: 'leaving',
    class: 'queue_timeout',
    shows: 'Job or pod with reason `DeadlineExceeded`, before the task began',
    message: (facts) => (deadline(facts) ? 'The last time limit of its pod is over before it began.' : null),
  },
  {
    id: 'job-deleted',
    says: 'leaving',
    class: 'deleted',
    shows: 'Job deleted, or gone and its pod deleted, not by AME',
    // A pod may be seen before its Job is, where two watches tell of them: a Job that is not there proves nothing.
    message: ({ job, pod }) =>
      job?.deleting || (job === null && pod?.deleting) ? 'Someone deleted its Job in the cluster.' : null,
  },
  {
    id: 'pod-deleted',
    says: 'leaving',
    class: 'deleted',
    shows: 'pod deleted without `DisruptionTarget`, its Job is still there',
    message: ({ pod }) => (pod?.deleting ? 'Someone deleted its pod in the cluster.' : null),
  },
];

function disrupted({ pod }: ClusterFacts, ...reasons: readonly string[]): boolean {
  return pod?.disruption ? reasons.includes(pod.disruption.reason) : false;
}

function deadline({ job, pod }: ClusterFacts): boolean {
  return job?.failed?.reason === 'DeadlineExceeded' || pod?.reason === 'DeadlineExceeded';
}

/** Its name and a space, so that it reads well where nobody knows it. */
function nodeOf({ pod }: ClusterFacts): string {
  return pod?.node ? `${named(pod.node)} ` : 'that it ran on ';
}
