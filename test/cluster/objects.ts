import {
  KubernetesObjectApi,
  Watch,
  type KubeConfig,
  type V1Deployment,
  type V1Job,
  type V1Pod,
  type V1ResourceQuota,
  type V1Secret,
} from '@kubernetes/client-node';

/** Kinds that the tests wait for. */
export type Kinds = {
  readonly pods: V1Pod;
  readonly secrets: V1Secret;
  readonly jobs: V1Job;
  readonly deployments: V1Deployment;
  readonly resourcequotas: V1ResourceQuota;
};

const kinds = {
  pods: { apiVersion: 'v1', kind: 'Pod', root: '/api/v1' },
  secrets: { apiVersion: 'v1', kind: 'Secret', root: '/api/v1' },
  jobs: { apiVersion: 'batch/v1', kind: 'Job', root: '/apis/batch/v1' },
  resourcequotas: { apiVersion: 'v1', kind: 'ResourceQuota', root: '/api/v1' },
  deployments: { apiVersion: 'apps/v1', kind: 'Deployment', root: '/apis/apps/v1' },
} as const;

/**
 * Looks at the objects of a kind in a namespace, and again after each change of one, until `look` answers with
 * something. Rejects with what stops the watch.
 */
export async function awaitObjects<K extends keyof Kinds, R>(
  config: KubeConfig,
  kind: K,
  namespace: string,
  look: (objects: readonly Kinds[K][]) => R | undefined,
): Promise<R> {
  const { apiVersion, kind: name, root } = kinds[kind];
  for (;;) {
    const list = await KubernetesObjectApi.makeApiClient(config).list<Kinds[K]>(apiVersion, name, namespace);
    const there = new Map(list.items.map((item) => [item.metadata?.uid, item]));
    const { promise, resolve, reject } = Promise.withResolvers<{ readonly found: R } | null>();
    const seen = (): void => {
      const found = look([...there.values()]);
      if (found !== undefined) resolve({ found });
    };
    seen();
    const request = await new Watch(config).watch(
      `${root}/namespaces/${namespace}/${kind}`,
      { resourceVersion: list.metadata?.resourceVersion ?? '' },
      (phase: string, object: Kinds[K]) => {
        // An ERROR event says that the place in the stream is forgotten: listed again.
        if (phase === 'ERROR') return resolve(null);
        if (phase === 'DELETED') there.delete(object.metadata?.uid);
        else there.set(object.metadata?.uid, object);
        try {
          seen();
        } catch (error) {
          reject(error);
        }
      },
      // It ends by itself after 30 s in which nothing happened, and whenever the server likes.
      () => resolve(null),
    );
    const answer = await promise.finally(() => request.abort());
    if (answer !== null) return answer.found;
  }
}
