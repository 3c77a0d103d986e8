import type { OutcomeClass } from '../classes.ts';
import type { ClusterFacts, ContainerEnd } from '../cluster-facts.ts';
import { agentEnd, hasBegun, isOver } from './phase.ts';
import type { ClusterRule } from './rule.ts';
import { counted } from '../../problems/wording.ts';
import { quoted } from './words.ts';

// The kubelet waits 10, 20, 40 … seconds between: a few minutes in all where nothing has begun, ten otherwise.
const fewRestarts = 4;
const manyRestarts = 6;
/** An agent that lived longer than this did some work in between, and is no loop. */
const shortLifeMs = 60_000;

/**
 * What the agent said last where it cannot go on: its pod is over, or it ends again and again. It writes
 * `ame: <code>: <sentence>` as its last word.
 */
export const agentWordRules: readonly ClusterRule[] = [
  spoken('agent-restore-failed', 'restore-failed', 'restore_failed', 'Its workspace could not be prepared'),
  spoken('agent-store-failed', 'store-failed', 'store_failed', 'What it left behind could not be stored'),
  spoken(
    'agent-door-unreachable',
    'door-unreachable',
    'door_unreachable',
    "Its pod could not reach AME's agent door; an administrator sets AME_AGENT_URL",
  ),
  spoken('agent-start-failed', 'start-failed', 'start_failed', 'It could not be started'),
  spoken('agent-refused', 'refused', 'agent_failed', 'AME did not know the agent in its pod'),
  {
    id: 'agent-spoke',
    says: 'over',
    class: 'agent_failed',
    shows: 'container `agent` ended, any other last word of the form `ame: <code>: <sentence>`',
    message: (facts) => {
      const word = lastWord(facts);
      return word === null ? null : `Its agent could not go on: ${quoted(word.sentence)}`;
    },
  },
];

/** How the agent's container ended, where it left no word. */
export const agentEndRules: readonly ClusterRule[] = [
  {
    id: 'agent-out-of-memory',
    says: 'over',
    class: 'agent_out_of_memory',
    shows: 'container `agent` `OOMKilled`, its pod over or `CrashLoopBackOff`',
    message: (facts) =>
      gaveUp(facts)?.reason === 'OOMKilled'
        ? `AME's own container beside the task ran out of memory.${workLost(facts)}`
        : null,
  },
  {
    id: 'agent-failed',
    says: 'over',
    class: 'agent_failed',
    shows: 'container `agent` ended with another exit code than 0, its pod over or `CrashLoopBackOff`',
    message: (facts) => {
      const end = gaveUp(facts);
      // 143 and 137 are how a sidecar ends that is told to, or does not listen in time.
      if (end === null || [0, 137, 143].includes(end.exitCode)) return null;
      return `AME's own container beside the task ended with ${end.exitCode}${wordsOf(end)}${workLost(facts)}`;
    },
  },
  {
    id: 'agent-ends-again',
    says: 'over',
    class: 'agent_failed',
    shows: 'container `agent` `CrashLoopBackOff`, whatever it ended with',
    message: ({ pod }) =>
      pod !== null && loops({ pod }) ? "AME's own container beside the task ends again and again." : null,
  },
  {
    id: 'agent-restarts',
    says: 'waits',
    class: null,
    shows: 'container `agent` waiting after it ended, before the task began',
    message: ({ pod }) => {
      if (pod === null || isOver(pod) || hasBegun(pod)) return null;
      const { agent } = pod;
      const end = agentEnd(pod);
      if (agent === null || end === null || agent.state === 'running') return null;
      return `Its agent is started again (${counted(agent.restarts, 'time')} so far). It ended with ${end.exitCode}${wordsOf(end)}`;
    },
  },
];

function spoken(id: string, code: string, name: OutcomeClass, sentence: string): ClusterRule {
  return {
    id,
    says: 'over',
    class: name,
    shows: `container \`agent\` ended, last word \`ame: ${code}: …\``,
    message: (facts) => {
      const word = lastWord(facts);
      return word?.code === code ? `${sentence}: ${quoted(word.sentence)}` : null;
    },
  };
}

function lastWord(facts: ClusterFacts): { readonly code: string; readonly sentence: string } | null {
  const match = /^ame: ([a-z-]+): (.*)/u.exec(gaveUp(facts)?.message ?? '');
  return match === null ? null : { code: match[1] ?? '', sentence: match[2] ?? '' };
}

/** The agent's end, where there will be no other. */
function gaveUp({ pod }: ClusterFacts): ContainerEnd | null {
  if (pod === null) return null;
  const end = isOver(pod) || loops({ pod }) ? agentEnd(pod) : null;
  // It has nothing to say but that its task went without a word: the task's own end says more.
  return end?.message?.startsWith('ame: task-died:') ? null : end;
}

/**
 * Ended again and again beside a task that has not ended. A sidecar that ends before its task was made stays
 * `terminated` between two tries, one that ends later waits in `CrashLoopBackOff` (measured on 1.34).
 */
function loops({ pod }: Pick<ClusterFacts, 'pod'>): boolean {
  const agent = pod?.agent;
  if (!pod || !agent || pod.deleting || agent.state === 'running' || pod.task?.state === 'terminated')
    return false;
  if (agent.restarts < (hasBegun(pod) ? manyRestarts : fewRestarts)) return false;
  const { startedAt = null, finishedAt = null } = agentEnd(pod) ?? {};
  return (
    startedAt === null || finishedAt === null || finishedAt.getTime() - startedAt.getTime() < shortLifeMs
  );
}

function wordsOf({ message }: ContainerEnd): string {
  return message === null ? '.' : `: ${quoted(message.replace(/^ame: [a-z-]+: /u, ''))}`;
}

function workLost({ pod }: ClusterFacts): string {
  return pod !== null && hasBegun(pod) ? ' What the task left is lost.' : '';
}
