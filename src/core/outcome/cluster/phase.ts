import type { ClusterFacts, ContainerEnd, PodFacts } from '../cluster-facts.ts';
import type { ClusterCircumstances } from './rule.ts';

/** Nothing of the pod runs any more. */
export function isOver(pod: PodFacts): boolean {
  return pod.phase === 'Succeeded' || pod.phase === 'Failed';
}

/** Whether the task's container ever ran; its command may still have been waiting for its workspace. */
export function hasBegun(pod: PodFacts): boolean {
  const { task } = pod;
  return task !== null && task.state !== 'waiting' && task.startedAt !== null;
}

/**
 * How the container of the command ended, where it ran and its node saw it end. A node that lost track of a
 * container makes up 137 for it, which is no exit code of anything.
 */
export function commandEnd({ task }: PodFacts): ContainerEnd | null {
  if (task?.state !== 'terminated' || task.startedAt === null) return null;
  return task.reason === 'ContainerStatusUnknown' ? null : task;
}

/**
 * The same, where it tells how the command ended. The entry writes `exit=<code>` as its container's last word once
 * the command has ended; without it the container ended before, unless it was ended whole for want of memory.
 */
export function commandWord(pod: PodFacts): ContainerEnd | null {
  const end = commandEnd(pod);
  return end?.message?.startsWith('exit=') || end?.reason === 'OOMKilled' ? end : null;
}

/** How the agent's container ended last, whether it was started again or not. */
export function agentEnd({ agent }: PodFacts): ContainerEnd | null {
  if (agent === null) return null;
  return agent.state === 'terminated' ? agent : agent.last;
}

/** Seconds since the pod was created, or the Job where it has none; never negative. */
export function ageSeconds({ pod, job }: ClusterFacts, { now }: ClusterCircumstances): number {
  const since = pod?.createdAt ?? job?.createdAt ?? now;
  return Math.max(0, (now.getTime() - since.getTime()) / 1000);
}
