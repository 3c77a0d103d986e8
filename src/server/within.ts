import { isDatabaseAway } from '../db/connect.ts';

/** Milliseconds that whoever asks at a door waits for the database: GitHub, for one, gives up after ten seconds. */
export const databaseMs = 1_800;

/** What was asked for did not come in time; it may come yet, and nobody waits for it. */
export class TimeoutError extends Error {
  override name = 'TimeoutError';
}

/** The outcome of `work`, or `TimeoutError` when it takes longer; its signal says then that nobody waits any more. */
export async function withinMs<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new TimeoutError(`no answer within ${Math.round(ms)} ms`)), ms);
  const given = new Promise<never>((_, reject) => {
    late.signal.addEventListener('abort', () => reject(late.signal.reason), { once: true });
  });
  try {
    return await Promise.race([work(late.signal), given]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the database could not be asked, or did not answer in time. */
export function isAwayOrLate(error: unknown): boolean {
  return error instanceof TimeoutError || isDatabaseAway(error);
}
