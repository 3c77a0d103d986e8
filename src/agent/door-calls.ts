import { AttemptFaultError, AttemptOverError, type Fault } from '../core/attempt.ts';
import { pause, type Clock } from './clock.ts';
import { DoorAwayError, errorOf } from './door-refusal.ts';

/** Milliseconds without a byte in either direction after which a connection counts as cut. */
export const stallMs = 120_000;
/** For how long the door may be away at a stretch, milliseconds. */
export const patienceMs = 60 * 60_000;
const firstPauseMs = 200;
const longestPauseMs = 15_000;
const manual = { redirect: 'manual' } as const;

export type DoorCallsOptions = {
  readonly fetch: typeof globalThis.fetch;
  /** Of the attempt, without a slash at its end. */
  readonly url: string;
  readonly token: string;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Ends every call with its reason. */
  readonly signal?: AbortSignal;
  readonly onFailure?: (error: unknown) => void;
  /** Another patience than `patienceMs`. */
  readonly patience?: number;
};

export type DoorRequest = {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** What a refusal is called that no trying again will change. */
  readonly faultClass: Fault['class'];
};

/** One try of a call. */
export type DoorTry = {
  /** Answers with a good answer alone; what else came is thrown as what it means. */
  request(request: DoorRequest): Promise<Response>;
  /** A byte went or came: the connection is not stalled. */
  alive(): void;
  /** Nothing more is waited for on this connection until the next `alive`. */
  rest(): void;
};

/** A call that may take several tries. */
export type DoorCall = {
  /** Tries until it works, or throws what no further try would change. */
  attempt<T>(perform: (once: DoorTry) => Promise<T>): Promise<T>;
  /** Waits until it is time to try again after this, or throws it where that would change nothing. */
  failed(error: unknown): Promise<void>;
  /** Something got through: patience begins anew. */
  progress(): void;
  end(): void;
  /** Ends, and cuts the connection, which is not read to its end. */
  cut(): void;
};

export type DoorCalls = {
  begin(): DoorCall;
  /** One call from its beginning to its end. */
  call<T>(perform: (once: DoorTry) => Promise<T>): Promise<T>;
};

/**
 * Calls of the door over HTTP that outlive a server that is away: with growing pauses of random length (a thousand
 * agents must not come back in the same moment) for an hour at a stretch. Once the server has said that the
 * attempt is over, everything under way ends with that and nothing is asked any more.
 */
export function createDoorCalls(options: DoorCallsOptions): DoorCalls {
  const { clock, fetch, signal } = options;
  const headers = new Headers({ authorization: `Bearer ${options.token}` });
  const open = new Set<AbortController>();
  let over: AttemptOverError | null = null;

  function endAll(reason: unknown): void {
    for (const controller of open) controller.abort(reason);
    open.clear();
  }
  signal?.addEventListener('abort', () => endAll(signal.reason), { once: true });

  function begin(): DoorCall {
    signal?.throwIfAborted();
    if (over !== null) throw over;
    const ended = new AbortController();
    open.add(ended);
    let failingSince: number | null = null;
    let wait = firstPauseMs;

    function progress(): void {
      failingSince = null;
      wait = firstPauseMs;
    }

    async function once<T>(perform: (once: DoorTry) => Promise<T>): Promise<T> {
      const stalled = new AbortController();
      const connection = AbortSignal.any([ended.signal, stalled.signal]);
      let cancel = (): void => {};
      const rest = (): void => cancel();
      const alive = (): void => {
        cancel();
        cancel = clock.after(stallMs, () =>
          stalled.abort(new DoorAwayError(`nothing went or came for ${stallMs / 1_000} s`)),
        );
      };
      alive();
      try {
        const result = await perform({
          alive,
          rest,
          request: ({ method, path, body, faultClass }) =>
            ask({ method, path, faultClass, ...(body !== undefined && { body }) }, connection),
        });
        rest();
        return result;
      } catch (error) {
        rest();
        // What the transport makes of an abort differs; the reason is ours.
        throw connection.aborted ? connection.reason : error;
      }
    }

    async function failed(error: unknown): Promise<void> {
      if (error instanceof AttemptOverError) {
        over = error;
        endAll(error);
      }
      ended.signal.throwIfAborted();
      if (!(error instanceof DoorAwayError)) throw error;
      if (error.isUnderWay) {
        progress();
        await pause(clock, error.retryAfterMs, ended.signal);
        return;
      }
      const now = clock.now();
      failingSince ??= now;
      const length = Math.max(error.retryAfterMs, wait * (0.5 + options.random() / 2));
      if (now + length > failingSince + (options.patience ?? patienceMs)) throw error;
      options.onFailure?.(error);
      wait = Math.min(wait * 2, longestPauseMs);
      await pause(clock, length, ended.signal);
    }

    return {
      progress,
      failed,
      end: () => void open.delete(ended),
      cut: () => {
        open.delete(ended);
        ended.abort(new DoorAwayError('the call was given up'));
      },
      async attempt(perform) {
        for (;;) {
          ended.signal.throwIfAborted();
          try {
            return await once(perform);
          } catch (error) {
            await failed(error);
          }
        }
      },
    };
  }

  async function ask(request: DoorRequest, connection: AbortSignal): Promise<Response> {
    const { method, path, body, faultClass } = request;
    // Under any other terms than these two Node's fetch keeps a second branch of a body that is a stream, in case a
    // redirect asks for it again: a gigabyte sent was a gigabyte held (measured). The token follows nobody either way.
    const redirect = body instanceof ReadableStream ? ({ redirect: 'error', window: null } as const) : manual;
    const response = await fetch(`${options.url}${path}`, {
      method,
      headers,
      signal: connection,
      ...redirect,
      ...(body !== undefined && { body, duplex: 'half' }),
    }).catch((error: unknown) => {
      const why = reasonOf(error);
      if (why === 'unexpected redirect')
        throw new AttemptFaultError({
          class: faultClass,
          message: 'AME leads elsewhere: the agent follows nobody',
        });
      throw new DoorAwayError(`AME cannot be reached: ${why}`, { cause: error });
    });
    if (response.ok) return response;
    throw await errorOf(response, faultClass).catch(
      (error: unknown) => new DoorAwayError(`the answer broke off: ${reasonOf(error)}`, { cause: error }),
    );
  }

  return {
    begin,
    async call(perform) {
      const call = begin();
      try {
        return await call.attempt(perform);
      } finally {
        call.end();
      }
    },
  };
}

/** The transport says "fetch failed", and why in its cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
