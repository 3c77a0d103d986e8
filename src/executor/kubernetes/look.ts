import type { Clock } from '../../agent/clock.ts';
import type { Observation } from '../../core/attempt.ts';
import { observeCluster } from '../../core/outcome/cluster.ts';
import type { ClusterFacts, ClusterRoom, PodFacts } from '../../core/outcome/cluster-facts.ts';
import { readAsked } from './asked.ts';
import type { Cluster } from './client.ts';
import { ClusterRefusal } from './cluster-error.ts';
import { findJob, isOf, jobsPath, podsPath, type JobObject, type PodObject } from './jobs.ts';
import { listAll } from './list-pages.ts';
import { attemptOf, labels } from './names.ts';
import { createNodes } from './nodes.ts';
import type { PlacementSettings } from './placement.ts';
import { seenJobOf, seenPodOf, type Seen, type SeenPod, type Sighting } from './sightings.ts';
import { foreignJob } from './starts.ts';
import { createWarnings, wantsWarnings } from './warnings.ts';

export type LookerOptions = {
  readonly cluster: Cluster;
  readonly instance: string;
  readonly seen: Seen;
  readonly isLive: () => boolean;
  readonly settings: PlacementSettings;
  readonly unschedulableAfterSeconds: number;
  readonly clock: Clock;
  /** Gives the cluster a project's secrets as they are now, and answers with their names. */
  readonly mirror: (projectId: number) => Promise<readonly string[]>;
  /** Called with each attempt that there is a Job of. */
  readonly tend: (attempt: number, sighting: Sighting) => Promise<void>;
};

export type Looker = {
  /** What is true of these attempts now. Throws `ExecutorAwayError` where nobody can tell. */
  look(attempts: readonly number[]): Promise<ReadonlyMap<number, Observation>>;
  forget(attempt: number): void;
  /** The pod of an attempt that was over in the last look at it, and has one. */
  overPod(attempt: number): SeenPod | null;
};

/** Attempts in one question: a selector that names them stands in the address. */
const perQuestion = 200;
/** Questions about single attempts at once, and how many of those that wait are explained in one look. */
const mostAtOnce = 8;
const mostExplained = 24;

/** Pods that are remembered as over. */
const mostOver = 1_000;

type Budget = { questions: number };

/**
 * Looks at attempts: in what the watch has seen where it is live, else by asking. That there is no Job is only ever
 * said when the API server was asked for it by its name.
 */
