import type { Run } from '../db/runs.ts';

/** Seconds between two times that the check of a run that goes on is made from its rows. */
const paceSeconds = 1;

/** Runs that are remembered; one that is forgotten has its check made once more than it needs. */
const mostRuns = 10_000;

/**
 * When the check of a run that goes on is to be made again. Making it reads all tasks of the run, so a run of 1,000
 * tasks that end one by one must not have it made at each of them. Kept in memory: what a restart forgets is made
 * again at the next look.
 */
export type CheckPace = {
  /**
   * Seconds until the check is to be made, 0 for now; `null` where it says all there is. `changed`: an attempt has
   * another state than at the look before.
   */
  dueIn(run: Pick<Run, 'id' | 'state' | 'createdAt'>, changed: boolean, now: Date): number | null;
  /** Notes that it was made and stored. */
  made(run: Pick<Run, 'id'>, now: Date): void;
  /** Nothing more will come of this run. */
  forget(run: Pick<Run, 'id'>): void;
};

export function createCheckPace(): CheckPace {
  const seen = new Map<number, { readonly madeAt: number; readonly behind: boolean }>();

  function keep(id: number, entry: { readonly madeAt: number; readonly behind: boolean }): void {
    seen.delete(id);
    seen.set(id, entry);
    const [oldest] = seen.keys();
    if (seen.size > mostRuns && oldest !== undefined) seen.delete(oldest);
  }

  return {
    dueIn(run, changed, now) {
      // A run gets its first check when it is stored. Of one that was seen by another worker or before a restart
      // nobody knows what its check has missed.
      const fresh = { madeAt: run.createdAt.getTime(), behind: run.state !== 'queued' };
      const { madeAt, behind } = seen.get(run.id) ?? fresh;
      keep(run.id, { madeAt, behind: behind || changed });
      if (!behind && !changed) return null;
      return Math.max(0, madeAt / 1_000 + paceSeconds - now.getTime() / 1_000);
    },
    made: ({ id }, now) => keep(id, { madeAt: now.getTime(), behind: false }),
    forget: ({ id }) => void seen.delete(id),
  };
}
