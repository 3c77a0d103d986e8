import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ResourceDefaults } from '../../core/resources.ts';
import type { ClusterFacts, ContainerFacts } from '../../core/outcome/cluster-facts.ts';
import type { Cluster } from '../../executor/kubernetes/client.ts';
import { jobsPath, podsPath } from '../../executor/kubernetes/jobs.ts';
import type { PodSettings } from '../../executor/kubernetes/manifest.ts';
import {
  factsOf,
  type KubernetesEvent,
  type KubernetesJob,
  type KubernetesPod,
} from '../../executor/kubernetes/observe.ts';
import { right, wordsOf, wrong, type Finding } from '../finding.ts';
import { probeJob, storeWord } from './probe-job.ts';

/** Milliseconds between two looks at the probe, and how long it may take to come to an end. */
const everyMs = 500;

export type Probe = {
  readonly settings: PodSettings;
  readonly defaults: ResourceDefaults;
  /** An address in the store of content, signed as those that pods are given; null where they are given none. */
  readonly storeUrl: string | null;
  /** How long a pod may take to be placed, to pull its images and to end. */
  readonly patienceMs: number;
};

/** Runs a short-lived pod as attempts would be run, and says how far it came. It is deleted in any case. */
export async function probeCluster(cluster: Cluster, probe: Probe): Promise<readonly Finding[]> {
  const name = `ame-doctor-${randomBytes(4).toString('hex')}`;
  try {
    await cluster.ask({
      method: 'POST',
      path: jobsPath(cluster),
      body: probeJob(name, probe.settings, probe.defaults, probe.storeUrl),
    });
    const until = performance.now() + probe.patienceMs;
    for (;;) {
      const facts = await look(cluster, name);
      const findings = judgeProbe(facts, probe.settings, probe.storeUrl);
      if (findings !== null) return findings;
      if (performance.now() > until) return [tooLate(facts, probe.patienceMs)];
      await delay(everyMs);
    }
  } catch (error) {
    const remedy = 'Mend what stands above first; the words are the API server’s';
    return [wrong('pod', `A pod could not be tried: ${wordsOf(error)}`, remedy)];
  } finally {
    await cluster
      .ask({
        method: 'DELETE',
        path: `${jobsPath(cluster)}/${name}`,
        query: { propagationPolicy: 'Background' },
      })
      // It removes itself a minute after its end; what went wrong was told above.
      .catch(() => {});
  }
}

async function look(cluster: Cluster, name: string): Promise<ClusterFacts> {
  const job = await cluster.ask({ method: 'GET', path: `${jobsPath(cluster)}/${name}` });
  const pods = await cluster.ask({
    method: 'GET',
    path: podsPath(cluster),
    query: { labelSelector: `batch.kubernetes.io/job-name=${name}` },
  });
  const found = (itemsOf(pods) ?? []) as readonly KubernetesPod[];
  const of = found[0]?.metadata?.name ?? name;
  const events = await cluster.ask({
    method: 'GET',
    path: `/api/v1/namespaces/${cluster.namespace}/events`,
    query: { fieldSelector: `involvedObject.name=${of},type=Warning` },
  });
  // Of the API server's own schemas, of which only what may be absent is looked at.
  return factsOf(job as KubernetesJob, found, (itemsOf(events) ?? []) as readonly KubernetesEvent[]);
}

function itemsOf(list: unknown): unknown {
  return typeof list === 'object' && list !== null && 'items' in list ? list.items : null;
}

