import { readEnding } from '../../run/signals.ts';
import type { ClusterFacts, ContainerEnd } from '../cluster-facts.ts';
import { commandEnd, commandWord, isOver } from './phase.ts';
import type { ClusterRule } from './rule.ts';
import { named, size } from './words.ts';

const lost = 'its agent did not report: what it left is lost';

/** What the end of the task's container says, first of what weighs more than the agent's own end. */
export const memoryRules: readonly ClusterRule[] = [
  {
    id: 'container-unknown',
    says: 'over',
    class: 'lost',
    shows: 'container `task` terminated, `ContainerStatusUnknown` with 137',
    message: ({ pod }) =>
      pod !== null &&
      isOver(pod) &&
      pod.task?.state === 'terminated' &&
      pod.task.reason === 'ContainerStatusUnknown'
        ? 'Its node has lost track of its container: it restarted, or took it away.'
        : null,
  },
  {
    id: 'out-of-memory',
    says: 'over',
    class: 'out_of_memory',
    shows: 'container `task` terminated, `OOMKilled`, exit code not 0',
    message: (facts, { asked }) => {
      const end = ended(facts);
      return end !== null && end.exitCode !== 0 && ranOutOfMemory(end)
        ? `It needed more than the ${size(asked.memory.bytes)} of memory that it may use.`
        : null;
    },
  },
  {
    id: 'node-out-of-memory',
    says: 'over',
    class: 'node_out_of_memory',
    shows: 'container `task` terminated with 137, not `OOMKilled`, and an event `SystemOOM` of its node',
    message: (facts) => {
      const end = ended(facts);
      return end?.exitCode === 137 && facts.events.some(({ reason }) => /SystemOOM|OOMKilling/u.test(reason))
        ? 'Its node ran out of memory, although the task itself stayed within what it may use.'
        : null;
    },
  },
];

/** What the end of the task's container says of a command that failed. */
export const commandRules: readonly ClusterRule[] = [
  {
    id: 'command-not-found',
    says: 'over',
    class: 'command_not_found',
    shows: 'container `task` terminated with 127',
    message: (facts) =>
      commandCode(facts) === 127
        ? `The command ended with 127, as where a command is not found, and ${lost}.`
        : null,
  },
  {
    id: 'command-not-executable',
    says: 'over',
    class: 'not_executable',
    shows: 'container `task` terminated with 126',
    message: (facts) =>
      commandCode(facts) === 126
        ? `The command ended with 126, as where a file cannot be run (chmod +x), and ${lost}.`
        : null,
  },
  {
    id: 'command-signal',
    says: 'over',
    class: 'signal',
    shows: 'container `task` terminated with more than 128',
    message: (facts) => {
      const { signal } = readEnding({ exitCode: commandCode(facts), signal: null });
      return signal === null ? null : `The command was ended by ${signal}, and ${lost}.`;
    },
  },
  {
    id: 'command-failed',
    says: 'over',
    class: 'exit',
    shows: 'container `task` terminated with any other exit code, and its message begins with `exit=`',
    message: (facts) => {
      const code = commandCode(facts);
      return code === null || code === 0 ? null : `The command ended with ${code}, and ${lost}.`;
    },
  },
];

/** What is left: a pod that is over without any cause that the cluster or the agent would name. */
export const silentRules: readonly ClusterRule[] = [
  {
    id: 'child-out-of-memory',
    says: 'over',
    class: 'agent_failed',
    shows: 'container `task` terminated, `OOMKilled` with exit code 0, no report of the agent',
    message: (facts) => {
      const end = ended(facts);
      return end?.exitCode === 0 && ranOutOfMemory(end)
        ? `The command ended with 0, although something that it started was ended for want of memory, but ${lost}.`
        : null;
    },
  },
  {
    id: 'command-ended-well',
    says: 'over',
    class: 'agent_failed',
    shows: 'container `task` terminated with 0, no report of the agent',
    message: (facts) => (ended(facts)?.exitCode === 0 ? `The command ended with 0, but ${lost}.` : null),
  },
  {
    id: 'killed-from-outside',
    says: 'over',
    class: 'lost',
    shows: 'container `task` terminated with 137, not `OOMKilled`, without a message',
    message: (facts) =>
      ended(facts)?.exitCode === 137
        ? 'Its container was killed from outside, and nobody has said by whom: its node may have been short of memory.'
        : null,
  },
  {
    id: 'never-let-go',
    says: 'over',
    class: 'agent_failed',
    shows: 'container `task` terminated with 125 or 143 without a message: its command never began',
    message: (facts) => {
      const code = ended(facts)?.exitCode;
      return code === 125 || code === 143
        ? 'It was ended before its command began, and its agent has not said why.'
        : null;
    },
  },
  {
    id: 'entry-failed',
    says: 'over',
    class: 'start_failed',
    shows: 'container `task` terminated with any other exit code, without a message: its command never began',
    message: (facts, { image }) => {
      const end = ended(facts);
      return end === null
        ? null
        : `Its container ended with ${end.exitCode} before its command could be run. An image for other machines (here ${named(image)}) does that.`;
    },
  },
  {
    id: 'ended-without-a-word',
    says: 'over',
    class: 'lost',
    shows: 'pod Succeeded or Failed, and no container says anything',
    message: ({ pod }) => (pod !== null && isOver(pod) ? 'Its pod ended, and nobody has said why.' : null),
  },
];

function ended({ pod }: ClusterFacts): ContainerEnd | null {
  return pod !== null && isOver(pod) ? commandEnd(pod) : null;
}

/** The command's own exit code, where the entry lived to tell it. */
function commandCode({ pod }: ClusterFacts): number | null {
  return pod !== null && isOver(pod) ? (commandWord(pod)?.exitCode ?? null) : null;
}

/** The kubelet's word, or the kernel's own count as the entry read it. */
function ranOutOfMemory({ reason, exitCode, message }: ContainerEnd): boolean {
  return reason === 'OOMKilled' || (exitCode === 137 && /\boom=[1-9]/u.test(message ?? ''));
}
