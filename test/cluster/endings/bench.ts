import { execFile, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { ClusterFacts } from '../../../src/core/outcome/cluster-facts.ts';
import {
  factsOf,
  type KubernetesEvent,
  type KubernetesJob,
  type KubernetesPod,
} from '../../../src/executor/kubernetes/observe.ts';
import { attemptJob, type AttemptJob, type Images } from './attempt-job.ts';
import { written } from './written.ts';

/** What a cluster showed of one attempt at one moment. */
export type Moment = {
  readonly job: KubernetesJob | null;
  readonly pods: readonly KubernetesPod[];
  readonly facts: ClusterFacts;
};

type Seen = {
  readonly metadata: { readonly name: string; readonly labels?: { readonly [name: string]: string } };
};

/** One namespace of a cluster, watched, in which attempts are made to end. Close it with `close`. */
export type Bench = {
  readonly namespace: string;
  kubectl(args: readonly string[], input?: object): Promise<string>;
  /** Creates the Job of an attempt; answers with its name. */
  start(spec: AttemptJob): Promise<string>;
  /** The first moment since the start of which this is true. */
  until(attempt: string, holds: (moment: Moment) => boolean, seconds?: number): Promise<Moment>;
  /** Writes what was there at that moment, with the warnings of it so far, as a fixture. */
  record(row: string, attempt: string, moment: Moment, beside?: object): Promise<void>;
  close(): Promise<void>;
};

let lastNumber = 0;

/** Makes the namespace and begins to watch it. */
export async function openBench(
  namespace: string,
  images: Images,
  directory: string,
  labels: { readonly [name: string]: string } = { 'pod-security.kubernetes.io/enforce': 'restricted' },
): Promise<Bench> {
  const here = (args: readonly string[], input?: object): Promise<string> =>
    kubectl(['-n', namespace, ...args], input);
  await kubectl(['apply', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels },
  });
  const histories = new Map<string, Moment[]>();
  const waiters = new Set<() => void>();
  const state = new Map<string, { job: KubernetesJob | null; pods: Map<string, KubernetesPod> }>();

  function see(kind: 'job' | 'pod', type: string, object: Seen): void {
    const name = `ame-attempt-${object.metadata.labels?.['ame.dev/attempt'] ?? ''}`;
    const now = state.get(name) ?? { job: null, pods: new Map<string, KubernetesPod>() };
    state.set(name, now);
    if (kind === 'job') now.job = type === 'DELETED' ? null : object;
    else if (type === 'DELETED') now.pods.delete(object.metadata.name);
    else now.pods.set(object.metadata.name, object);
    const pods = [...now.pods.values()];
    histories.set(name, [
      ...(histories.get(name) ?? []),
      { job: now.job, pods, facts: factsOf(now.job, pods, []) },
    ]);
    for (const wake of waiters) wake();
  }
  const watches = [
    watch(`/apis/batch/v1/namespaces/${namespace}/jobs`, (type, object) => see('job', type, object)),
    watch(`/api/v1/namespaces/${namespace}/pods`, (type, object) => see('pod', type, object)),
  ];

  async function until(attempt: string, holds: (moment: Moment) => boolean, seconds = 90): Promise<Moment> {
    const end = AbortSignal.timeout(seconds * 1000);
    for (;;) {
      const found = histories.get(attempt)?.find(holds);
      if (found) return found;
      await new Promise<void>((resolve, reject) => {
        const wake = (): void => {
          waiters.delete(wake);
          end.removeEventListener('abort', late);
          resolve();
        };
        const late = (): void => {
          waiters.delete(wake);
          const last = JSON.stringify(histories.get(attempt)?.at(-1)?.facts);
          reject(new Error(`${attempt} was not seen so within ${seconds} s; last: ${last}`));
        };
        waiters.add(wake);
        end.addEventListener('abort', late);
      });
    }
  }

  async function eventsOf(
    attempt: string,
    pods: readonly KubernetesPod[],
  ): Promise<readonly KubernetesEvent[]> {
    const names = new Set([attempt, ...pods.map((pod) => pod.metadata?.name)]);
    const list: { items: (KubernetesEvent & { involvedObject: { name: string } })[] } = JSON.parse(
      await here(['get', 'events', '-o', 'json']),
    );
    return list.items.filter(({ involvedObject }) => names.has(involvedObject.name));
  }

  return {
    namespace,
    kubectl: here,
    async start(spec) {
      lastNumber += 1;
      const name = `ame-attempt-${lastNumber}`;
      await here(['create', '-f', '-'], attemptJob(name, spec, images));
      return name;
    },
    until,
    async record(row, attempt, { job, pods }, beside = {}) {
      const events = await eventsOf(attempt, pods);
      const recordedAt = new Date().toISOString();
      const fixture = { row, recordedAt, ...beside, job, pods, events };
      await writeFile(`${directory}/${row}.json`, written(fixture, registriesOf(images)));
      console.log(`recorded ${row}`);
    },
    async close() {
      for (const child of watches) child.kill();
      await kubectl(['delete', 'namespace', namespace, '--wait=false']);
    },
  };
}

/** Runs kubectl with whatever cluster KUBECONFIG names; `input` goes to it as JSON. */
export async function kubectl(args: readonly string[], input?: object): Promise<string> {
  return await new Promise((resolve, reject) => {
    const child = execFile('kubectl', args, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`kubectl ${args.join(' ')}: ${stderr}`));
      else resolve(stdout);
    });
    child.stdin?.end(input === undefined ? '' : JSON.stringify(input));
  });
}

function watch(path: string, see: (type: string, object: Seen) => void): ReturnType<typeof spawn> {
  const child = spawn('kubectl', ['get', '--raw', `${path}?watch=1&timeoutSeconds=3600`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event: { type: string; object: Seen } = JSON.parse(line);
    if (event.type !== 'ERROR' && event.type !== 'BOOKMARK') see(event.type, event.object);
  });
  return child;
}

/** `host` of `host/name:tag`; names without a dot before the first slash come from the default registry. */
function registriesOf(images: Images): readonly string[] {
  return [images.python, images.small]
    .filter((image) => /^[^/]*[.:][^/]*\//u.test(image))
    .map((image) => image.slice(0, image.indexOf('/')));
}
