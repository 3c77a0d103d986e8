import { dirname } from 'node:path';
import type {
  V1Container,
  V1Job,
  V1PodSpec,
  V1ResourceRequirements,
  V1SecurityContext,
} from '@kubernetes/client-node';
import { endTaskScript, entryName, entryScript, takeAwayScript } from '../../agent/pod/entry.ts';
import { podPlaces } from '../../agent/pod/places.ts';
import type { AttemptOrder } from '../../core/attempt.ts';
import { backstopSeconds } from '../../core/pod-time.ts';
import type { AskedResources } from '../../core/resources.ts';
import { askedText } from './asked.ts';
import { annotations, attemptName, labels } from './names.ts';
import { affinityOf, type PlacementSettings } from './placement.ts';
import { literal, taskEnvironment } from './task-environment.ts';

/** What the administrator and this server say about every pod. */
export type PodSettings = PlacementSettings & {
  readonly namespace: string;
  /** Which AME this is: `instanceOf`. */
  readonly instance: string;
  /** AME's own image. */
  readonly image: string;
  /** For tasks that name none. */
  readonly defaultImage: string;
  /** What tasks are given beside their own environment, which wins. */
  readonly taskEnv: readonly { readonly name: string; readonly value: string }[];
  /** User and group of both containers: what the one writes the other must be able to read and change. */
  readonly user: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly priorityClass: string | null;
  readonly runtimeClass: string | null;
  readonly imagePullSecrets: readonly string[];
  readonly queue: string | null;
  /** Where pods reach the agent's door. */
  readonly agentUrl: string;
  /** Between TERM and KILL. */
  readonly graceSeconds: number;
  /** How long a command that has ended holds its machine until all that it left is stored. */
  readonly storePatienceSeconds: number;
  /** How long the door's first answer is waited for. */
  readonly reachPatienceSeconds: number;
};

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;

/** Seconds that an agent has to collect and upload once its pod is deleted. The node keeps to the first grace it hears. */
const uploadGraceSeconds = 600;
/** What a task's own image layer and the few lines that its container prints itself may take. */
const logSlackBytes = 256 * mebibyte;
/** What is asked of a node's disk where the file says nothing: the limit is the administrator's, few tasks come near it. */
const usualStorageBytes = gibibyte;
const pipesBytes = 16 * mebibyte;
const stateBytes = gibibyte;

const agentResources: V1ResourceRequirements = {
  requests: { cpu: '50m', memory: String(128 * mebibyte), 'ephemeral-storage': String(64 * mebibyte) },
  limits: { memory: String(512 * mebibyte), 'ephemeral-storage': String(stateBytes + logSlackBytes) },
};

/** What the agent asks of a node beside its task. */
export const agentRequests = { cpuMillis: 50, memoryBytes: 128 * mebibyte, storageBytes: 64 * mebibyte };

/**
 * The Job of an attempt. What a user's file says reaches it in these places alone: names, values and secrets' names
 * in the task's `env`, its image, its amounts of resources, and its time limit.
 */
export function jobOf(order: AttemptOrder, settings: PodSettings): V1Job {
  const own = {
    [labels.instance]: settings.instance,
    [labels.attempt]: String(order.id),
    [labels.run]: String(order.run.id),
    [labels.project]: String(order.projectId),
    [labels.managedBy]: 'ame',
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: attemptName(order.id),
      namespace: settings.namespace,
      labels: { ...own, ...(settings.queue !== null && { [labels.queue]: settings.queue }) },
      annotations: { ...settings.annotations, [annotations.asked]: askedText(order.asked) },
    },
    spec: {
      // Every try is an attempt of its own.
      backoffLimit: 0,
      template: {
        metadata: { labels: own, annotations: { ...settings.annotations } },
        spec: podOf(order, settings),
      },
    },
  };
}

