/** What one `ame.yaml` declares, once it has been read: plain data in the order of the file. */

/** A place in the file, both numbers from 1. */
export type Position = { readonly line: number; readonly column: number };

export const conditions = ['success', 'failure', 'always'] as const;
/** When a task runs, looking at all its ancestors. */
export type Condition = (typeof conditions)[number];

/** An environment variable whose value stands in the file. */
export type EnvVariable = { readonly name: string; readonly value: string };

/** An environment variable `name` whose value is the project's secret `secret`. */
export type SecretVariable = { readonly name: string; readonly secret: string };

/** Kubernetes quantities as written (`500m`, `8Gi`); `null` where the file says nothing. */
export type Resources = {
  readonly cpu: string | null;
  /** `ceiling` is `null` where the administrator's ceiling applies. */
  readonly memory: { readonly start: string; readonly ceiling: string | null } | null;
  readonly storage: string | null;
  readonly gpus: number | null;
  readonly vram: string | null;
};

/** Seconds; `null` where the file says nothing. */
export type Timeout = { readonly run: number | null; readonly queue: number | null };

export type RetryCause =
  | { readonly kind: 'exit'; readonly from: number; readonly to: number }
  | { readonly kind: 'signal' }
  | { readonly kind: 'timeout' };

/** `max` tries after the first; `backoff` is the first pause in seconds. */
export type Retries = { readonly max: number; readonly on: readonly RetryCause[]; readonly backoff: number };

/** A name that the file refers to, and where it does. */
export type Reference = { readonly name: string; readonly position: Position };

type Declared = {
  readonly name: string;
  /** Of the task's name. */
  readonly position: Position;
  /** `null`: the file has no `needs`, so the task follows the one written above it. */
  readonly needs: readonly Reference[] | null;
  readonly if: Condition;
  readonly env: readonly EnvVariable[];
};

export type CommandTask = Declared & {
  readonly kind: 'command';
  /** One `sh` script; a list of commands is its lines. */
  readonly script: string;
  readonly secrets: readonly SecretVariable[];
  readonly resources: Resources;
  readonly image: string | null;
  readonly timeout: Timeout;
  readonly retries: Retries;
  /** Globs; `null`: every new or changed file. */
  readonly artifacts: readonly string[] | null;
};

export type PipelineTask = Declared & {
  readonly kind: 'pipeline';
  readonly tasks: readonly Task[];
  readonly secrets: readonly SecretVariable[];
  readonly timeout: Timeout;
};

export type TaskReference = Declared & { readonly kind: 'taskref'; readonly taskref: Reference };

export type Task = CommandTask | PipelineTask | TaskReference;

/** A list of globs; the last match wins, `!` excludes. */
export type Filter = {
  readonly position: Position;
  readonly patterns: readonly { readonly glob: string; readonly position: Position }[];
};

export type PushTrigger = {
  readonly position: Position;
  readonly branches: Filter | null;
  readonly tags: Filter | null;
  readonly paths: Filter | null;
  /** Tasks to run; `null`: the default task. */
  readonly run: readonly Reference[] | null;
};

export type PullRequestTrigger = {
  readonly position: Position;
  readonly branches: Filter | null;
  readonly paths: Filter | null;
  readonly run: readonly Reference[] | null;
  readonly forks: 'approve' | 'never';
};

export const busyRules = ['allow', 'queue', 'cancel'] as const;
export type BusyRule = (typeof busyRules)[number];

export type Concurrency = {
  readonly position: Position;
  readonly group: 'branch' | 'task';
  /** `null`: allow for pushes, cancel for pull requests. */
  readonly whenBusy: BusyRule | null;
};

export type RecurringTask = {
  readonly name: string;
  readonly position: Position;
  readonly taskref: Reference;
  /** Five cron fields or an alias like `@daily`. */
  readonly schedule: string;
  /** An IANA zone. */
  readonly timezone: string;
  readonly catchup: 'none' | 'last' | 'all';
  readonly overlap: 'skip' | 'queue' | 'allow';
};

export type Project = {
  readonly name: string;
  readonly tasks: readonly Task[];
  /** `null`: the file has no `on`. */
  readonly on: {
    readonly position: Position;
    readonly push: PushTrigger | null;
    readonly pullRequest: PullRequestTrigger | null;
  } | null;
  readonly concurrency: Concurrency | null;
  readonly recurringTasks: readonly RecurringTask[];
};
