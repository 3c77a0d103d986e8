import { pause, type Clock } from '../../agent/clock.ts';
import { describeError, type Log } from '../../log.ts';
import type { Cluster } from './client.ts';
import { jobsPath, type JobObject } from './jobs.ts';
import { listPages } from './list-pages.ts';
import { attemptOf } from './names.ts';
import type { Seen } from './sightings.ts';

export type SweepOptions = {
  readonly cluster: Cluster;
  readonly selector: string;
  readonly seen: Seen;
  readonly isLive: () => boolean;
  readonly isOver: (attempts: readonly number[]) => Promise<ReadonlySet<number>>;
  readonly stop: (attempt: number) => Promise<void>;
  readonly refreshSecrets: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
};

const everyMs = 300_000;
const againMs = 30_000;
const perQuestion = 1_000;

/**
 * Removes the Jobs of ours whose attempts are over or unknown: a crash between an end and its Job's removal leaves
 * some, and so does another version. At the start, once the watches have listed, and then every few minutes. Secrets
 * that were changed or deleted meanwhile follow with it.
 */
export async function createSweep(
  options: SweepOptions,
  listed: readonly Promise<void>[],
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = options;
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([Promise.all(listed), aborted]);
  while (!signal.aborted) {
    let wait = everyMs;
    try {
      const removed = await sweepOnce(options, signal);
      if (removed > 0) log.info({ removed }, 'Jobs of attempts that are over were removed');
      await options.refreshSecrets(signal);
    } catch (error) {
      wait = againMs;
      if (!signal.aborted)
        log.warn(
          { error: describeError(error) },
          'what is over was not removed, or secrets were not mirrored',
        );
    }
    await pause(clock, wait, signal).catch(() => {});
  }
}

async function sweepOnce(options: SweepOptions, signal: AbortSignal): Promise<number> {
  const attempts = options.isLive() ? options.seen.attempts() : await listAttempts(options, signal);
  let removed = 0;
  for (let at = 0; at < attempts.length; at += perQuestion) {
    for (const attempt of await options.isOver(attempts.slice(at, at + perQuestion))) {
      signal.throwIfAborted();
      await options.stop(attempt);
      removed += 1;
    }
  }
  return removed;
}

async function listAttempts(
  { cluster, selector }: SweepOptions,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const ids: number[] = [];
  for await (const page of listPages<JobObject>(cluster, jobsPath(cluster), selector, signal))
    for (const job of page) ids.push(attemptOf(job.metadata?.labels) ?? 0);
  return ids.filter((id) => id !== 0);
}
