import { Watch, type KubeConfig, type V1Job } from '@kubernetes/client-node';

/** Jobs of a namespace as a watch of the benchmark's own sees them come: the API server's times have whole seconds. */
export type SeenJobs = Disposable & {
  /** By attempt, the moment at which its Job was seen, as `performance.now()` says it. */
  readonly at: ReadonlyMap<number, number>;
  /** Resolves once so many are there. */
  until(count: number): Promise<void>;
  /** Resolves with the attempt of the next Job that was not there when this was asked. */
  next(): Promise<number>;
};

export async function watchJobs(config: KubeConfig, namespace: string): Promise<SeenJobs> {
  const at = new Map<number, number>();
  const waiting = new Set<() => void>();
  let closed = false;
  let request: AbortController | undefined;
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  async function open(): Promise<void> {
    request = await new Watch(config).watch(
      path,
      {},
      (_phase: string, job: V1Job) => {
        const attempt = Number(job.metadata?.labels?.['ame.dev/attempt']);
        if (!Number.isInteger(attempt) || at.has(attempt)) return;
        at.set(attempt, performance.now());
        for (const wake of waiting) wake();
      },
      () => {
        // It ends after a while in which nothing happened; what was seen is not seen again.
        if (!closed) void open();
      },
    );
  }
  await open();
  const changed = (): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        waiting.delete(wake);
        resolve();
      };
      waiting.add(wake);
    });
  return {
    at,
    async until(count) {
      while (at.size < count) await changed();
    },
    async next() {
      const known = new Set(at.keys());
      for (;;) {
        const fresh = [...at.keys()].find((attempt) => !known.has(attempt));
        if (fresh !== undefined) return fresh;
        await changed();
      }
    },
    [Symbol.dispose]() {
      closed = true;
      request?.abort();
    },
  };
}
