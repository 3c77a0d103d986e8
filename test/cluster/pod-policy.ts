import { AdmissionregistrationV1Api, ApiException } from '@kubernetes/client-node';
import type { Cluster } from './cluster.ts';

/** The variable with which a pod is refused. */
export const refusedVariable = 'REFUSED_BY_POLICY';

/** Has the API server refuse pods of the namespace whose containers have that variable; resolves once it does. */
export async function refusePods(cluster: Cluster): Promise<AsyncDisposable> {
  const { config, namespace: name } = cluster;
  await using undo = new AsyncDisposableStack();
  const api = config.makeApiClient(AdmissionregistrationV1Api);
  await api.createValidatingAdmissionPolicy({
    body: {
      metadata: { name },
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
          ],
        },
        validations: [
          {
            expression: `!object.spec.containers.exists(c, has(c.env) && c.env.exists(e, e.name == '${refusedVariable}'))`,
            message: 'pods need a cost centre',
          },
        ],
      },
    },
  });
  undo.defer(async () => {
    await api.deleteValidatingAdmissionPolicy({ name });
  });
  await api.createValidatingAdmissionPolicyBinding({
    body: {
      metadata: { name },
      spec: {
        policyName: name,
        validationActions: ['Deny'],
        matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } },
      },
    },
  });
  undo.defer(async () => {
    await api.deleteValidatingAdmissionPolicyBinding({ name });
  });
  // It counts from a second or so after it was made on.
  while (!(await isRefused(cluster)));
  return undo.move();
}

async function isRefused({ core, namespace, settings }: Cluster): Promise<boolean> {
  const env = [{ name: refusedVariable, value: 'yes' }];
  try {
    await core.createNamespacedPod({
      namespace,
      dryRun: 'All',
      body: {
        metadata: { name: 'tried' },
        spec: {
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'tried',
              image: settings.smallImage,
              env,
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            },
          ],
        },
      },
    });
    return false;
  } catch (error) {
    if (error instanceof ApiException && /ValidatingAdmissionPolicy/.test(String(error.body))) return true;
    // Its namespace gets the service account that pods have by default a moment after it was made.
    if (error instanceof ApiException && /serviceaccount/.test(String(error.body))) return false;
    throw error;
  }
}
