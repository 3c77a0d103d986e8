import { createHmac } from 'node:crypto';
import type { Clock } from '../../agent/clock.ts';
import { ClusterRefusal, isRefused } from './cluster-error.ts';
import type { Cluster } from './client.ts';
import { isOf, secretsPath, type JobObject } from './jobs.ts';
import { listPages } from './list-pages.ts';
import { annotations, labels, projectOf, projectSecretName } from './names.ts';

export type ProjectSecretOptions = {
  readonly cluster: Cluster;
  readonly instance: string;
  /** What the digest of the values is keyed with: one without a key could be guessed at. */
  readonly key: Uint8Array;
  readonly secretsOf: (
    projectId: number,
  ) => Promise<readonly { readonly name: string; readonly value: string }[]>;
  /** Which of these projects there are. */
  readonly projectsOf: (ids: readonly number[]) => Promise<ReadonlySet<number>>;
  readonly clock: Clock;
};

export type ProjectSecrets = {
  /** Makes the project's Secret say what its secrets are now, and answers with their names. Throws `ClusterRefusal`. */
  mirror(projectId: number): Promise<readonly string[]>;
  /**
   * The same for all mirrors that are there: a value that was deleted does not stay where nothing is started any more,
   * nor does the Secret of a project that is gone.
   */
  refresh(signal: AbortSignal): Promise<void>;
};

/** How long what is in the cluster is taken for what was last seen there. */
const believedMs = 30_000;

/** Mirrors the secrets of projects: one Secret each, written where its values differ and not once an attempt. */
export function createProjectSecrets(options: ProjectSecretOptions): ProjectSecrets {
  const { cluster, instance, clock } = options;
  const seen = new Map<number, { readonly digest: string; readonly at: number }>();
  const turns = new Map<number, Promise<unknown>>();

  async function mirror(projectId: number): Promise<readonly string[]> {
    const values = await options.secretsOf(projectId);
    const digest = digestOf(options.key, projectId, values);
    const known = seen.get(projectId);
    const names = values.map(({ name }) => name);
    if (known?.digest === digest && clock.now() - known.at < believedMs) return names;
    await write(cluster, instance, projectId, values, digest);
    seen.set(projectId, { digest, at: clock.now() });
    return names;
  }

  /** One after the other, so that an older state of the values never comes to stand over a newer one. */
  function inTurn(projectId: number): Promise<readonly string[]> {
    const before = turns.get(projectId) ?? Promise.resolve();
    const turn = before.then(() => mirror(projectId));
    const settled: Promise<unknown> = turn.catch(() => {});
    turns.set(projectId, settled);
    void settled.then(() => {
      if (turns.get(projectId) === settled) turns.delete(projectId);
    });
    return turn;
  }

  async function refresh(signal: AbortSignal): Promise<void> {
    // Secrets with tokens of attempts go with their Jobs.
    const selector = `${labels.instance}=${instance},!${labels.attempt}`;
    for await (const page of listPages<SecretObject>(cluster, secretsPath(cluster), selector, signal)) {
      const mirrors = page.flatMap(({ metadata, data = {} }) => {
        const projectId = projectOf(metadata?.labels);
        return projectId !== null && metadata?.name === projectSecretName(projectId)
          ? [{ projectId, metadata, data }]
          : [];
      });
      const there = await options.projectsOf(mirrors.map(({ projectId }) => projectId));
      for (const { projectId, metadata, data } of mirrors) {
        signal.throwIfAborted();
        if (!there.has(projectId)) {
          await remove(cluster, projectId, metadata.uid ?? '');
          seen.delete(projectId);
          continue;
        }
        const values = await options.secretsOf(projectId);
        const digest = digestOf(options.key, projectId, values);
        if (!says({ metadata, data }, digest, dataOf(values))) await inTurn(projectId);
      }
    }
  }

  return { mirror: inTurn, refresh };
}

type SecretObject = Pick<JobObject, 'metadata'> & { readonly data?: Data };
type Data = Readonly<Record<string, string>>;

function dataOf(values: readonly { readonly name: string; readonly value: string }[]): Data {
  return Object.fromEntries(
    values.map(({ name, value }) => [name, Buffer.from(value, 'utf8').toString('base64')]),
  );
}

/** Whether a mirror holds all of it and nothing else: a person may have changed it and left its digest as it was. */
function says({ metadata, data = {} }: SecretObject, digest: string, wanted: Data): boolean {
  const names = Object.keys(wanted);
  return (
    metadata?.annotations?.[annotations.digest] === digest &&
    names.length === Object.keys(data).length &&
    names.every((name) => data[name] === wanted[name])
  );
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
  const data = dataOf(values);
  if (there !== null && says(there, digest, data)) return;
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
    data,
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

/** Removes this very Secret; one that is gone, or another one by then, is left alone. */
async function remove(cluster: Cluster, projectId: number, uid: string): Promise<void> {
  try {
    const path = `${secretsPath(cluster)}/${projectSecretName(projectId)}`;
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid } };
    await cluster.ask({ method: 'DELETE', path, body });
  } catch (error) {
    if (!isRefused(error, 'missing') && !isRefused(error, 'conflict')) throw error;
  }
}

async function find(cluster: Cluster, path: string): Promise<SecretObject | null> {
  try {
    return (await cluster.ask({ method: 'GET', path })) as SecretObject;
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
