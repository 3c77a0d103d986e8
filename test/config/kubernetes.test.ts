import { expect, test } from 'vitest';
import { ConfigError, parseConfig, type Config, type Env } from '../../src/config.ts';
import type { KubernetesConfig } from '../../src/config/kubernetes.ts';

const onCluster: Env = { AME_EXECUTOR: 'kubernetes' };

function faultsOf(env: Env): string {
  try {
    parseConfig(env);
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

test('a cluster is only used where it is asked for', () => {
  expect(
    parseConfig({ KUBECONFIG: '/home/ada/.kube/config', AME_K8S_USER: 'nonsense' }).kubernetes,
  ).toBeNull();
  expect(parseConfig({ AME_EXECUTOR: 'local' }).kubernetes).toBeNull();
});

test('nothing else has to be said', () => {
  expect(parseConfig(onCluster).kubernetes).toEqual({
    kubeconfig: null,
    namespace: null,
    agentUrl: null,
    agentBind: '0.0.0.0',
    agentPort: 8081,
    image: expect.stringMatching(/\/ame:\d+\.\d+\.\d+/),
    defaultImage: 'python:3.12',
    taskEnv: [],
    user: 1_000,
    gpuResource: 'nvidia.com/gpu',
    vramLabel: 'nvidia.com/gpu.memory',
    nodeSelector: {},
    tolerations: [],
    affinity: null,
    annotations: {},
    priorityClass: null,
    runtimeClass: null,
    imagePullSecrets: [],
    queue: null,
    unschedulableAfterSeconds: 900,
    storePatienceSeconds: 4_200,
    reachPatienceSeconds: 300,
    watch: true,
  });
});

const affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } };

test.each<readonly [Env, Partial<KubernetesConfig>]>([
  [{ KUBECONFIG: '/a:/b' }, { kubeconfig: '/a:/b' }],
  [{ AME_K8S_NAMESPACE: ' ame-work ' }, { namespace: 'ame-work' }],
  [{ AME_AGENT_URL: 'http://10.0.0.5:8081/' }, { agentUrl: 'http://10.0.0.5:8081' }],
  [
    { AME_AGENT_BIND: '127.0.0.1', AME_AGENT_PORT: '0' },
    { agentBind: '127.0.0.1', agentPort: 0 },
  ],
  [{ AME_IMAGE: 'registry.local:5000/ame:dev' }, { image: 'registry.local:5000/ame:dev' }],
  // What is passed on by itself are paths and addresses of this machine: a pod is given what is named.
  [{ AME_TASK_ENV: 'TZ', TZ: 'UTC', HTTPS_PROXY: 'http://p' }, { taskEnv: [{ name: 'TZ', value: 'UTC' }] }],
  [{ AME_DEFAULT_IMAGE: 'train@sha256:0123' }, { defaultImage: 'train@sha256:0123' }],
  [{ AME_K8S_USER: '65534' }, { user: 65_534 }],
  [{ AME_K8S_GPU_RESOURCE: 'amd.com/gpu' }, { gpuResource: 'amd.com/gpu' }],
  [{ AME_K8S_VRAM_LABEL: 'gpu-memory' }, { vramLabel: 'gpu-memory' }],
  [{ AME_K8S_NODE_SELECTOR: '{"pool":"gpu"}' }, { nodeSelector: { pool: 'gpu' } }],
  [
    { AME_K8S_TOLERATIONS: '[{"key":"gpu","operator":"Exists","tolerationSeconds":5}]' },
    { tolerations: [{ key: 'gpu', operator: 'Exists', tolerationSeconds: 5 }] },
  ],
  [{ AME_K8S_AFFINITY: JSON.stringify(affinity) }, { affinity }],
  [{ AME_K8S_ANNOTATIONS: '{"team":"ml"}' }, { annotations: { team: 'ml' } }],
  [
    { AME_K8S_PRIORITY_CLASS: 'low', AME_K8S_RUNTIME_CLASS: 'gvisor' },
    { priorityClass: 'low', runtimeClass: 'gvisor' },
  ],
  [{ AME_K8S_IMAGE_PULL_SECRETS: 'one, two' }, { imagePullSecrets: ['one', 'two'] }],
  [{ AME_K8S_QUEUE: 'research' }, { queue: 'research' }],
  [{ AME_K8S_UNSCHEDULABLE_AFTER: '60' }, { unschedulableAfterSeconds: 60 }],
  [
    { AME_STORE_PATIENCE: '600', AME_REACH_PATIENCE: '20' },
    { storePatienceSeconds: 600, reachPatienceSeconds: 20 },
  ],
  // To the second what the pod's own last limit leaves room for.
  [{ AME_STORE_PATIENCE: '6290' }, { storePatienceSeconds: 6_290 }],
  [{ AME_K8S_WATCH: 'off' }, { watch: false }],
])('%o', (env, expected) => {
  expect(parseConfig({ ...onCluster, ...env }).kubernetes).toMatchObject(expected);
});

