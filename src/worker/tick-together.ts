import type { Claim } from '../db/due.ts';
import { isDatabaseAway } from '../db/connect.ts';
import type { StepEnd } from './loop.ts';

/** How the step of one of several claims ended. */
export type TickEnd = StepEnd | { readonly error: unknown };

/** Says how the step of a claim ended, as soon as it has. */
export type EndStep = (claim: Claim, end: TickEnd) => void;

/**
 * A step for the loop that works on all rows together that were claimed at once: ten thousand ticks of one minute, each
 * in a transaction of its own, took minutes. Each claim's step ends as soon as `work` says so. Where the database is
 * away in the middle, the first that is left says it, and `postpone` gives back the others without a word.
 */
export function together(
  work: (claims: readonly Claim[], end: EndStep) => Promise<void>,
  postpone: (claims: readonly Claim[], error: unknown) => Promise<void>,
): (claim: Claim) => Promise<StepEnd> {
  let gathering: Map<Claim, PromiseWithResolvers<StepEnd>> | null = null;

  /** The loop begins the steps of what it claimed one right after the other. */
  async function begin(left: Map<Claim, PromiseWithResolvers<StepEnd>>): Promise<void> {
    await Promise.resolve();
    gathering = null;
    const end: EndStep = (claim, how) => {
      const step = left.get(claim);
      left.delete(claim);
      if ('error' in how) step?.reject(how.error);
      else step?.resolve(how);
    };
    try {
      await work([...left.keys()], end);
      const [forgotten] = left.keys();
      if (forgotten) throw new Error(`nothing was done about ${forgotten.queue} ${forgotten.id}`);
    } catch (error) {
      if (isDatabaseAway(error)) await giveBack([...left.keys()].slice(1), error, end);
      for (const claim of left.keys()) end(claim, { error });
    }
  }

  async function giveBack(claims: readonly Claim[], error: unknown, end: EndStep): Promise<void> {
    // Where even this fails: what a worker holds is free once its session has ended, and else when the lease does.
    if (claims.length > 0) await postpone(claims, error).catch(() => {});
    for (const claim of claims) end(claim, { saved: true });
  }

  return async (claim) => {
    if (gathering === null) {
      gathering = new Map();
      void begin(gathering);
    }
    const step = Promise.withResolvers<StepEnd>();
    gathering.set(claim, step);
    return step.promise;
  };
}
