import { RbacAuthorizationV1Api } from '@kubernetes/client-node';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { neededRights } from '../../src/doctor/cluster/rights.ts';
import { ame } from '../cli/fake-terminal.ts';
import { clusterEnv } from './ame-on-cluster.ts';
import { openCluster, type Cluster } from './cluster.ts';

let cluster: Cluster;
let directory: string;
beforeAll(async () => {
  cluster = await openCluster();
  directory = await mkdtemp(join(tmpdir(), 'ame-doctor-'));
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  if (directory) await rm(directory, { recursive: true, force: true });
});

/** Runs the doctor with the configuration of the tests and what differs from it. */
async function doctor(changed: Readonly<Record<string, string>> = {}) {
  const env: Record<string, string> = { AME_DATA: join(directory, 'data') };
  for (const [name, value] of Object.entries(await clusterEnv(cluster)))
    if (value !== undefined) env[name] = value;
  const { code, out, err } = await ame(['doctor'], { env: { ...env, ...changed } });
  return { code, err, out, wrong: out.split('\n').filter((line) => line.startsWith('wrong')) };
}

test('a cluster that is as it should be', async () => {
  const { code, out, err } = await doctor();
  expect([err, code], out).toEqual(['', 0]);
  expect(out).toMatch(/^good {3}door {6}Pods reach the agent's door/m);
  expect(out).toMatch(/^good {3}image {5}Both images can be pulled/m);
  expect(out).toMatch(/^good {3}security {2}.*restricted level/m);
  await cluster.jobs((jobs) => (jobs.length === 0 ? true : undefined));
});

test('a namespace that is not there', async () => {
  const { code, wrong } = await doctor({ AME_K8S_NAMESPACE: 'ame-no-such-namespace' });
  expect([code, wrong]).toEqual([
    1,
    [expect.stringMatching(/^wrong {2}security {2}There is no namespace .*kubectl create namespace/)],
  ]);
});

test('a namespace that enforces nothing, with a quota that holds no pod', async () => {
  await using open = await openCluster({ 'pod-security.kubernetes.io/enforce': 'baseline' });
  await open.core.createNamespacedResourceQuota({
    namespace: open.namespace,
    body: { metadata: { name: 'small' }, spec: { hard: { 'requests.memory': '1Mi' } } },
  });
  const { code, wrong } = await doctor({ AME_K8S_NAMESPACE: open.namespace });
  expect([code, wrong]).toEqual([
    1,
    [
      expect.stringMatching(/^wrong {2}security {2}.*only the baseline level.*kubectl label namespace/),
      expect.stringMatching(/^wrong {2}pod {7}The cluster refuses pods of AME: .*quota/),
    ],
  ]);
});

test('an image that is not there', async () => {
  const named = cluster.settings.image ?? cluster.settings.taskImage;
  const image = `${named.replace(/:[^/:]*$/, '')}:no-such-tag`;
  const { code, wrong } = await doctor({ AME_IMAGE: image });
  expect([code, wrong]).toEqual([
    1,
    [expect.stringMatching(/^wrong {2}image {5}.*no-such-tag cannot be used.*AME_IMAGE/)],
  ]);
});

test.each([
  [
    'an address that nobody has',
    'http://192.0.2.1:8081',
    /^wrong {2}door {6}Pods do not reach .*192\.0\.2\.1/,
  ],
  [
    'a name that nobody has',
    'http://ame.invalid:8081',
    /^wrong {2}door {6}Pods do not reach .*ENOTFOUND|EAI_AGAIN/,
  ],
  ['the pod itself', 'http://127.0.0.1:8081', /^wrong {2}door {6}.*which is themselves/],
])('a door at %s', async (_, url, words) => {
  const { code, wrong } = await doctor({ AME_AGENT_URL: url });
  expect([code, wrong]).toEqual([1, [expect.stringMatching(words)]]);
  expect(wrong[0]).toContain('Set AME_AGENT_URL');
});

test('a manifest that the API server does not take', async () => {
  const { code, wrong } = await doctor({ AME_K8S_ANNOTATIONS: '{"not a name!":"x"}' });
  expect([code, wrong]).toEqual([1, [expect.stringMatching(/^wrong {2}manifest {2}.*AME_K8S_ variables/)]]);
});

test('an account without its rights, and then with those of the Role that comes with AME', async () => {
  const { core, config, namespace } = cluster;
  await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name: 'narrow' } } });
  const { status } = await core.createNamespacedServiceAccountToken({
    namespace,
    name: 'narrow',
    // Required by the type alone.
    body: { spec: { audiences: [] } },
  });
  const file = join(directory, 'narrow');
  await writeFile(file, kubeconfigOf(cluster, status?.token ?? ''));
  const none = await doctor({ KUBECONFIG: file });
  expect(none.code).toBe(1);
  expect(none.wrong.filter((line) => line.startsWith('wrong  rights'))).toHaveLength(neededRights.length);
  expect(none.wrong[0]).toMatch(/AME may not create, get, list, watch, delete jobs .*rights\.yaml/);
  const rbac = config.makeApiClient(RbacAuthorizationV1Api);
  await rbac.createNamespacedRole({
    namespace,
    body: {
      metadata: { name: 'narrow' },
      rules: neededRights.map(({ group, resource, verbs }) => ({
        apiGroups: [group],
        resources: [resource],
        verbs: [...verbs],
      })),
    },
  });
  await rbac.createNamespacedRoleBinding({
    namespace,
    body: {
      metadata: { name: 'narrow' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'narrow' },
      subjects: [{ kind: 'ServiceAccount', name: 'narrow', namespace }],
    },
  });
  const granted = await doctor({ KUBECONFIG: file });
  expect([granted.code, granted.wrong]).toEqual([0, []]);
  expect(granted.out).toMatch(/may not look at nodes, and need not/);
});

function kubeconfigOf({ config, namespace }: Cluster, token: string): string {
  const { server = '', caData = '', caFile, skipTLSVerify } = config.getCurrentCluster() ?? {};
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'narrow',
    contexts: [{ name: 'narrow', context: { cluster: 'c', user: 'narrow', namespace } }],
    clusters: [
      {
        name: 'c',
        cluster: {
          server,
          ...(caData && { 'certificate-authority-data': caData }),
          ...(caFile && { 'certificate-authority': caFile }),
          ...(skipTLSVerify && { 'insecure-skip-tls-verify': true }),
        },
      },
    ],
    users: [{ name: 'narrow', user: { token } }],
  });
}
