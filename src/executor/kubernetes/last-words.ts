import type { Clock } from '../../agent/clock.ts';
import { createMasker } from '../../core/mask.ts';
import {
  lastWordsOf,
  type LastWords,
  type PodContainer,
  type PodLogAnswer,
} from '../../core/outcome/last-words.ts';
import type { ContainerFacts } from '../../core/outcome/cluster-facts.ts';
import { describeError, type Log } from '../../log.ts';
import type { Cluster } from './client.ts';
import { readPodLog, type PodLog } from './pod-log.ts';
import type { ProjectSecretOptions } from './project-secret.ts';
import type { SeenPod } from './sightings.ts';

export type LastWordsOptions = {
  readonly cluster: Cluster;
  /** The pod of an attempt that is over, as it was seen then. */
  readonly podOf: (attempt: number) => SeenPod | null;
  readonly secretsOf: ProjectSecretOptions['secretsOf'];
  readonly tokenOf: (attempt: number) => string;
  readonly closing: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
};

/** What a run that ends waits at most: a node that is frozen takes the question and says nothing. */
const withinMs = 3_000;
/** And where so many others wait already, so that the loop keeps places for runs that have nothing to wait for. */
const mostWaiting = 3;
const briefMs = 300;
/** Questions at once for one run. */
const mostAtOnce = 8;
/** Attempts whose words are kept until their end is stored. */
const mostKept = 1_000;

/** Reads what pods said before they ended without a report: once for each attempt, and nothing of it in clear. */
export function createLastWords(options: LastWordsOptions): {
  of(attempts: readonly number[]): Promise<ReadonlyMap<number, LastWords>>;
} {
  const { cluster, clock, log } = options;
  const known = new Map<number, Promise<LastWords | null>>();
  let waiting = 0;

  async function read(attempt: number, signal: AbortSignal): Promise<LastWords | null> {
    const pod = options.podOf(attempt);
    // What is not known to be of some project cannot be masked.
    if (pod === null || pod.project === null) return null;
    const containers = begun(pod);
    if (containers.length === 0) return null;
    try {
      const [logs, secrets] = await Promise.all([
        Promise.all(containers.map((container) => ask(pod, container, signal))),
        options.secretsOf(pod.project),
      ]);
      const values = [options.tokenOf(attempt), ...secrets.map(({ value }) => value)];
      return lastWordsOf(logs.map((each) => masked(each, values)));
    } catch (error) {
      log.warn({ attempt, error: describeError(error) }, 'the log of a pod could not be shown');
      return null;
    }
  }

  /** Nobody waits for a node that is known not to answer. */
  function ask(pod: SeenPod, container: PodContainer, signal: AbortSignal): Promise<PodLog> {
    const { node, nodeUnreachable } = pod.facts;
    if (nodeUnreachable)
      return Promise.resolve({ container, refused: 'late', message: `the node ${node ?? ''} is silent` });
    return readPodLog(cluster, pod.name, container, signal);
  }

  function once(attempt: number, signal: AbortSignal): Promise<LastWords | null> {
    const asked = known.get(attempt) ?? read(attempt, signal);
    known.set(attempt, asked);
    if (known.size <= mostKept) return asked;
    for (const oldest of known.keys()) {
      known.delete(oldest);
      break;
    }
    return asked;
  }

  return {
    async of(attempts) {
      const answers = new Map<number, LastWords>();
      const limit = new AbortController();
      const cancel = clock.after(waiting < mostWaiting ? withinMs : briefMs, () => limit.abort());
      const signal = AbortSignal.any([options.closing, limit.signal]);
      const rest = attempts.values();
      const work = async (): Promise<void> => {
        for (const attempt of rest) {
          const words = await once(attempt, signal);
          // What an end of this process cut short says nothing about the cluster.
          if (words !== null && !options.closing.aborted) answers.set(attempt, words);
        }
      };
      waiting += 1;
      try {
        await Promise.all(Array.from({ length: mostAtOnce }, work));
      } finally {
        waiting -= 1;
        cancel();
      }
      return answers;
    },
  };
}

/** The containers that ran: of another one there is nothing to be read. */
function begun({ facts }: SeenPod): readonly PodContainer[] {
  return (['agent', 'task'] as const).filter((name) => hasRun(facts[name]));
}

function hasRun(container: ContainerFacts | null): boolean {
  if (container === null) return false;
  if (container.state === 'running') return true;
  const end = container.state === 'terminated' ? container : container.last;
  return end !== null && end.startedAt !== null;
}

function masked(log: PodLog, values: readonly string[]): PodLogAnswer {
  if ('refused' in log) return log;
  const masker = createMasker(values);
  const decided = masker.push(log.bytes);
  // What is held may be the beginning of a secret whose rest was cut off.
  const parts = log.isCut ? [decided] : [decided, masker.end()];
  return { container: log.container, text: Buffer.concat(parts).toString('utf8') };
}
