import type { Cluster } from '../../executor/kubernetes/client.ts';
import { right, wrong, type Finding } from '../finding.ts';

/** What AME does with each kind of object in the namespace of attempts: the Role of `deploy/kubernetes` grants just this. */
export const neededRights: readonly {
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
}[] = [
  { group: 'batch', resource: 'jobs', verbs: ['create', 'get', 'list', 'watch', 'delete'] },
  { group: '', resource: 'pods', verbs: ['get', 'list', 'watch'] },
  { group: '', resource: 'pods/log', verbs: ['get'] },
  { group: '', resource: 'secrets', verbs: ['create', 'get', 'list', 'update', 'patch', 'delete'] },
  { group: '', resource: 'events', verbs: ['get', 'list'] },
];

/** Asks the API server what we may do; one finding for each kind of which something is missing. */
export async function examineRights(cluster: Cluster): Promise<readonly Finding[]> {
  const { namespace } = cluster;
  const missing: string[] = [];
  for (const { group, resource, verbs } of neededRights) {
    const answers = await Promise.all(
      verbs.map(async (verb) => ((await may(cluster, { group, resource, verb, namespace })) ? [] : [verb])),
    );
    const refused = answers.flat();
    if (refused.length > 0) missing.push(`${refused.join(', ')} ${resource}`);
  }
  const nodes = await may(cluster, { group: '', resource: 'nodes', verb: 'list' });
  return [
    ...missing.map((what) =>
      wrong(
        'rights',
        `AME may not ${what} in the namespace ${namespace}`,
        `Bind the Role of deploy/kubernetes/base/rights.yaml in ${namespace} to the account that AME has there`,
      ),
    ),
    ...(missing.length === 0
      ? [right('rights', `AME may do in the namespace ${namespace} all that it has to`)]
      : []),
    right(
      'rights',
      nodes
        ? 'AME may look at nodes: it says at once what none of them can hold'
        : 'AME may not look at nodes, and need not: what none can hold is told in the words of the scheduler',
    ),
  ];
}

type Asked = {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly namespace?: string;
};

async function may(cluster: Cluster, { resource, ...asked }: Asked): Promise<boolean> {
  const [name, subresource] = resource.split('/');
  const review = await cluster.ask({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { ...asked, resource: name, ...(subresource && { subresource }) } },
    },
  });
  return isAllowed(review);
}

function isAllowed(review: unknown): boolean {
  // Of the API server's own schema; anything else is no permission.
  const { status } = (review ?? {}) as { readonly status?: { readonly allowed?: boolean } };
  return status?.allowed === true;
}
