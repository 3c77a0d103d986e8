import { plainLine } from '../../escape.ts';
import type { ClusterFacts, ContainerFacts } from '../cluster-facts.ts';
import { ageSeconds, hasBegun, isOver } from './phase.ts';
import type { ClusterRule } from './rule.ts';
import { minutes, named, quoted } from './words.ts';

// What a container refers to may be written a moment after the pod; a minute is also what a person would wait.
const settleSeconds = 60;
// Volumes and sandboxes wait for other parts of the cluster, which may be restarting.
const patienceSeconds = 1800;

/** Why a container that has its image cannot be made, or does not begin. */
export const containerRules: readonly ClusterRule[] = [
  {
    id: 'secret-on-its-way',
    says: 'waits',
    class: null,
    shows:
      'container `task` waiting, `CreateContainerConfigError`, a message that names a Secret, or a key of one, which AME has by now',
    // The node looks again by itself, within some seconds.
    message: (facts, known) => {
      const words = configError(facts, 'task');
      if (words === null || known.knownSecrets.length === 0 || ageSeconds(facts, known) > patienceSeconds)
        return null;
      const key = missingKey(words);
      const isKnown =
        key === null ? /^secret "[^"]+" not found/u.test(words) : known.knownSecrets.includes(key);
      return isKnown ? 'A secret of it was set a moment ago, and is on its way to its node.' : null;
    },
  },
  {
    id: 'secret-missing',
    says: 'over',
    class: 'secret_missing',
    shows:
      'container `task` waiting, `CreateContainerConfigError`, for a minute, a message that names a key of a Secret',
    message: (facts, known) => {
      const words = configError(facts, 'task');
      if (words === null || ageSeconds(facts, known) < settleSeconds) return null;
      const key = missingKey(words);
      // Where the whole Secret is missing the next start writes it again: that is tried again as anything of ours.
      return key === null || known.knownSecrets.includes(key)
        ? null
        : `The secret ${named(key)} is not there: \`ame secret set ${plainLine(key)}\`.`;
    },
  },
  {
    id: 'user-is-root',
    says: 'over',
    class: 'bad_config',
    shows: 'container waiting, `CreateContainerConfigError`, a message about `runAsNonRoot`',
    message: (facts) => {
      const words = configError(facts, 'task') ?? configError(facts, 'agent');
      return words !== null && /runAsNonRoot|non-root|non-numeric/u.test(words)
        ? `Its pod may not run as root, and its image does; an administrator names a user with AME_K8S_USER. The node says: ${quoted(words)}`
        : null;
    },
  },
  {
    id: 'bad-config',
    says: 'over',
    class: 'bad_config',
    shows: 'container waiting, `CreateContainerConfigError`, for a minute, any other message',
    message: (facts, known) => {
      const words = configError(facts, 'task') ?? configError(facts, 'agent');
      return words === null || ageSeconds(facts, known) < settleSeconds
        ? null
        : `Its container could not be made: ${quoted(words)}`;
    },
  },
  {
    id: 'config-settles',
    says: 'waits',
    class: null,
    shows: 'container waiting, `CreateContainerConfigError`, in its first minute',
    message: (facts) => {
      const words = configError(facts, 'task') ?? configError(facts, 'agent');
      return words === null ? null : `Its container cannot be made yet: ${quoted(words)}`;
    },
  },
  {
    id: 'runtime-missing',
    says: 'over',
    class: 'bad_config',
    shows: 'event `FailedCreatePodSandBox` that names a runtime handler, for a minute',
    message: (facts, known) => {
      const words = startEvent(facts, /FailedCreatePodSandBox/u);
      return words === null || !/runtime/u.test(words) || !/no runtime|handler|not configured/u.test(words)
        ? null
        : ageSeconds(facts, known) < settleSeconds
          ? null
          : `Its node does not have the runtime that AME_K8S_RUNTIME_CLASS asks for: ${quoted(words)}`;
    },
  },
  {
    id: 'cannot-start',
    says: 'over',
    class: 'start_failed',
    shows:
      'events `FailedMount`, `FailedCreatePodSandBox` or a container waiting, `CreateContainerError`, for half an hour',
    message: (facts, known) => {
      const words = hindrance(facts);
      const age = ageSeconds(facts, known);
      return words === null || age < patienceSeconds
        ? null
        : `Its node could not start it for ${minutes(age)}: ${quoted(words)}`;
    },
  },
  {
    id: 'cannot-start-yet',
    says: 'waits',
    class: null,
    shows: 'the same, before that',
    message: (facts) => {
      const words = hindrance(facts);
      return words === null ? null : `Its node cannot start it yet: ${quoted(words)}`;
    },
  },
  {
    id: 'being-made',
    says: 'waits',
    class: null,
    shows: 'pod scheduled, containers waiting, `PodInitializing` or `ContainerCreating`',
    message: ({ pod }) =>
      pod === null || pod.node === null || isOver(pod) || hasBegun(pod)
        ? null
        : pod.agent?.state === 'running'
          ? `The node ${named(pod.node)} fetches its image and makes its container.`
          : `The node ${named(pod.node)} prepares its pod.`,
  },
];

type Name = 'agent' | 'task';

function waiting({ pod }: ClusterFacts, name: Name): Extract<ContainerFacts, { state: 'waiting' }> | null {
  const container = pod?.[name];
  return pod !== null && !isOver(pod) && container?.state === 'waiting' ? container : null;
}

function configError(facts: ClusterFacts, name: Name): string | null {
  const container = waiting(facts, name);
  return container?.reason === 'CreateContainerConfigError' ? (container.message ?? '') : null;
}

/** The key of a Secret that the kubelet did not find there. */
function missingKey(words: string): string | null {
  return /couldn't find key (\S+) in Secret/u.exec(words)?.[1] ?? null;
}

const stuckReasons = new Set([
  'CreateContainerError',
  'RunContainerError',
  'PreCreateHookError',
  'PreStartHookError',
  'PostStartHookError',
  'CreatePodSandboxError',
]);

/** What keeps the containers from beginning, as the node said it last. */
function hindrance(facts: ClusterFacts): string | null {
  for (const name of ['agent', 'task'] as const) {
    const container = waiting(facts, name);
    if (container?.reason && stuckReasons.has(container.reason)) return container.message ?? container.reason;
  }
  return startEvent(facts, /^Failed(?:Mount|AttachVolume|MapVolume|CreatePodSandBox|PodSandBoxStatus)$/u);
}

/** The newest warning, where it is such a one and nothing has begun since. */
function startEvent({ pod, events }: ClusterFacts, reason: RegExp): string | null {
  if (pod === null || pod.node === null || isOver(pod)) return null;
  if (hasBegun(pod) || pod.agent?.state === 'running') return null;
  const last = events.at(-1);
  return last && reason.test(last.reason) ? last.message : null;
}
