import type { Clock } from '../../agent/clock.ts';
import type { AttemptOrder, Observation } from '../../core/attempt.ts';
import { describeError, type Log } from '../../log.ts';
import { ExecutorAwayError } from '../executor.ts';
import type { Cluster } from './client.ts';
import { ClusterRefusal } from './cluster-error.ts';
import { createJob, createTokenSecret, hasTokenSecret, type JobObject } from './jobs.ts';
import { jobOf, type PodSettings } from './manifest.ts';
import { attemptName, labels } from './names.ts';
import type { ProjectSecrets } from './project-secret.ts';
import { createRecent } from './recent.ts';
import { endingOf, jobRefusalOf } from './refusal.ts';
import type { Sighting } from './sightings.ts';

export type StartOptions = {
  readonly cluster: Cluster;
  readonly instance: string;
  /** What the administrator says about pods. */
  readonly settings: Omit<PodSettings, 'namespace' | 'instance' | 'agentUrl'>;
  /** Where pods reach the agent's door; asked before each start. */
  readonly agentUrl: () => string | Promise<string>;
  readonly tokenOf: (attempt: number) => string;
  readonly secrets: ProjectSecrets;
  readonly created: (attempt: number, job: JobObject) => void;
  readonly wake: (attempt: number) => void;
  readonly clock: Clock;
  readonly log: Log;
};

export type Starts = {
  /** Creates an attempt's Job and its token, each unless it is there. Throws `ExecutorAwayError`. */
  start(order: AttemptOrder): Promise<void>;
  /** What is known of an attempt that has no Job: it was refused, or it is offered again. */
  observe(attempt: number): Promise<Observation | null>;
  /** A crash between Job and Secret leaves a pod that waits for its token: it is given it. */
  tend(attempt: number, sighting: Sighting): Promise<void>;
  forget(attempt: number): void;
};

/** A Job that the cluster does not take yet, and when it is offered again. */
type Held = {
  readonly order: AttemptOrder;
  readonly why: string;
  readonly retryAt: number;
  readonly tries: number;
};

const firstHoldMs = 5_000;
const longestHoldMs = 60_000;
/** How old a Job is at least that is looked at for a missing token: until then somebody is about to give it. */
const tokenWithinMs = 5_000;

/** Starts attempts, and remembers what the cluster would not start. */
export function createStarts(options: StartOptions): Starts {
  const { cluster, instance, clock, log } = options;
  /** What was refused for good, until its end is stored. */
  const refused = new Map<number, Observation>();
  const held = new Map<number, Held>();
  /** Jobs, by uid, whose Secret is there, and attempts that are given one now. */
  const tokens = createRecent<string>();
  const giving = new Set<number>();

  function end(attempt: number, observation: Observation): void {
    refused.set(attempt, observation);
    held.delete(attempt);
    options.wake(attempt);
  }

  async function create(order: AttemptOrder): Promise<void> {
    if (order.secrets.length > 0) await options.secrets.mirror(order.projectId);
    const agentUrl = await addressOfDoor();
    const settings = { ...options.settings, namespace: cluster.namespace, instance, agentUrl };
    const { is, job } = await createJob(cluster, instance, order.id, jobOf(order, settings));
    held.delete(order.id);
    if (is === 'foreign') {
      const name = `${cluster.namespace}/${attemptName(order.id)}`;
      log.error({ attempt: order.id, job: name }, 'a Job with the name of an attempt is not ours');
      end(order.id, foreignJob(cluster, order.id));
      return;
    }
    options.created(order.id, job);
    await giveToken(order.id, job.metadata?.uid ?? '', job.metadata?.labels ?? {});
  }

  async function addressOfDoor(): Promise<string> {
    try {
      return await options.agentUrl();
    } catch (error) {
      throw new ExecutorAwayError('no address is known at which pods reach AME: set AME_AGENT_URL', {
        cause: error,
      });
    }
  }

  async function giveToken(
    attempt: number,
    uid: string,
    jobLabels: Readonly<Record<string, string>>,
  ): Promise<void> {
    if (tokens.has(uid)) return;
    const token = options.tokenOf(attempt);
    await createTokenSecret(cluster, { attempt, uid, token, labels: jobLabels });
    tokens.add(uid);
  }

  async function start(order: AttemptOrder): Promise<void> {
    if (refused.has(order.id)) return;
    const tries = (held.get(order.id)?.tries ?? 0) + 1;
    giving.add(order.id);
    try {
      await create(order);
    } catch (error) {
      if (!(error instanceof ClusterRefusal)) throw error;
      const refusal = jobRefusalOf(error, cluster.namespace);
      log.warn({ attempt: order.id, error: describeError(error) }, 'the cluster refused a Job');
      if (refusal.is === 'over') {
        end(order.id, { kind: 'over', ending: refusal.ending });
        return;
      }
      const wait = Math.min(longestHoldMs, firstHoldMs * 2 ** Math.min(tries - 1, 10));
      held.set(order.id, { order, why: refusal.why, retryAt: clock.now() + wait, tries });
    } finally {
      giving.delete(order.id);
    }
  }

  return {
    start,
    async observe(attempt) {
      const waits = held.get(attempt);
      if (waits !== undefined && waits.retryAt <= clock.now()) await start(waits.order);
      const decided = refused.get(attempt);
      if (decided !== undefined || waits === undefined) return decided ?? null;
      const still = held.get(attempt);
      return { kind: 'pending', ...(still && { why: still.why }) };
    },
    async tend(attempt, { job, pods }) {
      if (job === null || job.facts.deleting || tokens.has(job.uid) || giving.has(attempt)) return;
      if (cluster.now().getTime() - job.facts.createdAt.getTime() < tokenWithinMs) return;
      const waits = pods.some(
        ({ facts }) => facts.node !== null && (facts.agent?.state ?? 'waiting') === 'waiting',
      );
      if (!waits) return;
      if (await hasTokenSecret(cluster, attempt, job.uid)) tokens.add(job.uid);
      else {
        log.warn({ attempt }, 'an attempt without its token is given one');
        const own = { [labels.instance]: instance, [labels.attempt]: String(attempt) };
        await giveToken(attempt, job.uid, own);
      }
    },
    forget(attempt) {
      refused.delete(attempt);
      held.delete(attempt);
    },
  };
}

/** What an attempt ends with whose name is taken: an administrator has to look. */
export function foreignJob({ namespace }: Cluster, attempt: number): Observation {
  const reason = `The Job ${namespace}/${attemptName(attempt)} is there already, and another AME or a person made it.`;
  return { kind: 'over', ending: endingOf('start_failed', reason) };
}
