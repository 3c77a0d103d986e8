export type Clock = { now(): Date; advance(seconds: number): void };

/** The time of the machine, moved forward by as much as a test says. */
export function createClock(): Clock {
  let ahead = 0;
  return { now: () => new Date(Date.now() + ahead), advance: (seconds) => void (ahead += seconds * 1_000) };
}

/** Time that stands still until a test moves it: what waits a moment never runs out of it on a slow machine. */
export function createStoppedClock(): Clock {
  let now = Date.now();
  return { now: () => new Date(now), advance: (seconds) => void (now += seconds * 1_000) };
}
