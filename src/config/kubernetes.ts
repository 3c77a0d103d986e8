import type { Env } from '../config.ts';
import { beyondBackstop, usualReachPatience, usualStorePatience } from '../core/pod-time.ts';
import { counted } from '../core/problems/wording.ts';
import type { TaskEnv } from './task-env.ts';

/** What the administrator decides about runs on a cluster. */
export type KubernetesConfig = {
  /** Paths of kubeconfig files, as KUBECONFIG lists them; null: the usual places, or the pod's service account. */
  readonly kubeconfig: string | null;
  /** Where attempts run; null: the context's namespace, or the service account's. */
  readonly namespace: string | null;
  /** Address at which pods reach the agent's door, without a slash at its end; null: it is found. */
  readonly agentUrl: string | null;
  readonly agentBind: string;
  readonly agentPort: number;
  /** AME's own image, which the agent comes from. */
  readonly image: string;
  /** What tasks run in that name no image. */
  readonly defaultImage: string;
  /** What tasks are given beside their own environment. */
  readonly taskEnv: TaskEnv;
  /** The user and group of everything in a pod. */
  readonly user: number;
  /** The resource that counts GPUs, and the node label that says how much memory each has, MiB. */
  readonly gpuResource: string;
  readonly vramLabel: string;
  readonly nodeSelector: StringMap;
  readonly tolerations: readonly Toleration[];
  readonly affinity: JsonObject | null;
  readonly annotations: StringMap;
  readonly priorityClass: string | null;
  readonly runtimeClass: string | null;
  readonly imagePullSecrets: readonly string[];
  /** Kueue's queue; null: Jobs start as soon as they are created. */
  readonly queue: string | null;
  /** How long what no node can ever hold waits for a larger one to be brought. */
  readonly unschedulableAfterSeconds: number;
  /** How long a command that has ended holds its machine until all that it left is stored. */
  readonly storePatienceSeconds: number;
  /** How long the first answer of the agent's door is waited for in a pod. */
  readonly reachPatienceSeconds: number;
  /** Off: nothing is watched, and everything is found by asking. */
  readonly watch: boolean;
};

export type StringMap = Readonly<Record<string, string>>;
export type JsonObject = Readonly<Record<string, unknown>>;
export type Toleration = {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
  readonly tolerationSeconds?: number;
};

export type KubernetesReaders = {
  readonly integer: (name: string, fallback: number, least: number, most: number) => number;
  readonly url: (name: string) => string | null;
  readonly list: (name: string) => readonly string[];
  readonly taskEnv: TaskEnv;
  /** Between TERM and KILL. */
  readonly graceSeconds: number;
  readonly faults: string[];
};

