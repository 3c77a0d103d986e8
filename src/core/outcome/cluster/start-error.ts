import type { ClusterFacts } from '../cluster-facts.ts';
import type { ClusterRule } from './rule.ts';
import { named, quoted, size } from './words.ts';

/** Why the task's container, which was made, could not begin. */
export const startErrorRules: readonly ClusterRule[] = [
  {
    id: 'no-shell',
    says: 'over',
    class: 'no_shell',
    shows: 'container `task` terminated, `StartError` with 128, `exec: "sh": executable file not found`',
    message: (facts, { image }) =>
      /exec: "(?:\/bin\/)?sh": (?:executable file not found|stat|no such)/u.test(startError(facts) ?? '')
        ? `The image ${named(image)} has no \`sh\`, by which every command is run.`
        : null,
  },
  {
    id: 'image-does-not-run',
    says: 'over',
    class: 'image_broken',
    shows: 'container `task` terminated, `StartError` with 128, `exec format error` or `permission denied`',
    message: (facts, { image }) => {
      const words = startError(facts);
      return words !== null &&
        /exec format error|exec[^:]*:[^:]*: (?:permission denied|not a directory|is a directory)/u.test(words)
        ? `The image ${named(image)} cannot be run here. Is it made for the machines of this cluster? The node says: ${quoted(words)}`
        : null;
    },
  },
  {
    id: 'memory-too-small',
    says: 'over',
    class: 'out_of_memory',
    shows: 'container `task` terminated, `StartError` with 128, a message about its memory limit',
    message: (facts, { asked }) =>
      /container init was OOM-killed|unable to set memory limit|memory limit too low/u.test(
        startError(facts) ?? '',
      )
        ? `It cannot even be started with the ${size(asked.memory.bytes)} of memory that it may use.`
        : null,
  },
  {
    id: 'start-error',
    says: 'over',
    class: 'start_failed',
    shows: 'container `task` terminated, `StartError` or `ContainerCannotRun`, any other message',
    message: (facts) => {
      const words = startError(facts);
      return words === null ? null : `Its container could not be started: ${quoted(words)}`;
    },
  },
];

/** A container that is never started again says `StartError` for good; runtimes before containerd 1.6 another word. */
function startError({ pod }: ClusterFacts): string | null {
  const container = pod?.task;
  if (container?.state !== 'terminated') return null;
  const { reason, message } = container;
  return reason === 'StartError' || reason === 'ContainerCannotRun' ? (message ?? '') : null;
}