/** What the probe shows; `null` while it is on its way. */
export function judgeProbe(
  { job, pod, events }: ClusterFacts,
  settings: PodSettings,
  storeUrl: string | null = null,
): readonly Finding[] | null {
  const refused = events.find(({ reason }) => reason === 'FailedCreate');
  if (pod === null) {
    if (refused === undefined) return null;
    const remedy =
      'Look at the quotas, the limits and the admission policies of the namespace; the AME_K8S_ variables shape the pods';
    return [wrong('pod', `The cluster refuses pods of AME: ${refused.message}`, remedy)];
  }
  const badImage =
    imageFault(pod.agent, settings.image, 'AME_IMAGE') ??
    imageFault(pod.task, settings.defaultImage, 'AME_DEFAULT_IMAGE');
  const { agent, task } = pod;
  const door = agent?.state === 'terminated' ? doorFinding(agent, settings) : null;
  if (door !== null && !door.ok) return [right('image', `The image ${settings.image} can be pulled`), door];
  const store = agent?.state === 'terminated' && storeUrl !== null ? [storeFinding(agent, storeUrl)] : [];
  if (badImage !== null) return [badImage, ...(door === null ? [] : [door, ...store])];
  if (door !== null && task?.state === 'terminated') {
    if (task.exitCode !== 0) {
      const message = `The image ${settings.defaultImage} runs no sh: ${task.message ?? task.reason ?? `it ended with ${task.exitCode}`}`;
      return [
        door,
        ...store,
        wrong('image', message, 'Let AME_DEFAULT_IMAGE name an image for this machine with a POSIX sh'),
      ];
    }
    return [
      right('image', `Both images can be pulled: ${settings.image}, ${settings.defaultImage}`),
      door,
      ...store,
    ];
  }
  if (job?.failed) {
    const remedy = 'Look at the pod and its events with kubectl, while `ame doctor` runs';
    return [wrong('pod', `The pod came to no end: ${job.failed.message || job.failed.reason}`, remedy)];
  }
  return null;
}

const pullFaults = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
]);

function imageFault(container: ContainerFacts | null, image: string, variable: string): Finding | null {
  if (container?.state !== 'waiting' || !pullFaults.has(container.reason ?? '')) return null;
  const message = `The image ${image} cannot be used: ${container.message ?? container.reason}`;
  const remedy = `Push it to where the nodes pull from, let ${variable} name another one, or AME_K8S_IMAGE_PULL_SECRETS the Secret that opens its registry`;
  return wrong('image', message, remedy);
}

function doorFinding(
  agent: ContainerFacts & { readonly state: 'terminated' },
  settings: PodSettings,
): Finding {
  if (agent.exitCode === 0) return right('door', `Pods reach the agent's door at ${settings.agentUrl}`);
  // What our own script ends with; all else is an image that is none of ours.
  if (agent.exitCode !== 7) {
    const message = `The image ${settings.image} cannot run the agent: ${agent.message ?? agent.reason ?? `it ended with ${agent.exitCode}`}`;
    return wrong(
      'image',
      message,
      'Let AME_IMAGE name the image of this version of AME, for the processors of the nodes',
    );
  }
  return wrong(
    'door',
    `Pods do not reach the agent's door at ${settings.agentUrl}: ${agent.message?.trim() || 'no word why'}`,
    'Set AME_AGENT_URL to an address of this machine, or of the Service before it, that pods reach; look at AME_AGENT_BIND, AME_AGENT_PORT, firewalls and NetworkPolicies',
  );
}

/** A store that pods cannot reach costs time, and no attempt: what they would fetch there goes through AME. */
function storeFinding({ message }: ContainerFacts & { readonly state: 'terminated' }, url: string): Finding {
  const { origin } = new URL(url);
  if (!message?.startsWith(storeWord))
    return right('storage', `Pods reach the store of content at ${origin}`);
  return wrong(
    'storage',
    `Pods do not reach the store of content at ${origin}: ${message.slice(storeWord.length).trim()}`,
    'Let AME_S3_ENDPOINT name an address that pods reach as well; look at firewalls and NetworkPolicies. Until then all files go through AME, which is slower',
  );
}

function tooLate({ pod, events }: ClusterFacts, patienceMs: number): Finding {
  const waits = (container: ContainerFacts | null | undefined): string | null =>
    container?.state === 'waiting' ? (container.message ?? container.reason) : null;
  const why =
    pod?.unscheduled?.message ??
    waits(pod?.agent) ??
    waits(pod?.task) ??
    events.at(-1)?.message ??
    'the cluster does not say why';
  const remedy =
    'Look at what the pod asks for (AME_DEFAULT_CPU, AME_DEFAULT_MEMORY), the AME_K8S_ variables and the nodes';
  return wrong('pod', `A pod did not come to its end in ${Math.round(patienceMs / 1_000)} s: ${why}`, remedy);
}