test.each<readonly [Env, string]>([
  [{ AME_EXECUTOR: 'docker' }, "AME_EXECUTOR is 'docker', but must be local or kubernetes"],
  [{ AME_K8S_NAMESPACE: 'Work' }, "AME_K8S_NAMESPACE is 'Work', but must be the name of a namespace"],
  [
    { AME_AGENT_URL: '10.0.0.5:8081' },
    'AME_AGENT_URL must be an address that begins with http:// or https://',
  ],
  [{ AME_AGENT_PORT: '70000' }, "AME_AGENT_PORT is '70000', but must be a whole number from 0 to 65535"],
  [{ AME_IMAGE: 'two words' }, "AME_IMAGE is 'two words', but must be the name of an image"],
  [{ AME_K8S_USER: '0' }, "AME_K8S_USER is '0', but must be a whole number from 1 to 2147483647"],
  [{ AME_K8S_GPU_RESOURCE: 'a/b/c' }, 'AME_K8S_GPU_RESOURCE is'],
  [{ AME_K8S_NODE_SELECTOR: 'pool=gpu' }, 'AME_K8S_NODE_SELECTOR must be a JSON object of texts'],
  [{ AME_K8S_NODE_SELECTOR: '{"pool":1}' }, 'AME_K8S_NODE_SELECTOR must be a JSON object of texts'],
  [{ AME_K8S_TOLERATIONS: '{"key":"gpu"}' }, 'AME_K8S_TOLERATIONS must be a JSON list of tolerations'],
  [{ AME_K8S_TOLERATIONS: '[{"kee":"gpu"}]' }, 'AME_K8S_TOLERATIONS must be a JSON list of tolerations'],
  [{ AME_K8S_AFFINITY: '{"nodes":{}}' }, 'AME_K8S_AFFINITY must be a JSON object with nodeAffinity'],
  [{ AME_K8S_AFFINITY: '{' }, 'AME_K8S_AFFINITY must be a JSON object with nodeAffinity'],
  [{ AME_K8S_IMAGE_PULL_SECRETS: 'ok,Not Ok' }, "AME_K8S_IMAGE_PULL_SECRETS has 'Not Ok'"],
  [{ AME_K8S_QUEUE: '-' }, "AME_K8S_QUEUE is '-'"],
  [{ AME_STORE_PATIENCE: '1h' }, "AME_STORE_PATIENCE is '1h', but must be a whole number from 1 to 7200"],
  [
    { AME_STORE_PATIENCE: '6291' },
    'AME_STORE_PATIENCE (6291), AME_REACH_PATIENCE (300) and AME_GRACE (10) are 1 second too much together',
  ],
  [{ AME_GRACE: '3600' }, 'are 1,500 seconds too much together'],
  [{ AME_K8S_WATCH: 'no' }, "AME_K8S_WATCH is 'no', but must be on or off"],
])('%o is told', (env, said) => {
  expect(faultsOf({ ...onCluster, ...env })).toContain(said);
});

const gibibyte = 2 ** 30;

test.each<readonly [Env, Partial<Config['resourceDefaults']>]>([
  [{ AME_DEFAULT_CPU: '250m' }, { cpuMillis: 250 }],
  [{ AME_DEFAULT_CPU: '0.0001' }, { cpuMillis: 1 }],
  [{ AME_DEFAULT_MEMORY: '4G' }, { memoryBytes: 4e9 }],
  [{ AME_DEFAULT_MEMORY: '32Gi', AME_MEMORY_CEILING: '32Gi' }, { memoryCeilingBytes: 32 * gibibyte }],
  [{ AME_DEFAULT_STORAGE: ' 1Gi ' }, { storageBytes: gibibyte }],
])('%o', (env, expected) => {
  expect(parseConfig(env).resourceDefaults).toMatchObject(expected);
});

test.each<readonly [Env, string]>([
  [{ AME_DEFAULT_CPU: 'two' }, "AME_DEFAULT_CPU is 'two', but must be a quantity above 0, such as 1"],
  [{ AME_DEFAULT_MEMORY: '0' }, "AME_DEFAULT_MEMORY is '0', but must be a quantity above 0, such as 2Gi"],
  [{ AME_DEFAULT_STORAGE: '-1Gi' }, "AME_DEFAULT_STORAGE is '-1Gi'"],
  [{ AME_MEMORY_CEILING: '1Gi' }, 'AME_MEMORY_CEILING is less than AME_DEFAULT_MEMORY'],
])('%o is told, on a cluster or not', (env, said) => {
  expect(faultsOf(env)).toContain(said);
});

test('all that is wrong is told at once', () => {
  const env = { ...onCluster, AME_K8S_QUEUE: '-', AME_AGENT_PORT: 'x', AME_DEFAULT_CPU: 'y', PORT: 'z' };
  expect(faultsOf(env)).toMatch(/^4 environment variables are wrong:\n/);
});
