import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AttemptOrder } from '../../src/core/attempt.ts';
import { readAsked } from '../../src/executor/kubernetes/asked.ts';
import { jobOf, type PodSettings } from '../../src/executor/kubernetes/manifest.ts';
import { fieldsOf, jobSchema, strangersOf, valuesOf } from './kubernetes-fields.ts';
import { orderOf, plainSettings } from './kubernetes-orders.ts';

const settings: PodSettings = {
  ...plainSettings,
  namespace: 'work',
  instance: '0123456789ab',
  agentUrl: 'http://ame:8081',
};

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/);
/** What a file may hold that Kubernetes or a shell would read as its own. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.constantFrom(
    '$(HOME)',
    '$$',
    '${x}',
    '"; rm -rf /',
    '{"hostPID": true}',
    '\n- hostNetwork: true',
    '$(AME_TOKEN)',
  ),
);
const amount = fc.integer({ min: 1, max: 2 ** 40 });
const quantity = fc.option(fc.constantFrom('1', '500m', '4Gi', '100M'), { nil: null });

/** Everything of an order that a user's file, branch or commit decides. */
const usersPart: fc.Arbitrary<Partial<AttemptOrder>> = fc.record({
  project: text,
  task: text,
  ref: text,
  commit: fc.stringMatching(/^[0-9a-f]{40}$/),
  script: text,
  env: fc.uniqueArray(fc.record({ name, value: text }), { selector: (each) => each.name, maxLength: 4 }),
  secrets: fc.uniqueArray(fc.record({ name, secret: name }), { selector: (each) => each.name, maxLength: 3 }),
  image: fc.option(text, { nil: null }),
  timeout: fc.integer({ min: 1, max: 1e6 }),
  inheritedBytes: amount,
  resources: fc.record({
    cpu: quantity,
    memory: fc.constant(null),
    storage: quantity,
    gpus: fc.constant(null),
    vram: fc.constant(null),
  }),
  asked: fc.record({
    cpu: fc.record({ millis: fc.integer({ min: 1, max: 64_000 }), limited: fc.boolean() }),
    memory: fc.record({ bytes: amount, ceilingBytes: amount }),
    storageBytes: amount,
    gpus: fc.integer({ min: 0, max: 8 }),
    vramMib: fc.option(fc.integer({ min: 1, max: 200_000 }), { nil: null }),
  }),
});

const pod = 'spec.template.spec';

/** All places of a Job that a user's file reaches, and with what. */
const reachable = [
  // The amounts once more, for those who look at the Job later: numbers.
  'metadata.annotations.ame.dev/asked',
  // A number: the command's time limit and two hours.
  `${pod}.activeDeadlineSeconds`,
  // A number: the memory of a GPU, on the administrator's label.
  ...['key', 'operator', 'values[]'].map(
    (field) =>
      `${pod}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[].matchExpressions[].${field}`,
  ),
  // Names and values of variables, and names of secrets of the same project.
  `${pod}.containers[task].env[].name`,
  `${pod}.containers[task].env[].value`,
  `${pod}.containers[task].env[].valueFrom.secretKeyRef.key`,
  `${pod}.containers[task].env[].valueFrom.secretKeyRef.name`,
  `${pod}.containers[task].env[].valueFrom.secretKeyRef.optional`,
  `${pod}.containers[task].image`,
  ...['cpu', 'ephemeral-storage', 'memory', 'nvidia.com/gpu'].flatMap((resource) => [
    `${pod}.containers[task].resources.limits.${resource}`,
    `${pod}.containers[task].resources.requests.${resource}`,
  ]),
  // A number: the command's time limit.
  `${pod}.initContainers[agent].env[].value`,
  // A number: what the task may write and what it inherits.
  `${pod}.volumes[workspace].emptyDir.sizeLimit`,
].toSorted();

test("a user's file reaches these places of a Job, and no others", () => {
  const plain = valuesOf(jobOf(orderOf(41), settings));
  const reached = new Set<string>();
  for (const part of fc.sample(usersPart, { numRuns: 300, seed: 5 })) {
    const other = valuesOf(jobOf(orderOf(41, part), settings));
    for (const at of new Set([...plain.keys(), ...other.keys()]))
      if (plain.get(at) !== other.get(at)) reached.add(at);
  }
  expect([...reached].toSorted()).toEqual(reachable);
});

/** A place as the schema writes it. */
function fieldOf(place: string): string {
  return place
    .replaceAll(/\[\w*\]/g, '[]')
    .replace(/(resources\.(limits|requests)|metadata\.(labels|annotations))\..*$/, '$1{}')
    .replace(/nodeSelector\..*$/, 'nodeSelector{}');
}

