import { Gauge, type Registry } from 'prom-client';

/** What is looked up for one reading. */
export type Seen = {
  /** Null: the database is away, and nothing is said about what it holds. */
  readonly rows: {
    readonly queues: readonly {
      readonly queue: string;
      readonly due: number;
      readonly oldestSeconds: number;
      readonly claimed: number;
      readonly parked: number;
    }[];
    /** Runs and attempts that are not over. */
    readonly open: readonly {
      readonly kind: 'run' | 'attempt';
      readonly state: string;
      readonly count: number;
    }[];
  } | null;
  /** Whether what attempts run on answers. */
  readonly executorUp: boolean;
  readonly pool: {
    readonly totalCount: number;
    readonly idleCount: number;
    readonly waitingCount: number;
  };
  /** What GitHub said about its limits. The App itself has no installation: the empty text. */
  readonly limits: readonly {
    readonly installationId: string;
    readonly resource: string;
    readonly remaining: number;
    readonly resetAt: Date;
    readonly blockedUntil: Date | null;
  }[];
};

/** The gauges that are looked up at each reading. Answers with what sets them. */
export function createGauges(registry: Registry): (seen: Seen) => void {
  const gauge = <T extends string>(name: string, help: string, labelNames: T[] = []): Gauge<T> =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const limit = ['installation', 'resource'] as ('installation' | 'resource')[];
  const rows = {
    due: gauge('ame_queue_due_rows', 'Rows that are due and wait for a worker.', ['queue']),
    oldestSeconds: gauge('ame_queue_oldest_age_seconds', 'How long the row waits that is due for longest.', [
      'queue',
    ]),
    claimed: gauge('ame_queue_claimed_rows', 'Rows that a worker holds.', ['queue']),
    parked: gauge('ame_queue_parked_rows', 'Rows that failed so often that a person must release them.', [
      'queue',
    ]),
  };
  const open = {
    run: gauge('ame_open_runs', 'Runs that are not over.', ['state']),
    attempt: gauge('ame_open_attempts', 'Attempts that are not over.', ['state']),
  };
  const up = gauge('ame_database_up', 'Whether the database answered this reading.');
  const executorUp = gauge(
    'ame_executor_up',
    'Whether what attempts run on answered when it was last asked.',
  );
  const connections = gauge('ame_database_connections', 'Connections of the pool.', ['state']);
  const waiting = gauge('ame_database_waiting_queries', 'Queries that wait for a connection of the pool.');
  const remaining = gauge(
    'ame_github_limit_remaining_requests',
    'Requests that GitHub still allows until the limit is renewed.',
    limit,
  );
  const resetAt = gauge('ame_github_limit_reset_timestamp_seconds', 'When GitHub renews the limit.', limit);
  const blocked = gauge('ame_github_limit_blocked', 'Whether requests are held back by a limit.', limit);
  return (seen) => {
    // What is not there any more, such as an installation, is not said any more either.
    for (const each of [...Object.values(rows), ...Object.values(open), remaining, resetAt, blocked])
      each.reset();
    up.set(seen.rows === null ? 0 : 1);
    executorUp.set(seen.executorUp ? 1 : 0);
    connections.set({ state: 'idle' }, seen.pool.idleCount);
    connections.set({ state: 'used' }, seen.pool.totalCount - seen.pool.idleCount);
    waiting.set(seen.pool.waitingCount);
    for (const { queue, ...state } of seen.rows?.queues ?? []) {
      rows.due.set({ queue }, state.due);
      rows.oldestSeconds.set({ queue }, state.oldestSeconds);
      rows.claimed.set({ queue }, state.claimed);
      rows.parked.set({ queue }, state.parked);
    }
    for (const { kind, state, count } of seen.rows?.open ?? []) open[kind].set({ state }, count);
    for (const { installationId: installation, resource, ...said } of seen.limits) {
      remaining.set({ installation, resource }, said.remaining);
      resetAt.set({ installation, resource }, said.resetAt.getTime() / 1_000);
      blocked.set({ installation, resource }, said.blockedUntil === null ? 0 : 1);
    }
  };
}
