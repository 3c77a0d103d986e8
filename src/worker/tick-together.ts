import type { Claim } from '../db/due.ts';
import type { StepEnd } from './loop.ts';

/**
 * A step for the loop that works on all rows together that were claimed at once: ten thousand ticks of one minute, each
 * in a transaction of its own, took minutes. Where the whole fails each is tried alone, so that one bad row holds up
 * no other.
 */
export function together(
  work: (claims: readonly Claim[]) => Promise<ReadonlyMap<Claim, StepEnd | { readonly error: unknown }>>,
): (claim: Claim) => Promise<StepEnd> {
  let gathering: Claim[] = [];
  let working: Promise<ReadonlyMap<Claim, StepEnd | { readonly error: unknown }>> | null = null;

  /** The loop begins the steps of what it claimed one right after the other. */
  async function begin(): Promise<ReadonlyMap<Claim, StepEnd | { readonly error: unknown }>> {
    await Promise.resolve();
    const claims = gathering;
    gathering = [];
    working = null;
    try {
      return await work(claims);
    } catch (error) {
      if (claims.length === 1) throw error;
      const ends = new Map<Claim, StepEnd | { readonly error: unknown }>();
      for (const claim of claims) ends.set(claim, await alone(claim));
      return ends;
    }
  }

  async function alone(claim: Claim): Promise<StepEnd | { readonly error: unknown }> {
    try {
      return (await work([claim])).get(claim) ?? { dueInSeconds: 0 };
    } catch (error) {
      return { error };
    }
  }

  return async (claim) => {
    gathering.push(claim);
    working ??= begin();
    const end = (await working).get(claim);
    if (end === undefined) throw new Error(`nothing was done about ${claim.queue} ${claim.id}`);
    if ('error' in end) throw end.error;
    return end;
  };
}
