import type { Clock } from '../../src/agent/clock.ts';

export type ManualClock = Clock & {
  /** Moves on, calling back everything that falls due on the way. */
  advance(milliseconds: number): void;
  /** Resolves once something waits for so many milliseconds, or for as many as this takes. */
  armed(milliseconds: number | ((milliseconds: number) => boolean)): Promise<void>;
};

export function createManualClock(): ManualClock {
  let now = 1_000_000;
  let timers: { at: number; milliseconds: number; callback: () => void }[] = [];
  let listeners: (() => void)[] = [];
  return {
    now: () => now,
    after(milliseconds, callback) {
      const timer = { at: now + milliseconds, milliseconds, callback };
      timers.push(timer);
      for (const listener of listeners) listener();
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    advance(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        const next = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        timers = timers.filter((timer) => timer !== next);
        now = Math.max(now, next.at);
        next.callback();
      }
      now = end;
    },
    armed: (milliseconds) =>
      new Promise((resolve) => {
        const check = (): void => {
          const is = typeof milliseconds === 'number' ? (one: number) => one === milliseconds : milliseconds;
          if (!timers.some((timer) => is(timer.milliseconds))) return;
          listeners = listeners.filter((listener) => listener !== check);
          resolve();
        };
        listeners.push(check);
        check();
      }),
  };
}

/** Every wait is over at once, and the time has passed. */
export function createHastyClock(): Clock {
  let now = 1_000_000;
  return {
    now: () => now,
    after(milliseconds, callback) {
      const soon = setImmediate(() => {
        now += milliseconds;
        callback();
      });
      return () => clearImmediate(soon);
    },
  };
}
