import type { AttemptOrder } from '../../src/core/attempt.ts';
import { instanceOf } from '../../src/executor/kubernetes/names.ts';
import type { PodSettings } from '../../src/executor/kubernetes/manifest.ts';

export const ownKey = new Uint8Array(32).fill(7);
export const instance = instanceOf(ownKey);

const mebibyte = 2 ** 20;

/** An order that asks for nothing in particular. */
export function orderOf(id: number, more: Partial<AttemptOrder> = {}): AttemptOrder {
  return {
    id,
    run: { id: 12, number: 3 },
    project: 'spam',
    projectId: 5,
    task: 'train',
    number: 1,
    commit: '0123456789abcdef0123456789abcdef01234567',
    ref: 'refs/heads/main',
    script: 'echo hello',
    env: [],
    secrets: [],
    resources: { cpu: null, memory: null, storage: null, gpus: null, vram: null },
    asked: {
      cpu: { millis: 100, limited: false },
      memory: { bytes: 128 * mebibyte, ceilingBytes: 1_024 * mebibyte },
      storageBytes: 256 * mebibyte,
      gpus: 0,
      vramMib: null,
    },
    image: null,
    timeout: 60,
    inheritedBytes: 0,
    ...more,
  };
}

/** An administrator who says as little as possible. */
export const plainSettings: Omit<PodSettings, 'namespace' | 'instance' | 'agentUrl'> = {
  image: 'ame:1',
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
  graceSeconds: 2,
  storePatienceSeconds: 60,
  reachPatienceSeconds: 30,
};
