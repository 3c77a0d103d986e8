/** Seconds after a command's own time limit at which its pod is ended, whoever is still at work in it. */
export const backstopSeconds = 7_200;

/**
 * How long a command that has ended holds its machine, in seconds, until all that it left is stored: an AME that is
 * away for an hour still gets it, asked again with all the pauses between.
 */
export const usualStorePatience = 4_200;

/** How long an agent that begins waits for the first answer of its door, seconds. */
export const usualReachPatience = 300;

/** Seconds of the backstop that nothing else may use up: restoring a workspace, pulling an image. */
const backstopSlack = 600;

/** All times of a pod besides its command's own, in seconds. */
export type PodTimes = {
  /** Between TERM and KILL. */
  readonly grace: number;
  readonly store: number;
  readonly reach: number;
};

/** Seconds by which the pod would be ended too early; 0 where there is time enough. */
export function beyondBackstop({ grace, store, reach }: PodTimes): number {
  return Math.max(0, grace + store + reach - (backstopSeconds - backstopSlack));
}
