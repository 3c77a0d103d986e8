import type { Plan } from '../core/plan.ts';

/** The last large plans that were read, by their digest, which says all that is in one: whose database it was is no matter. */
export type KnownPlans = {
  find(digest: string): Plan | undefined;
  keep(digest: string, plan: Plan): void;
};

/** Smaller ones are read again and again: they cost less than what is read beside them. */
const leastTasks = 100;

/** Of all that are kept; some 30 MiB. */
const mostTasks = 40_000;

/**
 * A plan of 10,000 tasks is 3 MB of JSON, and each of its attempts, and each look at its run, needs it. The one that was
 * asked for longest ago goes first.
 */
export function createKnownPlans(): KnownPlans {
  const plans = new Map<string, Plan>();
  let tasks = 0;

  function remove(digest: string, plan: Plan): void {
    plans.delete(digest);
    tasks -= plan.tasks.length;
  }

  return {
    find(digest) {
      const plan = plans.get(digest);
      if (plan === undefined) return undefined;
      plans.delete(digest);
      plans.set(digest, plan);
      return plan;
    },
    keep(digest, plan) {
      if (plan.tasks.length < leastTasks || plan.tasks.length > mostTasks || plans.has(digest)) return;
      plans.set(digest, plan);
      tasks += plan.tasks.length;
      for (const [oldest, old] of plans) {
        if (tasks <= mostTasks) break;
        remove(oldest, old);
      }
    },
  };
}