function podOf(order: AttemptOrder, settings: PodSettings): V1PodSpec {
  const affinity = affinityOf(settings, order.asked.gpus > 0 ? order.asked.vramMib : null);
  const workspaceBytes = order.asked.storageBytes + order.inheritedBytes;
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: uploadGraceSeconds + settings.graceSeconds,
    // The agent keeps the command's own time limit: this is only where nobody else ends the pod.
    activeDeadlineSeconds: Math.ceil(order.timeout) + backstopSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: settings.user,
      runAsGroup: settings.user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...(Object.keys(settings.nodeSelector).length > 0 && { nodeSelector: { ...settings.nodeSelector } }),
    ...(settings.tolerations.length > 0 && { tolerations: [...settings.tolerations] }),
    ...(affinity !== null && { affinity }),
    ...(settings.priorityClass !== null && { priorityClassName: settings.priorityClass }),
    ...(settings.runtimeClass !== null && { runtimeClassName: settings.runtimeClass }),
    ...(settings.imagePullSecrets.length > 0 && {
      imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })),
    }),
    volumes: [
      { name: 'workspace', emptyDir: { sizeLimit: String(workspaceBytes) } },
      { name: 'io', emptyDir: { sizeLimit: String(pipesBytes) } },
      { name: 'state', emptyDir: { sizeLimit: String(stateBytes) } },
      { name: 'token', secret: { secretName: attemptName(order.id), defaultMode: 0o444 } },
    ],
    initContainers: [agentContainer(order, settings)],
    containers: [taskContainer(order, settings, workspaceBytes)],
  };
}

const confined = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
} satisfies V1SecurityContext;

/** A native sidecar: started first, ended last, and started again as long as the task's container runs. */
function agentContainer(order: AttemptOrder, settings: PodSettings): V1Container {
  return {
    name: 'agent',
    image: settings.image,
    restartPolicy: 'Always',
    command: ['node', '/app/agent.mjs'],
    env: [
      { name: 'AME_AGENT_URL', value: literal(settings.agentUrl) },
      { name: 'AME_ATTEMPT', value: String(order.id) },
      { name: 'AME_TOKEN_FILE', value: podPlaces.token },
      { name: 'AME_TIMEOUT', value: String(order.timeout) },
      { name: 'AME_GRACE', value: String(settings.graceSeconds) },
      { name: 'AME_STORE_PATIENCE', value: String(settings.storePatienceSeconds) },
      { name: 'AME_REACH_PATIENCE', value: String(settings.reachPatienceSeconds) },
    ],
    lifecycle: { preStop: { exec: { command: ['sh', '-c', takeAwayScript] } } },
    resources: agentResources,
    securityContext: { ...confined, readOnlyRootFilesystem: true },
    volumeMounts: [
      { name: 'workspace', mountPath: podPlaces.volume },
      { name: 'io', mountPath: podPlaces.io },
      { name: 'state', mountPath: podPlaces.state },
      { name: 'token', mountPath: dirname(podPlaces.token), readOnly: true },
    ],
  };
}

function taskContainer(order: AttemptOrder, settings: PodSettings, workspaceBytes: number): V1Container {
  return {
    name: 'task',
    image: order.image ?? settings.defaultImage,
    // The command itself is no part of it: the agent writes it to a file, which may be longer than an argument.
    command: ['sh', '-c', literal(entryScript), entryName],
    env: taskEnvironment(order, settings.taskEnv),
    lifecycle: {
      preStop: { exec: { command: ['sh', '-c', endTaskScript(settings.graceSeconds)] } },
    },
    resources: taskResources(order, settings.gpuResource, workspaceBytes),
    securityContext: confined,
    volumeMounts: [
      { name: 'workspace', mountPath: podPlaces.volume },
      // Pipes on a volume that can only be read can still be written, and nothing else there can.
      { name: 'io', mountPath: podPlaces.io, readOnly: true },
    ],
  };
}

/** Memory is asked for as what it may use, so that no neighbour's is promised twice; the rest may be shared. */
function taskResources(
  { asked, resources, inheritedBytes }: AttemptOrder,
  gpuResource: string,
  workspaceBytes: number,
): V1ResourceRequirements {
  const cpu = `${asked.cpu.millis}m`;
  const memory = String(asked.memory.bytes);
  const gpus = asked.gpus > 0 ? { [gpuResource]: String(asked.gpus) } : {};
  return {
    requests: {
      cpu,
      memory,
      'ephemeral-storage': String(inheritedBytes + storageRequest(asked, resources.storage !== null)),
      ...gpus,
    },
    limits: {
      ...(asked.cpu.limited && { cpu }),
      memory,
      'ephemeral-storage': String(workspaceBytes + logSlackBytes),
      ...gpus,
    },
  };
}

function storageRequest(asked: AskedResources, isSaid: boolean): number {
  return isSaid ? asked.storageBytes : Math.min(asked.storageBytes, usualStorageBytes);
}
