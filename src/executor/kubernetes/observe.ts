import type {
  ClusterEvent,
  ClusterFacts,
  ContainerEnd,
  ContainerFacts,
  JobFacts,
  PodFacts,
} from '../../core/outcome/cluster-facts.ts';

/**
 * The parts of Kubernetes' objects that are looked at. Client libraries' own types fit, and so does the plain JSON of
 * a watch: times are dates in the one and text in the other.
 */
export type Time = Date | string | null;

type KubernetesMetadata = {
  readonly name?: string;
  readonly creationTimestamp?: Time;
  readonly deletionTimestamp?: Time;
  readonly deletionGracePeriodSeconds?: number;
};

type KubernetesCondition = {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
};

export type KubernetesJob = {
  readonly metadata?: KubernetesMetadata;
  readonly spec?: { readonly suspend?: boolean };
  readonly status?: { readonly conditions?: readonly KubernetesCondition[] };
};

type Ended = {
  readonly exitCode: number;
  readonly signal?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly startedAt?: Time;
  readonly finishedAt?: Time;
};

type ContainerState = {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: Time };
  readonly terminated?: Ended;
};

type ContainerStatus = {
  readonly name: string;
  readonly restartCount: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
};

export type KubernetesPod = {
  readonly metadata?: KubernetesMetadata;
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly KubernetesCondition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
};

export type KubernetesEvent = {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly eventTime?: Time;
  readonly firstTimestamp?: Time;
  readonly lastTimestamp?: Time;
  readonly series?: { readonly lastObservedTime?: Time };
};

/**
 * What the cluster shows of one attempt. Of several pods, which a Job of ours has only when it was suspended or its
 * pod was replaced, the newest counts.
 */
export function factsOf(
  job: KubernetesJob | null,
  pods: readonly KubernetesPod[],
  events: readonly KubernetesEvent[],
): ClusterFacts {
  const newest = pods.reduce<KubernetesPod | null>(
    (best, pod) => (best === null || created(pod) >= created(best) ? pod : best),
    null,
  );
  return {
    job: job === null ? null : jobFactsOf(job),
    pod: newest === null ? null : podFactsOf(newest),
    events: eventFactsOf(events),
  };
}

/** A Job reduced to what is looked at. */
export function jobFactsOf(job: KubernetesJob): JobFacts {
  const conditions = job.status?.conditions;
  // `FailureTarget` and `SuccessCriteriaMet` come first; the others only once no pod is left that runs.
  const failed = holding(conditions, 'Failed') ?? holding(conditions, 'FailureTarget');
  return {
    createdAt: at(job.metadata?.creationTimestamp) ?? new Date(0),
    deleting: at(job.metadata?.deletionTimestamp) !== null,
    suspended: job.spec?.suspend === true,
    failed: failed === null ? null : reasonOf(failed),
    complete: (holding(conditions, 'Complete') ?? holding(conditions, 'SuccessCriteriaMet')) !== null,
  };
}

/** A pod reduced to what is looked at; its containers are those named `agent` and `task`. */
export function podFactsOf(pod: KubernetesPod): PodFacts {
  const { metadata, status } = pod;
  const conditions = status?.conditions;
  const scheduled = conditions?.find(({ type }) => type === 'PodScheduled');
  const disruption = holding(conditions, 'DisruptionTarget');
  const goneBy = at(metadata?.deletionTimestamp);
  const graceMs = (metadata?.deletionGracePeriodSeconds ?? 0) * 1_000;
  return {
    phase: phaseOf(status?.phase),
    reason: text(status?.reason),
    message: text(status?.message),
    createdAt: at(metadata?.creationTimestamp) ?? new Date(0),
    deleting: goneBy !== null,
    // What is called the time of its deletion is the one at which that has to be over.
    deletedAt: goneBy && new Date(goneBy.getTime() - graceMs),
    goneBy,
    node: text(pod.spec?.nodeName),
    unscheduled: scheduled?.status === 'False' ? reasonOf(scheduled) : null,
    disruption: disruption === null ? null : reasonOf(disruption),
    nodeUnreachable: isUnreachable(conditions),
    // A native sidecar is an init container that is restarted always.
    agent: containerOf(status?.initContainerStatuses, 'agent'),
    task: containerOf(status?.containerStatuses, 'task'),
  };
}

