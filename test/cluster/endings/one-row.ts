import type { AttemptJob } from './attempt-job.ts';
import type { Moment } from './bench.ts';
import type { Scenario } from './world.ts';

/** Starts it and records the first moment of which this is true. */
export function at(row: string, spec: AttemptJob, holds: (moment: Moment) => boolean): Scenario {
  return {
    rows: [row],
    play: async ({ bench }) => {
      const attempt = await bench.start(spec);
      const circumstances = spec.image ? { image: spec.image } : {};
      // Two watches tell of a Job and its pod, in any order.
      const seen = await bench.until(attempt, (moment) => moment.job !== null && holds(moment));
      await bench.record(row, attempt, seen, { circumstances });
    },
  };
}
