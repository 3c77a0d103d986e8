import { createHmac } from 'node:crypto';
import type { Clock } from '../../agent/clock.ts';
import { ClusterRefusal, isRefused } from './cluster-error.ts';
import type { Cluster } from './client.ts';
import { isOf, secretsPath, type JobObject } from './jobs.ts';
import { listPages } from './list-pages.ts';
import { annotations, labels, projectSecretName } from './names.ts';

export type ProjectSecretOptions = {
  readonly cluster: Cluster;
  readonly instance: string;
  /** What the digest of the values is keyed with: one without a key could be guessed at. */
  readonly key: Uint8Array;
  readonly secretsOf: (
    projectId: number,
  ) => Promise<readonly { readonly name: string; readonly value: string }[]>;
  readonly clock: Clock;
};

export type ProjectSecrets = {
  /** Makes the project's Secret say what its secrets are now. Throws `ClusterRefusal`. */
  mirror(projectId: number): Promise<void>;
  /** The same for all mirrors that are there: a value that was deleted does not stay where nothing is started any more. */
  refresh(signal: AbortSignal): Promise<void>;
};

/** How long what is in the cluster is taken for what was last seen there. */
const believedMs = 30_000;

/** Mirrors the secrets of projects: one Secret each, written where its values differ and not once an attempt. */
export function createProjectSecrets(options: ProjectSecretOptions): ProjectSecrets {
  const { cluster, instance, clock } = options;
  const seen = new Map<number, { readonly digest: string; readonly at: number }>();
  const turns = new Map<number, Promise<void>>();

  async function mirror(projectId: number): Promise<void> {
    const values = await options.secretsOf(projectId);
    const digest = digestOf(options.key, projectId, values);
    const known = seen.get(projectId);
    if (known?.digest === digest && clock.now() - known.at < believedMs) return;
    await write(cluster, instance, projectId, values, digest);
    seen.set(projectId, { digest, at: clock.now() });
  }

  /** One after the other, so that an older state of the values never comes to stand over a newer one. */
  function inTurn(projectId: number): Promise<void> {
    const before = turns.get(projectId) ?? Promise.resolve();
    const turn = before.then(() => mirror(projectId));
    const settled = turn.catch(() => {});
    turns.set(projectId, settled);
    void settled.then(() => {
      if (turns.get(projectId) === settled) turns.delete(projectId);
    });
    return turn;
  }

  async function refresh(signal: AbortSignal): Promise<void> {
    // Secrets with tokens of attempts go with their Jobs.
    const selector = `${labels.instance}=${instance},!${labels.attempt}`;
    for await (const page of listPages<JobObject>(cluster, secretsPath(cluster), selector, signal)) {
      for (const { metadata } of page) {
        const projectId = Number(metadata?.labels?.[labels.project]);
        if (metadata?.name !== projectSecretName(projectId)) continue;
        signal.throwIfAborted();
        const digest = digestOf(options.key, projectId, await options.secretsOf(projectId));
        if (metadata.annotations?.[annotations.digest] !== digest) await inTurn(projectId);
      }
    }
  }

  return { mirror: inTurn, refresh };
}

async function write(
  cluster: Cluster,
  instance: string,
  projectId: number,
  values: readonly { readonly name: string; readonly value: string }[],
  digest: string,
): Promise<void> {
  const name = projectSecretName(projectId);
  const path = `${secretsPath(cluster)}/${name}`;
  const there = await find(cluster, path);
  if (there !== null && !isOf(there, instance))
    throw new ClusterRefusal(
      'conflict',
      409,
      `the Secret ${name} in the namespace ${cluster.namespace} was not made by this AME: rename or delete it`,
    );
  if (there?.metadata?.annotations?.[annotations.digest] === digest) return;
  const body = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace: cluster.namespace,
      labels: {
        [labels.instance]: instance,
        [labels.project]: String(projectId),
        [labels.managedBy]: 'ame',
      },
      annotations: { [annotations.digest]: digest },
    },
    type: 'Opaque',
    data: Object.fromEntries(
      values.map(({ name: key, value }) => [key, Buffer.from(value, 'utf8').toString('base64')]),
    ),
  };
  if (there !== null) {
    await cluster.ask({ method: 'PUT', path, body });
    return;
  }
  try {
    await cluster.ask({ method: 'POST', path: secretsPath(cluster), body });
  } catch (error) {
    // Another replica was faster; it may have read older values.
    if (!isRefused(error, 'conflict')) throw error;
    await cluster.ask({ method: 'PUT', path, body });
  }
}

async function find(cluster: Cluster, path: string): Promise<Pick<JobObject, 'metadata'> | null> {
  try {
    return (await cluster.ask({ method: 'GET', path })) as Pick<JobObject, 'metadata'>;
  } catch (error) {
    if (isRefused(error, 'missing')) return null;
    throw error;
  }
}

function digestOf(
  key: Uint8Array,
  projectId: number,
  values: readonly { readonly name: string; readonly value: string }[],
): string {
  const sorted = values
    .map(({ name, value }) => [name, value])
    .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
  return createHmac('sha256', key)
    .update(JSON.stringify(['ame project secret 1', projectId, sorted]))
    .digest('hex');
}