/** Reads what `AME_EXECUTOR=kubernetes` needs; faults are added to the reader's. */
export function parseKubernetes(env: Env, readers: KubernetesReaders, version: string): KubernetesConfig {
  const { integer, faults } = readers;
  const text = (name: string): string | null => env[name]?.trim() || null;
  /** A name as Kubernetes takes it in this place. */
  const named = (name: string, pattern: RegExp, what: string): string | null => {
    const value = text(name);
    if (value === null || pattern.test(value)) return value;
    faults.push(`${name} is '${value}', but must be ${what}`);
    return null;
  };
  const json = <T>(name: string, what: string, is: (value: unknown) => value is T, fallback: T): T => {
    const value = text(name);
    if (value === null) return fallback;
    const parsed = parseJson(value);
    if (is(parsed)) return parsed;
    faults.push(`${name} must be ${what}`);
    return fallback;
  };
  const pullSecrets = readers.list('AME_K8S_IMAGE_PULL_SECRETS');
  for (const name of pullSecrets)
    if (!objectName.test(name))
      faults.push(
        `AME_K8S_IMAGE_PULL_SECRETS has '${name}', but must be names of Secrets, with commas between`,
      );
  const patience = {
    grace: readers.graceSeconds,
    store: integer('AME_STORE_PATIENCE', usualStorePatience, 1, 7_200),
    reach: integer('AME_REACH_PATIENCE', usualReachPatience, 1, 7_200),
  };
  const tooMuch = beyondBackstop(patience);
  if (tooMuch > 0)
    faults.push(
      `AME_STORE_PATIENCE (${patience.store}), AME_REACH_PATIENCE (${patience.reach}) and AME_GRACE (${patience.grace}) are ${counted(tooMuch, 'second')} too much together: a pod is ended two hours after its task's time limit`,
    );
  const stringMap = 'a JSON object of texts, such as {"pool":"gpu"}';
  return {
    kubeconfig: text('KUBECONFIG'),
    namespace: named('AME_K8S_NAMESPACE', /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'the name of a namespace'),
    agentUrl: readers.url('AME_AGENT_URL'),
    agentBind: text('AME_AGENT_BIND') ?? '0.0.0.0',
    agentPort: integer('AME_AGENT_PORT', 8081, 0, 65_535),
    image: named('AME_IMAGE', imageName, 'the name of an image') ?? `ghcr.io/ame-dev/ame:${version}`,
    defaultImage: named('AME_DEFAULT_IMAGE', imageName, 'the name of an image') ?? 'python:3.12',
    taskEnv: readers.taskEnv,
    user: integer('AME_K8S_USER', 1_000, 1, 2 ** 31 - 1),
    gpuResource:
      named('AME_K8S_GPU_RESOURCE', qualified, 'a resource such as nvidia.com/gpu') ?? 'nvidia.com/gpu',
    vramLabel:
      named('AME_K8S_VRAM_LABEL', qualified, 'a label of nodes such as nvidia.com/gpu.memory') ??
      'nvidia.com/gpu.memory',
    nodeSelector: json('AME_K8S_NODE_SELECTOR', stringMap, isStringMap, {}),
    tolerations: json(
      'AME_K8S_TOLERATIONS',
      'a JSON list of tolerations, such as [{"key":"gpu","operator":"Exists"}]',
      isTolerations,
      [],
    ),
    affinity: json<JsonObject | null>(
      'AME_K8S_AFFINITY',
      'a JSON object with nodeAffinity, podAffinity or podAntiAffinity',
      isAffinity,
      null,
    ),
    annotations: json('AME_K8S_ANNOTATIONS', stringMap, isStringMap, {}),
    priorityClass: named('AME_K8S_PRIORITY_CLASS', objectName, 'the name of a PriorityClass'),
    runtimeClass: named('AME_K8S_RUNTIME_CLASS', objectName, 'the name of a RuntimeClass'),
    imagePullSecrets: pullSecrets,
    queue: named('AME_K8S_QUEUE', objectName, "the name of one of Kueue's queues"),
    unschedulableAfterSeconds: integer('AME_K8S_UNSCHEDULABLE_AFTER', 900, 0, 86_400),
    storePatienceSeconds: patience.store,
    reachPatienceSeconds: patience.reach,
    watch: isOn(env, 'AME_K8S_WATCH', faults),
  };
}

const objectName = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const qualified = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?$/;
const imageName = /^[^\s]+$/;

function isOn(env: Env, name: string, faults: string[]): boolean {
  const value = env[name]?.trim() || 'on';
  if (value !== 'on' && value !== 'off') faults.push(`${name} is '${value}', but must be on or off`);
  return value !== 'off';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStringMap(value: unknown): value is StringMap {
  return isObject(value) && Object.values(value).every((entry) => typeof entry === 'string');
}

const affinityKeys = new Set(['nodeAffinity', 'podAffinity', 'podAntiAffinity']);

function isAffinity(value: unknown): value is JsonObject {
  return (
    isObject(value) && Object.entries(value).every(([key, entry]) => affinityKeys.has(key) && isObject(entry))
  );
}

const tolerationTexts = new Set(['key', 'operator', 'value', 'effect']);

function isTolerations(value: unknown): value is readonly Toleration[] {
  return (
    Array.isArray(value) &&
    value.every(
      (entry) =>
        isObject(entry) &&
        Object.entries(entry).every(([key, field]) =>
          key === 'tolerationSeconds'
            ? Number.isInteger(field)
            : tolerationTexts.has(key) && typeof field === 'string',
        ),
    )
  );
}