test(`of all fields of a pod of ${jobSchema.kubernetes}, a user's file reaches a handful`, () => {
  const all = new Set(fieldsOf('Job'));
  const reached = new Set(reachable.map(fieldOf));
  const set = new Set([...valuesOf(jobOf(orderOf(41), settings)).keys()].map(fieldOf));
  expect([...reached, ...set].filter((field) => !all.has(field))).toEqual([]);
  const podFields = [...all].filter((field) => field.startsWith(`${pod}.`));
  expect(podFields.length).toBeGreaterThan(700);
  expect(podFields.filter((field) => reached.has(field))).toHaveLength(14);
  // What gives a pod more than its own: none of it is ever set.
  const dangerous = podFields.filter((field) =>
    /\.(hostNetwork|hostPID|hostIPC|hostPath\.\w+|hostUsers|privileged|procMount|serviceAccountName|subPath|hostPort|shareProcessNamespace|sysctls\[\]\.\w+|projected\..*|nodeName|schedulerName)$/.test(
      field,
    ),
  );
  expect(dangerous.length).toBeGreaterThan(20);
  expect(dangerous.filter((field) => reached.has(field) || set.has(field))).toEqual([]);
});

test('whatever an order holds, the Job has no field and no kind of value that the API server does not know', () => {
  fc.assert(
    fc.property(usersPart, (part) => {
      expect(strangersOf(jobOf(orderOf(41, part), settings), 'Job')).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('an agent is told how patient to be, and its pod ends only after that', () => {
  const { activeDeadlineSeconds, initContainers } = jobOf(orderOf(41, { timeout: 100 }), settings).spec
    ?.template.spec ?? { containers: [] };
  const told = initContainers?.[0]?.env?.filter(({ name: which }) => which.endsWith('_PATIENCE'));
  expect(told).toEqual([
    { name: 'AME_STORE_PATIENCE', value: '60' },
    { name: 'AME_REACH_PATIENCE', value: '30' },
  ]);
  expect(activeDeadlineSeconds).toBe(100 + 7_200);
});

test('a value comes out of the pod as it stands in the file', () => {
  /** What a kubelet makes of a text where every variable in it is known. */
  const expanded = (value: string): string =>
    value.replaceAll(/\$(\$|\((\w+)\))/g, (_, is: string) => (is === '$' ? '$' : 'expanded'));
  fc.assert(
    fc.property(text, (value) => {
      const { spec } = jobOf(orderOf(41, { env: [{ name: 'X', value }] }), settings);
      const env = spec?.template.spec?.containers[0]?.env ?? [];
      expect(expanded(env.find((each) => each.name === 'X')?.value ?? '')).toBe(value);
    }),
  );
});

test('the command itself is in no Job', () => {
  const script = 'a-marker-that-is-nowhere-else';
  expect(JSON.stringify(jobOf(orderOf(41, { script }), settings))).not.toContain(script);
});

test("our own variables win over a file's, and each is there once", () => {
  const env = [
    { name: 'AME_TASK', value: 'forged' },
    { name: 'HOME', value: '/data' },
  ];
  const { spec } = jobOf(orderOf(41, { env, secrets: [{ name: 'LANG', secret: 'S' }] }), settings);
  const variables = spec?.template.spec?.containers[0]?.env ?? [];
  expect(variables.filter((each) => each.name === 'AME_TASK')).toEqual([
    { name: 'AME_TASK', value: 'train' },
  ]);
  expect(variables.filter((each) => each.name === 'HOME')).toEqual([{ name: 'HOME', value: '/data' }]);
  expect(variables.filter((each) => each.name === 'LANG')).toEqual([
    { name: 'LANG', valueFrom: { secretKeyRef: { name: 'ame-project-5', key: 'S', optional: false } } },
  ]);
});

test('what the administrator gives all tasks comes before what is their own', () => {
  const taskEnv = [
    { name: 'HTTPS_PROXY', value: 'http://$(USER)@proxy:3128' },
    { name: 'HOME', value: '/root' },
    { name: 'SEED', value: '1' },
  ];
  const order = orderOf(41, { env: [{ name: 'SEED', value: '2' }] });
  const { spec } = jobOf(order, { ...settings, taskEnv });
  const values = new Map(spec?.template.spec?.containers[0]?.env?.map(({ name, value }) => [name, value]));
  expect(['HTTPS_PROXY', 'HOME', 'SEED'].map((name) => values.get(name))).toEqual([
    'http://$$(USER)@proxy:3128',
    '/workspace/home',
    '2',
  ]);
  // AME's own container speaks to AME alone.
  expect(JSON.stringify(spec?.template.spec?.initContainers)).not.toContain('PROXY');
});

test("what the restricted level asks for is said of an attempt's pod, and no more rights than that", () => {
  const { spec } = jobOf(orderOf(41), settings).spec?.template ?? {};
  expect(spec).toMatchObject({ restartPolicy: 'Never', automountServiceAccountToken: false });
  expect(spec?.securityContext).toEqual({
    runAsNonRoot: true,
    runAsUser: 1_000,
    runAsGroup: 1_000,
    seccompProfile: { type: 'RuntimeDefault' },
  });
  const confined = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const contexts = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(
    ({ name, securityContext }) => [name, securityContext],
  );
  expect(contexts).toEqual([
    ['agent', { ...confined, readOnlyRootFilesystem: true }],
    // Of the user's image everything may be written, as the user is used to.
    ['task', confined],
  ]);
  // Nothing of the node, and no credential but the attempt's token, which is the agent's.
  expect(Object.keys(spec ?? {}).filter((field) => /^host|^serviceAccount|^share/.test(field))).toEqual([]);
  expect(spec?.volumes?.map(({ name: volume, ...kind }) => [volume, ...Object.keys(kind)])).toEqual([
    ['workspace', 'emptyDir'],
    ['io', 'emptyDir'],
    ['state', 'emptyDir'],
    ['token', 'secret'],
  ]);
  const mounts = spec?.containers[0]?.volumeMounts?.map((mount) => [mount.name, mount.readOnly ?? false]);
  expect(mounts).toEqual([
    ['workspace', false],
    ['io', true],
  ]);
});

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;

test("what a file does not ask for is asked of the node all the same, and bounded: the agent's and the task's", () => {
  const { spec } = jobOf(orderOf(41), settings).spec?.template ?? {};
  expect(spec?.initContainers?.map(({ resources }) => resources)).toEqual([
    {
      requests: { cpu: '50m', memory: String(128 * mebibyte), 'ephemeral-storage': String(64 * mebibyte) },
      limits: { memory: String(512 * mebibyte), 'ephemeral-storage': String(1.25 * gibibyte) },
    },
  ]);
  expect(spec?.containers.map(({ resources }) => resources)).toEqual([
    {
      requests: { cpu: '100m', memory: String(128 * mebibyte), 'ephemeral-storage': String(256 * mebibyte) },
      limits: { memory: String(128 * mebibyte), 'ephemeral-storage': String(512 * mebibyte) },
    },
  ]);
});

test('resources are asked for and bounded as the file says', () => {
  const asked = {
    cpu: { millis: 2_500, limited: true },
    memory: { bytes: 4 * gibibyte, ceilingBytes: 8 * gibibyte },
    storageBytes: 20 * gibibyte,
    gpus: 2,
    vramMib: 40_000,
  };
  const resources = { cpu: '2500m', memory: null, storage: '20Gi', gpus: 2, vram: '40000Mi' };
  const order = orderOf(41, { asked, resources, inheritedBytes: gibibyte });
  const job = jobOf(order, settings);
  const { containers = [], volumes, affinity } = job.spec?.template.spec ?? {};
  expect(containers[0]?.resources).toEqual({
    requests: {
      cpu: '2500m',
      memory: String(4 * gibibyte),
      'ephemeral-storage': String(21 * gibibyte),
      'nvidia.com/gpu': '2',
    },
    limits: {
      cpu: '2500m',
      memory: String(4 * gibibyte),
      'ephemeral-storage': String(21.25 * gibibyte),
      'nvidia.com/gpu': '2',
    },
  });
  expect(volumes?.[0]).toEqual({ name: 'workspace', emptyDir: { sizeLimit: String(21 * gibibyte) } });
  expect(affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms).toEqual([
    { matchExpressions: [{ key: 'nvidia.com/gpu.memory', operator: 'Gt', values: ['39999'] }] },
  ]);
  expect(readAsked(job.metadata?.annotations)).toEqual(asked);
});

test("the administrator's settings are on every pod, and vram narrows each of his alternatives", () => {
  const zone = { key: 'zone', operator: 'In', values: ['a'] };
  const pool = { key: 'pool', operator: 'Exists' };
  const job = jobOf(orderOf(41, { asked: { ...orderOf(41).asked, gpus: 1, vramMib: 100 } }), {
    ...settings,
    nodeSelector: { pool: 'gpu' },
    tolerations: [{ key: 'gpu', operator: 'Exists' }],
    affinity: {
      podAntiAffinity: {},
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [zone] }, { matchExpressions: [pool] }],
        },
      },
    },
    annotations: { team: 'ml' },
    priorityClass: 'low',
    runtimeClass: 'gvisor',
    imagePullSecrets: ['registry'],
    queue: 'research',
  });
  const vram = { key: 'nvidia.com/gpu.memory', operator: 'Gt', values: ['99'] };
  expect(job).toMatchObject({
    metadata: { annotations: { team: 'ml' }, labels: { 'kueue.x-k8s.io/queue-name': 'research' } },
    spec: {
      template: {
        metadata: { annotations: { team: 'ml' } },
        spec: {
          nodeSelector: { pool: 'gpu' },
          tolerations: [{ key: 'gpu', operator: 'Exists' }],
          priorityClassName: 'low',
          runtimeClassName: 'gvisor',
          imagePullSecrets: [{ name: 'registry' }],
          affinity: {
            podAntiAffinity: {},
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [zone, vram] }, { matchExpressions: [pool, vram] }],
              },
            },
          },
        },
      },
    },
  });
});
