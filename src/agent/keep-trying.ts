import { AttemptFaultError, AttemptOverError } from '../core/attempt.ts';
import { pause, type Clock } from './clock.ts';

export type Patience = {
  readonly clock: Clock;
  /** Throws its reason once it aborts. */
  readonly signal: AbortSignal;
  /** How long to go on; without it until the signal. */
  readonly milliseconds?: number;
  readonly onFailure?: (error: unknown) => void;
};

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/**
 * Repeats what failed because the world is away, with growing pauses. An answer is an answer: that the
 * attempt is over, or cannot be, is thrown at once. Throws the last error when the time is up.
 */
export async function keepTrying<T>(action: () => Promise<T>, patience: Patience): Promise<T> {
  const { clock, signal, milliseconds = Infinity } = patience;
  const until = clock.now() + milliseconds;
  for (let wait = firstPauseMs; ; wait = Math.min(wait * 2, longestPauseMs)) {
    signal.throwIfAborted();
    try {
      return await abortable(action(), signal);
    } catch (error) {
      if (error instanceof AttemptOverError || error instanceof AttemptFaultError) throw error;
      signal.throwIfAborted();
      if (clock.now() + wait > until) throw error;
      patience.onFailure?.(error);
    }
    await pause(clock, wait, signal);
  }
}

/** Does not wait for a call that hangs once the signal has aborted. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
