import type { Connection } from '../db/connect.ts';
import { isDatabaseAway } from '../db/connect.ts';
import {
  claim,
  ClaimLostError,
  fail,
  postpone,
  release,
  releaseDead,
  type Claim,
  type Queue,
} from '../db/due.ts';
import { ExecutorAwayError } from '../executor/executor.ts';
import { briefError, describeError, type Log } from '../log.ts';
import type { StepOutcome } from '../metrics.ts';
import { StorageAwayError } from '../storage/storage.ts';

/** The world outside is away: the row waits, and nothing counts against it. */
export class AwayError extends Error {
  override name = 'AwayError';
  /** When it is worth another try; null: it does not say. */
  readonly retryAt: Date | null;

  constructor(message: string, options: { readonly retryAt?: Date | null; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.retryAt = options.retryAt ?? null;
  }
}

/**
 * What a step leaves of its claim: already given back by a save of its own, or due again in so many seconds,
 * or, with null, never by itself.
 */
export type StepEnd = { readonly saved: true } | { readonly dueInSeconds: number | null };

export type LoopOptions = {
  readonly queue: Queue;
  readonly db: Connection;
  readonly log: Log;
  /** Rows in work at once. */
  readonly concurrency: number;
  readonly leaseSeconds: number;
  readonly worker: () => number;
  readonly step: (claim: Claim) => Promise<StepEnd>;
  /** Hears of each step how it ended, and after how many seconds. */
  readonly onStep?: (outcome: StepOutcome, seconds: number) => void;
  /** Milliseconds between two looks without a hint: what a lost hint costs at most. */
  readonly pollMs?: number;
};

export type Loop = {
  /** Claims what is due, works on it and answers with how many rows it found. */
  once(): Promise<number>;
  /** Goes on until the signal; resolves when what was in work is done. */
  run(signal: AbortSignal): Promise<void>;
  /** Look now rather than at the next poll. */
  hint(): void;
};

const usualPollMs = 1_000;

/**
 * Milliseconds after a hint that led to nothing until the one more look that it is worth: a claim passes by a row
 * that somebody else holds for an instant. A check that is claimed, for one, locks the run that it is of (measured:
 * one run in five waited for the next poll).
 */
const secondLookMs = 20;

/** Looks between two searches for claims whose worker is gone. */
const sweepEvery = 5;

/** The only loop: claims rows that are due, steps each of them, gives them back. */
export function createLoop(options: LoopOptions): Loop {
  const { queue, db, log, concurrency, pollMs = usualPollMs } = options;
  const active = new Set<Promise<void>>();
  let hinted = false;
  let wakeUp = (): void => {};

  async function work(claimed: Claim): Promise<void> {
    const begun = performance.now();
    const outcome = await stepOnce(claimed);
    options.onStep?.(outcome, (performance.now() - begun) / 1_000);
  }

  async function stepOnce(claimed: Claim): Promise<StepOutcome> {
    try {
      const end = await options.step(claimed);
      if ('dueInSeconds' in end) await release(db, claimed, end.dueInSeconds);
      return 'done';
    } catch (error) {
      return giveBack(claimed, error);
    }
  }

  async function giveBack(claimed: Claim, error: unknown): Promise<StepOutcome> {
    if (error instanceof ClaimLostError) {
      log.info({ loop: queue, id: claimed.id }, 'step left to the worker that holds the row now');
      return 'lost';
    }
    const told = error instanceof AwayError || error instanceof ExecutorAwayError;
    const away = told || error instanceof StorageAwayError || isDatabaseAway(error);
    const text = briefError(error);
    log.warn(
      { loop: queue, id: claimed.id, away, error: describeError(error) },
      away ? 'step postponed' : 'step failed',
    );
    try {
      const retryAt = told ? error.retryAt : null;
      await (away ? postpone(db, claimed, text, retryAt) : fail(db, claimed, text));
    } catch (second) {
      // The lease lapses by itself, and then the row is due again.
      log.warn({ loop: queue, id: claimed.id, error: describeError(second) }, 'claim not given back');
    }
    return away ? 'postponed' : 'failed';
  }

  async function take(): Promise<readonly Promise<void>[]> {
    const limit = concurrency - active.size;
    if (limit <= 0) return [];
    const claims = await claim(db, queue, {
      worker: options.worker(),
      limit,
      leaseSeconds: options.leaseSeconds,
    });
    return claims.map((claimed) => {
      const done = work(claimed).finally(() => active.delete(done));
      active.add(done);
      return done;
    });
  }

  async function run(signal: AbortSignal): Promise<void> {
    for (let looks = 0; !signal.aborted; looks += 1) {
      const wasHinted = hinted;
      hinted = false;
      let found = 0;
      try {
        if (looks % sweepEvery === 0) await releaseDead(db, queue);
        const taken = await take();
        found = taken.length;
        // A free place is worth a look as soon as there is one.
        for (const done of taken) void done.then(hint);
      } catch (error) {
        log.warn({ loop: queue, error: describeError(error) }, 'look failed');
      }
      if (found === 0 && !hinted && !signal.aborted) await pause(signal, wasHinted ? secondLookMs : pollMs);
    }
    await Promise.all(active);
  }

  function pause(signal: AbortSignal, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(finish, ms);
      signal.addEventListener('abort', finish, { once: true });
      wakeUp = finish;
      function finish(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        wakeUp = () => {};
        resolve();
      }
    });
  }

  function hint(): void {
    hinted = true;
    wakeUp();
  }

  return {
    async once() {
      await releaseDead(db, queue);
      const taken = await take();
      await Promise.all(taken);
      return taken.length;
    },
    run,
    hint,
  };
}
