import type { AttemptOrder } from '../../core/attempt.ts';
import type { Resources } from '../../core/project.ts';
import { resolveResources, type ResourceDefaults } from '../../core/resources.ts';
import { jobOf, type PodSettings } from '../../executor/kubernetes/manifest.ts';
import { labels } from '../../executor/kubernetes/names.ts';

type Job = ReturnType<typeof jobOf>;
type Container = NonNullable<NonNullable<Job['spec']>['template']['spec']>['containers'][number];

const nothing: Resources = { cpu: null, memory: null, storage: null, gpus: null, vram: null };

/** An attempt of no task: what the smallest file would make of the administrator's settings. */
export function sampleJob(settings: PodSettings, defaults: ResourceDefaults): Job {
  const order: AttemptOrder = {
    id: 0,
    run: { id: 0, number: 0 },
    project: 'doctor',
    projectId: 0,
    task: 'doctor',
    number: 1,
    commit: '0'.repeat(40),
    ref: 'refs/heads/main',
    script: '',
    env: [],
    secrets: [],
    resources: nothing,
    asked: resolveResources(nothing, defaults, null),
    image: null,
    timeout: 60,
    inheritedBytes: 0,
  };
  return jobOf(order, settings);
}

/**
 * The sample with other commands: what `agent` would be asks the agent's door for its health, and the store for
 * whatever it says of a signed address, and then `task` ends at
 * once, so that both images are pulled, by the same rules, on a node where attempts would run. It is nobody's attempt:
 * without the labels that say so no AME looks at it or sweeps it away.
 */
export function probeJob(
  name: string,
  settings: PodSettings,
  defaults: ResourceDefaults,
  storeUrl: string | null = null,
): Job {
  const job = sampleJob(settings, defaults);
  const pod = job.spec?.template.spec;
  if (job.spec === undefined || pod === undefined) throw new Error('the manifest of an attempt has no pod');
  const own = { [labels.managedBy]: 'ame', 'ame.dev/doctor': 'true' };
  const queue = job.metadata?.labels?.[labels.queue];
  job.metadata = {
    name,
    namespace: settings.namespace,
    labels: { ...own, ...(queue !== undefined && { [labels.queue]: queue }) },
  };
  // Where nobody deletes it: the doctor may be interrupted.
  job.spec.ttlSecondsAfterFinished = 60;
  job.spec.template.metadata = { labels: own, annotations: { ...settings.annotations } };
  pod.activeDeadlineSeconds = 300;
  pod.terminationGracePeriodSeconds = 1;
  pod.volumes = [];
  for (const container of pod.initContainers ?? []) {
    const addresses = [settings.agentUrl, ...(storeUrl === null ? [] : [storeUrl])];
    strip(container, ['node', '--input-type=module', '--eval', askDoor, '--', ...addresses]);
    // As a sidecar it would be started again and again.
    delete container.restartPolicy;
  }
  for (const container of pod.containers) strip(container, ['sh', '-c', 'exit 0']);
  return job;
}

/** Leaves what places, confines and pulls a container. */
function strip(container: Container, command: string[]): void {
  container.command = command;
  delete container.env;
  delete container.lifecycle;
  delete container.volumeMounts;
}

/** Before the word of what a pod met on its way to the store, without which an attempt goes on. */
export const storeWord = 'store: ';

/**
 * What a pod sends has ten seconds: a firewall that swallows it never answers. The last word is why it failed. To the
 * store any answer is a way: of an address under which nothing lies it says so, in one form or another.
 */
const askDoor = `
import { writeFileSync } from 'node:fs';
const [door, store] = process.argv.slice(1);
const within = () => ({ signal: AbortSignal.timeout(10000) });
const tell = (word, error) =>
  writeFileSync('/dev/termination-log', word + String(error.cause?.code ?? error.cause?.message ?? error.message));
try {
  const answer = await fetch(door + '/healthz', within());
  const { ok } = await answer.json().catch(() => ({}));
  if (!answer.ok || ok !== true) throw new Error('something else than AME answers there, with HTTP ' + answer.status);
} catch (error) {
  tell('', error);
  process.exit(7);
}
if (store) await fetch(store, within()).catch((error) => tell('${storeWord}', error));
`;