export function createLooker(options: LookerOptions): Looker {
  const { cluster, instance, seen, settings, clock } = options;
  const nodes = createNodes(cluster, settings, clock);
  const warnings = createWarnings(cluster, clock);
  const overPods = new Map<number, SeenPod>();

  /** Lists Jobs and pods of these attempts and keeps them where a watch that is away will find them again. */
  async function ask(attempts: readonly number[]): Promise<Map<number, Sighting>> {
    const found = new Map<number, { job: Sighting['job']; pods: SeenPod[] }>();
    for (let at = 0; at < attempts.length; at += perQuestion) {
      const ids = attempts.slice(at, at + perQuestion);
      for (const id of ids) found.set(id, { job: null, pods: [] });
      const selector = `${labels.instance}=${instance},${labels.attempt} in (${ids.join(',')})`;
      const [jobs, pods] = await Promise.all([
        listAll<JobObject>(cluster, jobsPath(cluster), selector),
        listAll<PodObject>(cluster, podsPath(cluster), selector),
      ]);
      for (const job of jobs) {
        const entry = found.get(attemptOf(job.metadata?.labels) ?? 0);
        if (entry) entry.job = seenJobOf(job);
      }
      for (const pod of pods) found.get(attemptOf(pod.metadata?.labels) ?? 0)?.pods.push(seenPodOf(pod));
    }
    return found;
  }

  async function observe(attempt: number, sighting: Sighting, budget: Budget): Promise<Observation> {
    const now = cluster.now();
    const { job } = sighting;
    const newest = newestOf(sighting.pods);
    const known: ClusterFacts = {
      job: job?.facts ?? null,
      pod: newest ? await completed(newest.facts) : null,
      events: [],
    };
    const uids = [job?.uid, newest?.uid].filter((uid) => uid !== undefined);
    const events =
      wantsWarnings(known, now.getTime()) && (hasFailed(known) || (budget.questions -= 1) >= 0)
        ? await warnings.about(attempt, uids)
        : [];
    const asked = job?.asked ?? readAsked(undefined);
    const room: ClusterRoom = known.pod?.unscheduled ? await nodes.roomFor(asked, job?.diskBytes ?? 0) : null;
    const observation = observeCluster(
      { ...known, events },
      {
        asked,
        image: job?.image ?? '',
        room,
        now,
        unschedulableAfterSeconds: options.unschedulableAfterSeconds,
        knownSecrets: await secretsFor(job?.project ?? null, known.pod),
      },
    );
    // That its container runs is no word about the command, which waits in there until its workspace is restored.
    if (observation.kind === 'running' && observation.taken === undefined)
      return { kind: 'pending', exists: true };
    return observation.kind === 'pending' ? { ...observation, exists: true } : observation;
  }

  /** Where a container waits for a secret, which a person may have set after its pod was made. */
  async function secretsFor(project: number | null, pod: PodFacts | null): Promise<readonly string[]> {
    const task = pod?.task;
    if (project === null || task?.state !== 'waiting' || task.reason !== 'CreateContainerConfigError')
      return [];
    try {
      return await options.mirror(project);
    } catch (error) {
      // The same refusal ends or holds the next start, in the server's words.
      if (error instanceof ClusterRefusal) return [];
      throw error;
    }
  }

  /**
   * A pod that was not ready yet when its node fell silent shows nothing of that, whoever took it away (measured: a kubelet
   * that froze 20 ms after the command began). Then the node itself is asked about.
   */
  async function completed(pod: PodFacts): Promise<PodFacts> {
    if (pod.nodeUnreachable || pod.node === null || pod.disruption?.reason !== 'DeletionByTaintManager')
      return pod;
    return (await nodes.isSilent(pod.node)) ? { ...pod, nodeUnreachable: true } : pod;
  }

  return {
    async look(attempts) {
      if (attempts.length === 0) return new Map();
      const told = options.isLive() ? new Map(attempts.map((id) => [id, seen.of(id)])) : await ask(attempts);
      const answers = new Map<number, Observation>();
      const budget = { questions: mostExplained };
      const rest = told.entries();
      const work = async (): Promise<void> => {
        for (const [id, sighting] of rest) {
          const confirmed = sighting.job === null ? await confirm(id, sighting) : sighting;
          const answer =
            confirmed === 'foreign' ? foreignJob(cluster, id) : await observe(id, confirmed, budget);
          answers.set(id, answer);
          if (confirmed !== 'foreign' && answer.kind === 'over') rememberOver(id, confirmed);
          if (confirmed !== 'foreign' && confirmed.job !== null) await options.tend(id, confirmed);
        }
      };
      await Promise.all(Array.from({ length: mostAtOnce }, work));
      return answers;
    },
    forget(attempt) {
      warnings.forget(attempt);
      overPods.delete(attempt);
    },
    overPod: (attempt) => overPods.get(attempt) ?? null,
  };

  /** As it was seen: the next moment may take it away, and the ending was read from this one. */
  function rememberOver(attempt: number, { pods }: Sighting): void {
    const pod = newestOf(pods);
    if (pod === null) return;
    if (overPods.size >= mostOver) overPods.clear();
    overPods.set(attempt, pod);
  }

  /** No list is believed when it says that there is no Job. */
  async function confirm(attempt: number, sighting: Sighting): Promise<Sighting | 'foreign'> {
    const job = await findJob(cluster, attempt);
    if (job !== null && !isOf(job, instance)) return 'foreign';
    if (job !== null) {
      if (options.isLive()) seen.jobs.put(job);
      return { ...sighting, job: seenJobOf(job) };
    }
    // A pod that is left of it says all there is to say.
    if (!options.isLive() || sighting.pods.length > 0) return sighting;
    const fresh = await ask([attempt]);
    return fresh.get(attempt) ?? sighting;
  }
}

function newestOf(pods: readonly SeenPod[]): SeenPod | null {
  return pods.reduce<SeenPod | null>(
    (best, pod) => (best === null || pod.facts.createdAt >= best.facts.createdAt ? pod : best),
    null,
  );
}

function hasFailed({ job, pod }: Pick<ClusterFacts, 'job' | 'pod'>): boolean {
  return (job !== null && job.failed !== null) || pod?.phase === 'Failed';
}
