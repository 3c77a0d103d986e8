import type { V1Job } from '@kubernetes/client-node';
import { ExecutorAwayError } from '../executor.ts';
import { isRefused } from './cluster-error.ts';
import type { Cluster } from './client.ts';
import { attemptName, labels } from './names.ts';
import type { KubernetesJob, KubernetesPod } from './observe.ts';

/** A Job or a pod as the API server writes it, as far as it is looked at. */
export type JobObject = KubernetesJob & Identity & { readonly spec?: JobSpec };
export type PodObject = KubernetesPod & Identity;

type Identity = {
  readonly metadata?: {
    readonly name?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
};

type JobSpec = {
  readonly suspend?: boolean;
  readonly template?: {
    readonly spec?: { readonly containers?: readonly JobContainer[] };
  };
};

type JobContainer = {
  readonly name: string;
  readonly image?: string;
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
};

/** Made or already there as ours; or there, and somebody else's. */
export type Created = { readonly is: 'ours' | 'foreign'; readonly job: JobObject };

export function jobsPath({ namespace }: Cluster): string {
  return `/apis/batch/v1/namespaces/${namespace}/jobs`;
}

export function podsPath({ namespace }: Cluster): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

export function secretsPath({ namespace }: Cluster): string {
  return `/api/v1/namespaces/${namespace}/secrets`;
}

/** Creates the Job of an attempt unless it is there. Throws `ClusterRefusal` where the server does not want it. */
export async function createJob(
  cluster: Cluster,
  instance: string,
  attempt: number,
  job: V1Job,
): Promise<Created> {
  try {
    const made = (await cluster.ask({ method: 'POST', path: jobsPath(cluster), body: job })) as JobObject;
    return { is: 'ours', job: made };
  } catch (error) {
    if (!isRefused(error, 'conflict')) throw error;
    const there = await findJob(cluster, attempt);
    // Gone between the two questions: whoever looks next sees that it is not there.
    if (there === null) throw new ExecutorAwayError('a Job was there and is gone', { cause: error });
    return { is: isOf(there, instance) ? 'ours' : 'foreign', job: there };
  }
}

/** Asks for the Job by its name: the one way to know that there is none. */
export async function findJob(cluster: Cluster, attempt: number): Promise<JobObject | null> {
  try {
    const path = `${jobsPath(cluster)}/${attemptName(attempt)}`;
    return (await cluster.ask({ method: 'GET', path })) as JobObject;
  } catch (error) {
    if (isRefused(error, 'missing')) return null;
    throw error;
  }
}

/** Deletes this very Job with all that belongs to it; one that is gone, or another one by then, is left alone. */
export async function deleteJob(cluster: Cluster, attempt: number, uid: string): Promise<void> {
  try {
    await cluster.ask({
      method: 'DELETE',
      path: `${jobsPath(cluster)}/${attemptName(attempt)}`,
      body: {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        propagationPolicy: 'Background',
        preconditions: { uid },
      },
    });
  } catch (error) {
    if (!isRefused(error, 'missing') && !isRefused(error, 'conflict')) throw error;
  }
}

/**
 * Gives an attempt its token; the Secret goes when its Job goes. Throws `ExecutorAwayError` while that of an earlier Job
 * of the same attempt, which somebody deleted, is still on its way out.
 */
export async function createTokenSecret(
  cluster: Cluster,
  own: {
    readonly attempt: number;
    readonly uid: string;
    readonly token: string;
    readonly labels: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const name = attemptName(own.attempt);
  try {
    await cluster.ask({
      method: 'POST',
      path: secretsPath(cluster),
      body: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          name,
          namespace: cluster.namespace,
          labels: own.labels,
          ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid: own.uid }],
        },
        type: 'Opaque',
        immutable: true,
        stringData: { token: own.token },
      },
    });
  } catch (error) {
    if (!isRefused(error, 'conflict')) throw error;
    if (await hasTokenSecret(cluster, own.attempt, own.uid)) return;
    throw new ExecutorAwayError(`the Secret ${name} belongs to another Job`, { cause: error });
  }
}

/** Whether the Secret of an attempt is there, and goes with this Job and no earlier one. */
export async function hasTokenSecret(cluster: Cluster, attempt: number, uid: string): Promise<boolean> {
  try {
    const path = `${secretsPath(cluster)}/${attemptName(attempt)}`;
    const { metadata } = (await cluster.ask({ method: 'GET', path })) as Identity;
    return metadata?.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
  } catch (error) {
    if (isRefused(error, 'missing')) return false;
    throw error;
  }
}

/** Whether an object was made by this AME. */
export function isOf(object: Identity, instance: string): boolean {
  return object.metadata?.labels?.[labels.instance] === instance;
}
