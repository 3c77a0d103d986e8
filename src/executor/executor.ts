import type { AttemptOrder, Observation } from '../core/attempt.ts';
import type { LastWords } from '../core/outcome/last-words.ts';

/** Where attempts run. Every call is safe to repeat. */
export type Executor = {
  readonly name: 'local' | 'kubernetes';
  /** Already there counts as started. Resolves once the attempt is accepted, not once it runs. */
  start(order: AttemptOrder): Promise<void>;
  /** What is true of these attempts now; one it knows nothing of is `absent`. */
  observe(
    attempts: readonly { readonly id: number; readonly host: string | null }[],
  ): Promise<ReadonlyMap<number, Observation>>;
  /** Asks it to end: TERM, then KILL after a grace. Resolves once asked; unknown attempts are ignored. */
  stop(attempt: number): Promise<void>;
  /** Calls `wake` with an attempt's id whenever a look at it may be worth while. A hint, never needed. */
  watch(wake: (attempt: number) => void): void;
  /** Since when what attempts run on does not answer; null: it does. Not there where nothing can be away. */
  awaySince?(): Date | null;
  /**
   * What is left to be read of attempts that were just observed as over and of whose end nobody reports, with no secret in it. Takes
   * seconds at most, and asks once for each attempt: nothing waits for it twice. Not there where nothing says anything.
   */
  lastWords?(attempts: readonly number[]): Promise<ReadonlyMap<number, LastWords>>;
  /** Ends everything in order: TERM, grace, KILL. */
  close(): Promise<void>;
};

/** What attempts run on does not answer, or refuses for reasons that no attempt can help: worth another try. */
export class ExecutorAwayError extends Error {
  override name = 'ExecutorAwayError';
  /** When it is worth another try; null: it does not say. */
  readonly retryAt: Date | null;

  constructor(message: string, options: { readonly retryAt?: Date | null; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.retryAt = options.retryAt ?? null;
  }
}