/** Warnings, oldest first. Events of one kind are one object whose last time moves on. */
export function eventFactsOf(events: readonly KubernetesEvent[]): readonly ClusterEvent[] {
  return events
    .filter(({ type }) => type === 'Warning')
    .map((event) => ({ event, when: lastSeen(event) }))
    .sort((left, right) => left.when - right.when)
    .map(({ event }) => ({ reason: text(event.reason) ?? '', message: text(event.message) ?? '' }));
}

/**
 * When a node stops answering, the node controller makes its pods' `Ready` False and leaves everything else as the
 * node said it last: no container of such a pod is said to be unready (measured on 1.34).
 */
function isUnreachable(conditions: readonly KubernetesCondition[] | undefined): boolean {
  const ready = conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'False' && holding(conditions, 'ContainersReady') !== null;
}

function containerOf(statuses: readonly ContainerStatus[] | undefined, name: string): ContainerFacts | null {
  const status = statuses?.find((status) => status.name === name);
  if (status === undefined) return null;
  const { state, lastState, restartCount: restarts } = status;
  if (state?.terminated) return { state: 'terminated', restarts, ...endOf(state.terminated) };
  const last = lastState?.terminated ? endOf(lastState.terminated) : null;
  if (state?.running) {
    return { state: 'running', startedAt: at(state.running.startedAt) ?? new Date(0), restarts, last };
  }
  const { reason, message } = state?.waiting ?? {};
  return { state: 'waiting', reason: text(reason), message: text(message), restarts, last };
}

function endOf(ended: Ended): ContainerEnd {
  return {
    reason: text(ended.reason),
    message: text(ended.message),
    exitCode: ended.exitCode,
    signal: ended.signal === undefined || ended.signal === 0 ? null : ended.signal,
    startedAt: sinceTheEpoch(ended.startedAt),
    finishedAt: sinceTheEpoch(ended.finishedAt),
  };
}

function holding(
  conditions: readonly KubernetesCondition[] | undefined,
  type: string,
): KubernetesCondition | null {
  return conditions?.find((condition) => condition.type === type && condition.status === 'True') ?? null;
}

function reasonOf({ reason, message }: KubernetesCondition): { reason: string; message: string } {
  return { reason: text(reason) ?? '', message: text(message) ?? '' };
}

const phases = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const;

/** A pod that nobody has looked at yet has no phase. */
function phaseOf(phase: string | undefined): PodFacts['phase'] {
  return phases.find((known) => known === phase) ?? (phase ? 'Unknown' : 'Pending');
}

function created(pod: KubernetesPod): number {
  return at(pod.metadata?.creationTimestamp)?.getTime() ?? 0;
}

function lastSeen({ series, lastTimestamp, eventTime, firstTimestamp }: KubernetesEvent): number {
  const when = at(series?.lastObservedTime) ?? at(lastTimestamp) ?? at(eventTime) ?? at(firstTimestamp);
  return when?.getTime() ?? 0;
}

function at(time: Time | undefined): Date | null {
  if (time === null || time === undefined) return null;
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** A container that never ran is said to have done so at the start of 1970. */
function sinceTheEpoch(time: Time | undefined): Date | null {
  const date = at(time);
  return date === null || date.getTime() <= 0 ? null : date;
}

// Thousands of these are kept in memory, and an image's or a webhook's words have no bound of their own.
const longest = 1024;

function text(value: string | undefined): string | null {
  if (value === undefined || value === '') return null;
  return value.length <= longest ? value : `${value.slice(0, longest)}…`;
}
