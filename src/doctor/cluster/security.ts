import type { Cluster } from '../../executor/kubernetes/client.ts';
import { isRefused } from '../../executor/kubernetes/cluster-error.ts';
import { right, wrong, type Finding } from '../finding.ts';

const label = 'pod-security.kubernetes.io/enforce';

/** Looks whether the namespace is there and holds its pods to the restricted level, where we may look. */
export async function examineNamespace(cluster: Cluster): Promise<Finding> {
  const { namespace } = cluster;
  const command = `kubectl label namespace ${namespace} --overwrite ${label}=restricted`;
  try {
    const found = await cluster.ask({ method: 'GET', path: `/api/v1/namespaces/${namespace}` });
    const level = levelOf(found);
    if (level === 'restricted')
      return right(
        'security',
        `The namespace ${namespace} holds pods to the restricted level of Pod Security`,
      );
    return wrong(
      'security',
      `The namespace ${namespace} enforces ${level === null ? 'no level' : `only the ${level} level`} of Pod Security`,
      `AME's pods pass the restricted one: ${command}`,
    );
  } catch (error) {
    if (isRefused(error, 'missing')) return missingNamespace(cluster);
    // Namespaces belong to no namespace, and AME needs no right outside of its own.
    if (isRefused(error, 'forbidden'))
      return right('security', `AME may not look at the namespace ${namespace}, and need not`);
    throw error;
  }
}

export function missingNamespace({ namespace }: Cluster): Finding {
  return wrong(
    'security',
    `There is no namespace ${namespace}`,
    `kubectl create namespace ${namespace}, or let AME_K8S_NAMESPACE name another one`,
  );
}

function levelOf(namespace: unknown): string | null {
  // Of the API server's own schema.
  const { metadata } = (namespace ?? {}) as {
    readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  };
  return metadata?.labels?.[label] ?? null;
}
