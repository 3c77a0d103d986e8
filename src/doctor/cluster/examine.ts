import { findAgentAddress } from '../../agent-address.ts';
import type { Config } from '../../config.ts';
import type { KubernetesConfig } from '../../config/kubernetes.ts';
import { connectCluster, type Cluster } from '../../executor/kubernetes/client.ts';
import { ClusterRefusal } from '../../executor/kubernetes/cluster-error.ts';
import { jobsPath } from '../../executor/kubernetes/jobs.ts';
import type { PodSettings } from '../../executor/kubernetes/manifest.ts';
import { findNodeAddresses } from '../../executor/kubernetes/node-addresses.ts';
import { compareClocks } from '../clock.ts';
import { right, wordsOf, wrong, type Finding } from '../finding.ts';
import { sampleJob } from './probe-job.ts';
import { probeCluster } from './probe.ts';
import { examineRights } from './rights.ts';
import { examineNamespace, missingNamespace } from './security.ts';
import { openStandIn } from './stand-in-door.ts';

export type ClusterExam = {
  readonly config: Config;
  readonly kubernetes: KubernetesConfig;
  readonly clock: () => Date;
  /** An address in the store of content, signed as for pods; null where content goes through AME. */
  readonly storeUrl: string | null;
  /** How long the pod that is tried may take. */
  readonly patienceMs: number;
};

/** Looks at the cluster from the outside to the inside; what stops the rest is told alone. */
export async function* examineCluster(exam: ClusterExam): AsyncGenerator<Finding> {
  const { kubernetes } = exam;
  let cluster: Cluster;
  try {
    cluster = await connectCluster(kubernetes);
  } catch (error) {
    const remedy = 'Set KUBECONFIG to the path of a kubeconfig file whose current context names the cluster';
    return yield wrong('cluster', wordsOf(error), remedy);
  }
  try {
    yield* examine(cluster, exam);
  } catch (error) {
    const remedy = `Look whether ${cluster.server.origin} can be reached from here, and whether the credentials of the kubeconfig are still good`;
    yield wrong('cluster', wordsOf(error), remedy);
  } finally {
    cluster.close();
  }
}

async function* examine(cluster: Cluster, exam: ClusterExam): AsyncGenerator<Finding> {
  yield right('cluster', `${await versionOf(cluster)} answers at ${cluster.server.origin}`);
  const rights = await examineRights(cluster);
  yield* rights;
  const namespace = await examineNamespace(cluster);
  yield namespace;
  const settings = await podSettings(cluster, exam);
  if (!('agentUrl' in settings)) return yield settings;
  const manifest = await tryManifest(cluster, settings, exam);
  // Where the namespace is not there, that was said, unless it may not be looked at.
  if (manifest === null) return namespace.ok ? yield missingNamespace(cluster) : undefined;
  yield* manifest;
  // Without a right a pod would only say the same once more.
  if (![...rights, ...manifest].every(({ ok }) => ok)) return;
  await using _ = await openStandIn(exam.kubernetes.agentBind, exam.kubernetes.agentPort);
  const { patienceMs, config, storeUrl } = exam;
  yield* await probeCluster(cluster, { settings, defaults: config.resourceDefaults, storeUrl, patienceMs });
}

async function versionOf(cluster: Cluster): Promise<string> {
  // Of the API server's own schema.
  const said = (await cluster.ask({ method: 'GET', path: '/version' })) as { readonly gitVersion?: string };
  return `Kubernetes ${said.gitVersion ?? 'of no version'}`;
}

/** Pods' settings as the server would have them; or why it would have none. */
async function podSettings(cluster: Cluster, exam: ClusterExam): Promise<PodSettings | Finding> {
  const { kubernetes, config } = exam;
  const agentUrl = await findAgentAddress({
    url: kubernetes.agentUrl,
    port: kubernetes.agentPort,
    apiServer: cluster.server.href,
    nodes: () => findNodeAddresses(cluster),
  });
  if (/^https?:\/\/(127\.|localhost[:/]|\[::1\])/.test(`${agentUrl}/`))
    return wrong(
      'door',
      `Pods would look for AME at ${agentUrl}, which is themselves`,
      'Set AME_AGENT_URL to an address of this machine that pods reach',
    );
  return {
    ...kubernetes,
    namespace: cluster.namespace,
    instance: 'doctor',
    agentUrl,
    graceSeconds: config.graceSeconds,
  };
}

/**
 * Lets the API server judge the manifest of an attempt without making anything of it, and reads its clock off that;
 * `null` where it says that there is no such namespace.
 */
async function tryManifest(
  cluster: Cluster,
  settings: PodSettings,
  { config, clock }: ClusterExam,
): Promise<readonly Finding[] | null> {
  const before = clock();
  try {
    const made = await cluster.ask({
      method: 'POST',
      path: jobsPath(cluster),
      query: { dryRun: 'All' },
      body: sampleJob(settings, config.resourceDefaults),
    });
    const after = clock();
    const theirs = createdAt(made);
    return [
      right('manifest', 'The API server takes the manifest of an attempt'),
      // The moment is told in whole seconds.
      ...(theirs === null
        ? []
        : [compareClocks({ before, theirs, after: new Date(after.getTime() + 1_000) }, 'API server')]),
    ];
  } catch (error) {
    if (!(error instanceof ClusterRefusal)) throw error;
    if (error.kind === 'missing') return null;
    const remedy =
      'Look at the AME_K8S_ variables that shape it, and at the admission policies of the cluster';
    return [wrong('manifest', `The API server refuses the manifest of an attempt: ${error.message}`, remedy)];
  }
}

function createdAt(job: unknown): Date | null {
  // Of the API server's own schema.
  const { metadata } = (job ?? {}) as { readonly metadata?: { readonly creationTimestamp?: string } };
  const at = new Date(metadata?.creationTimestamp ?? Number.NaN);
  return Number.isNaN(at.getTime()) ? null : at;
}
