import { systemClock, type Clock } from '../../agent/clock.ts';
import type { Observation } from '../../core/attempt.ts';
import type { Log } from '../../log.ts';
import { ExecutorAwayError, type Executor } from '../executor.ts';
import type { Cluster } from './client.ts';
import { ClusterRefusal } from './cluster-error.ts';
import { deleteJob, findJob, isOf, jobsPath, podsPath, type JobObject, type PodObject } from './jobs.ts';
import { createLastWords } from './last-words.ts';
import { createLooker } from './look.ts';
import { instanceOf, labels } from './names.ts';
import { createProjectSecrets, type ProjectSecretOptions } from './project-secret.ts';
import { createRecent } from './recent.ts';
import { createSeen } from './sightings.ts';
import { createStarts, type StartOptions } from './starts.ts';
import { createSweep } from './sweep.ts';
import { watchObjects, type Watch } from './watch.ts';

export type KubernetesExecutorOptions = Pick<StartOptions, 'settings' | 'agentUrl' | 'tokenOf'> & {
  readonly cluster: Cluster;
  /** This AME's own: which one it is, and what digests are keyed with. */
  readonly ownKey: Uint8Array;
  readonly secretsOf: ProjectSecretOptions['secretsOf'];
  readonly projectsOf: ProjectSecretOptions['projectsOf'];
  /** Which of these attempts are over, or unknown: nothing of theirs is needed any more. */
  readonly isOver: (attempts: readonly number[]) => Promise<ReadonlySet<number>>;
  readonly unschedulableAfterSeconds: number;
  /** Off: nothing is watched, and every look asks. */
  readonly watch: boolean;
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: () => number;
};

/**
 * Runs each attempt as a Job of its own, of one pod with the agent beside the task. Everything is found by names made
 * from ids, so that any replica can go on where another stopped; what is kept in memory only saves questions.
 * An attempt costs three writes: the Job, the Secret with its token, and the end of the Job, which takes the rest along.
 */
export function createKubernetesExecutor(options: KubernetesExecutorOptions): Executor {
  const { log, clock = systemClock, random = Math.random } = options;
  const instance = instanceOf(options.ownKey);
  const selector = `${labels.instance}=${instance}`;
  const wakes: ((attempt: number) => void)[] = [];
  const wake = (attempt: number): void => {
    for (const each of wakes) each(attempt);
  };
  const closing = new AbortController();
  // A frozen server does not hold up the end of this one.
  const { cluster, awaySince } = watchAnswers({
    ...options.cluster,
    ask: (question) => options.cluster.ask({ signal: closing.signal, ...question }),
  });
  const seen = createSeen(wake);
  /** Attempts whose Job was deleted, or was not there to be. */
  const gone = createRecent<number>();
  const secrets = createProjectSecrets({ ...options, cluster, key: options.ownKey, instance, clock });
  const starts = createStarts({
    ...options,
    cluster,
    instance,
    secrets,
    created: (attempt, job) => {
      // A stop that came in between found nothing to delete.
      gone.delete(attempt);
      // Without a watch nobody would ever take it out again.
      if (options.watch) seen.jobs.put(job);
    },
    wake,
    clock,
  });
  const followed = { cluster, selector, clock, random, log };
  const watches: readonly Watch[] = options.watch
    ? [
        watchObjects<JobObject>({ ...followed, path: jobsPath(cluster), into: seen.jobs }, closing.signal),
        watchObjects<PodObject>({ ...followed, path: podsPath(cluster), into: seen.pods }, closing.signal),
      ]
    : [];
  const isLive = (): boolean => watches.length > 0 && watches.every((watch) => watch.isLive());
  const looker = createLooker({
    ...options,
    cluster,
    instance,
    seen,
    isLive,
    clock,
    mirror: (projectId) => secrets.mirror(projectId),
    tend: (...of) => starts.tend(...of),
  });
  const words = createLastWords({
    // A kubelet that is away says nothing about the API server.
    cluster: options.cluster,
    podOf: (attempt) => looker.overPod(attempt),
    secretsOf: options.secretsOf,
    tokenOf: options.tokenOf,
    closing: closing.signal,
    clock,
    log,
  });
  const sweep = createSweep(
    {
      cluster,
      selector,
      seen,
      isLive,
      isOver: options.isOver,
      stop,
      refreshSecrets: (signal) => secrets.refresh(signal),
      clock,
      log,
    },
    watches.map(({ listed }) => listed),
    closing.signal,
  );

  async function stop(attempt: number): Promise<void> {
    starts.forget(attempt);
    const known = seen.of(attempt).job;
    if (known === null ? gone.has(attempt) : known.facts.deleting) return;
    const uid = known?.uid ?? (await ownUid(attempt));
    if (uid !== null) await deleteJob(cluster, attempt, uid);
    seen.deleting(attempt);
    gone.add(attempt);
    looker.forget(attempt);
  }

  /** Of a Job that is ours and not on its way out. */
  async function ownUid(attempt: number): Promise<string | null> {
    const job = await findJob(cluster, attempt);
    if (job === null || !isOf(job, instance) || job.metadata?.deletionTimestamp !== undefined) return null;
    return job.metadata?.uid ?? null;
  }

  return {
    name: 'kubernetes',
    async start(order) {
      if (closing.signal.aborted) throw new ExecutorAwayError('the Kubernetes executor is closing');
      await starts.start(order);
    },
    async observe(attempts) {
      const answers = new Map<number, Observation>();
      for (const { id } of attempts) {
        const known = await starts.observe(id);
        if (known !== null) answers.set(id, known);
      }
      const others = attempts.map(({ id }) => id).filter((id) => !answers.has(id));
      const looked = await orAway(looker.look(others));
      for (const [id, observation] of looked) answers.set(id, observation);
      return answers;
    },
    stop: (attempt) => orAway(stop(attempt)),
    watch(each) {
      wakes.push(each);
    },
    awaySince,
    lastWords: (attempts) => words.of(attempts),
    // What runs in the cluster goes on, and whoever starts next finds it there.
    async close() {
      closing.abort();
      await Promise.all([...watches.map(({ ended }) => ended), sweep]);
      cluster.close();
    },
  };
}

/** Notes whether the API server answers, whoever asks it for whatever. */
function watchAnswers(own: Cluster): { readonly cluster: Cluster; readonly awaySince: () => Date | null } {
  let away: Date | null = null;
  async function noted<T>(asked: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      const answer = await asked;
      away = null;
      return answer;
    } catch (error) {
      // A refusal is an answer; what we gave up ourselves says nothing.
      if (error instanceof ClusterRefusal) away = null;
      else if (signal?.aborted !== true) away ??= own.now();
      throw error;
    }
  }
  return {
    cluster: {
      ...own,
      ask: (question) => noted(own.ask(question), question.signal),
      stream: (question, signal) => noted(own.stream(question, signal), signal),
    },
    awaySince: () => away,
  };
}

/** What the server refuses beside a create is a right that AME has not: no attempt is at fault, and a person can help. */
async function orAway<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof ClusterRefusal)) throw error;
    throw new ExecutorAwayError(`the API server refuses: ${error.message}`, { cause: error });
  }
}
