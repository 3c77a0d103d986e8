/**
 * What a cluster shows of one attempt, in the words of no client library. All of it is what is, at one moment; times
 * are the cluster's own, whose clock may differ from ours.
 */
export type ClusterFacts = {
  /** The Job; `null` where it is gone, of which a pod may still be left. */
  readonly job: JobFacts | null;
  /** Its newest pod; `null` before it has one and after it was removed. */
  readonly pod: PodFacts | null;
  /** Warnings about the Job and the pod, oldest first; empty where nobody has looked. */
  readonly events: readonly ClusterEvent[];
};

export type ClusterEvent = { readonly reason: string; readonly message: string };

export type JobFacts = {
  readonly createdAt: Date;
  readonly deleting: boolean;
  readonly suspended: boolean;
  /** Its condition `Failed` or `FailureTarget`; `Complete` or `SuccessCriteriaMet` is `complete`. */
  readonly failed: { readonly reason: string; readonly message: string } | null;
  readonly complete: boolean;
};

export type PodFacts = {
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  /** Of the status itself: `Evicted`, `DeadlineExceeded`, `OutOfcpu`, `NodeLost` and kin. */
  readonly reason: string | null;
  readonly message: string | null;
  readonly createdAt: Date;
  readonly deleting: boolean;
  /** When it was told to go. */
  readonly deletedAt: Date | null;
  /** When its grace is over, once it is deleted. */
  readonly goneBy: Date | null;
  readonly node: string | null;
  /** The condition `PodScheduled` where it is False. */
  readonly unscheduled: { readonly reason: string; readonly message: string } | null;
  /** The condition `DisruptionTarget` where it is True. */
  readonly disruption: { readonly reason: string; readonly message: string } | null;
  /** The condition `Ready` was made False from outside, because its node does not answer. */
  readonly nodeUnreachable: boolean;
  readonly agent: ContainerFacts | null;
  readonly task: ContainerFacts | null;
};

export type ContainerFacts =
  | {
      readonly state: 'waiting';
      readonly reason: string | null;
      readonly message: string | null;
      readonly restarts: number;
      readonly last: ContainerEnd | null;
    }
  | {
      readonly state: 'running';
      readonly startedAt: Date;
      readonly restarts: number;
      /** How it ended before it was started again. */
      readonly last: ContainerEnd | null;
    }
  | ({ readonly state: 'terminated'; readonly restarts: number } & ContainerEnd);

export type ContainerEnd = {
  readonly reason: string | null;
  /** The container's last word, from its termination log. */
  readonly message: string | null;
  readonly exitCode: number;
  readonly signal: number | null;
  /** `null` where it never ran: clusters say 1970 then. */
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
};

/** What the nodes of a cluster could hold if they were empty; `null` where they may not be looked at. */
export type ClusterRoom = {
  readonly nodes: number;
  /** The most of each that one node can give to pods of ours; not all by the same node. */
  readonly largest: {
    readonly cpuMillis: number;
    readonly memoryBytes: number;
    readonly storageBytes: number;
    readonly gpus: number;
    readonly vramMib: number | null;
  };
  /** Whether one node could hold all that is asked at once. */
  readonly fits: boolean;
} | null;
