import { findAgentAddress } from './agent-address.ts';
import { attemptToken } from './attempt/token.ts';
import { ConfigError, type Config } from './config.ts';
import type { KubernetesConfig } from './config/kubernetes.ts';
import type { Connection } from './db/connect.ts';
import { findOverAttempts } from './db/over-attempts.ts';
import { findLivingProjects } from './db/projects.ts';
import { SecretUnreadableError } from './db/seal.ts';
import { listSecrets, readSecrets } from './db/secrets.ts';
import type { Executor } from './executor/executor.ts';
import { connectCluster } from './executor/kubernetes/client.ts';
import { createKubernetesExecutor } from './executor/kubernetes/kubernetes-executor.ts';
import { findNodeAddresses } from './executor/kubernetes/node-addresses.ts';
import { briefError, type Log } from './log.ts';

export type ClusterExecutorGround = {
  readonly config: Config;
  readonly kubernetes: KubernetesConfig;
  readonly db: Connection;
  readonly secretKey: Uint8Array;
  readonly ownKey: Uint8Array;
  readonly log: Log;
  readonly clock?: () => Date;
};

/** Attempts on the cluster that the configuration names, which is not asked for anything yet. Throws `ConfigError`. */
export async function createClusterExecutor(ground: ClusterExecutorGround): Promise<Executor> {
  const { config, kubernetes, db, secretKey, ownKey, log } = ground;
  const cluster = await connectCluster(kubernetes).catch((error: unknown) => {
    throw new ConfigError(`KUBECONFIG: ${briefError(error)}`, { cause: error });
  });
  log.info({ server: cluster.server.origin, namespace: cluster.namespace }, 'attempts run on Kubernetes');
  return createKubernetesExecutor({
    cluster,
    settings: { ...kubernetes, graceSeconds: config.graceSeconds },
    agentUrl: () =>
      findAgentAddress({
        url: kubernetes.agentUrl,
        port: kubernetes.agentPort,
        apiServer: cluster.server.href,
        nodes: () => findNodeAddresses(cluster),
      }),
    ownKey,
    tokenOf: (attempt) => attemptToken(ownKey, attempt),
    secretsOf: (projectId) => readableSecrets(db, secretKey, projectId),
    projectsOf: (ids) => findLivingProjects(db, ids),
    isOver: (attempts) => findOverAttempts(db, attempts),
    unschedulableAfterSeconds: kubernetes.unschedulableAfterSeconds,
    watch: kubernetes.watch,
    log,
  });
}

/** Those of a project's secrets that this key opens: the door tells a task which of its own is missing. */
async function readableSecrets(
  db: Connection,
  secretKey: Uint8Array,
  projectId: number,
): Promise<readonly { readonly name: string; readonly value: string }[]> {
  const names = (await listSecrets(db, projectId)).map(({ name }) => name);
  const values: { name: string; value: string }[] = [];
  for (const name of names) {
    try {
      const value = (await readSecrets(db, secretKey, projectId, [name])).get(name);
      if (value !== undefined) values.push({ name, value });
    } catch (error) {
      if (!(error instanceof SecretUnreadableError)) throw error;
    }
  }
  return values;
}
