import {
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  type V1Job,
  type V1Namespace,
  type V1Pod,
} from '@kubernetes/client-node';
import { exec } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { awaitObjects } from './objects.ts';
import { readSettings, type ClusterSettings } from './settings.ts';

/** A namespace of the test's own on the cluster. */
export type Cluster = AsyncDisposable & {
  readonly settings: ClusterSettings;
  readonly config: KubeConfig;
  readonly core: CoreV1Api;
  readonly batch: BatchV1Api;
  readonly namespace: string;
  /** Looks at its pods after each change until `look` answers. */
  pods<R>(look: (pods: readonly V1Pod[]) => R | undefined): Promise<R>;
  jobs<R>(look: (jobs: readonly V1Job[]) => R | undefined): Promise<R>;
};

/** Makes a namespace that holds pods to the restricted level; it goes, with all that is in it, at the end. */
export async function openCluster(labels: Readonly<Record<string, string>> = {}): Promise<Cluster> {
  const settings = readSettings();
  const config = new KubeConfig();
  config.loadFromFile(settings.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const namespace = `ame-test-${randomBytes(4).toString('hex')}`;
  const body: V1Namespace = {
    metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted', ...labels } },
  };
  await core.createNamespace({ body });
  // Pods get the service account of their namespace, which a controller makes a moment later.
  return {
    settings,
    config,
    core,
    batch: config.makeApiClient(BatchV1Api),
    namespace,
    pods: (look) => awaitObjects(config, 'pods', namespace, look),
    jobs: (look) => awaitObjects(config, 'jobs', namespace, look),
    [Symbol.asyncDispose]: async () => {
      await core.deleteNamespace({ name: namespace });
    },
  };
}

/** Runs one of the commands that the environment gives for a node. */
export async function atNode(command: string, node: string): Promise<void> {
  await promisify(exec)(command.replaceAll('{node}', node));
}

/**
 * Whether the environment has what a test needs; where it has not, the reason is printed, and the test is to be
 * skipped: `test.skipIf(lacks(…))`.
 */
export function lacks(value: string | null, test: string, variable: string): boolean {
  if (value !== null) return false;
  console.log(`skipped: ${test}, because ${variable} is not set`);
  return true;
}

/** The attempt that a Job or a pod is of. */
export function attemptOf(object: V1Job | V1Pod): number {
  return Number(object.metadata?.labels?.['ame.dev/attempt']);
}
