import { createHash } from 'node:crypto';
import { AttemptFaultError } from '../core/attempt.ts';
import type { Digest } from '../core/snapshot.ts';
import { reasonOf, type DoorCalls, type DoorTry } from './door-calls.ts';
import { DoorAwayError } from './door-refusal.ts';

/** A connection on which content comes. */
type Source = {
  readonly once: DoorTry;
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
};

/**
 * Content that goes on where it broke off: content of a digest never changes, so what has come stays good. Ends
 * well only with the bytes of the digest; other bytes end it with `AttemptFaultError` (restore_failed). A part,
 * which begins at `from`, has no digest to be known by. Resolves once the door has begun to answer. Holds one
 * piece, and asks for the next when its reader does.
 */
export async function downloadBlob(
  calls: DoorCalls,
  digest: Digest,
  from: number,
): Promise<ReadableStream<Uint8Array>> {
  const call = calls.begin();
  const hash = createHash('sha256');
  let at = from;

  async function request(once: DoorTry): Promise<Source> {
    const path = `/blobs/${digest}${at === 0 ? '' : `?from=${at}`}`;
    const response = await once.request({ method: 'GET', path, faultClass: 'restore_failed' });
    return { once, reader: (response.body ?? ReadableStream.from<Uint8Array>([])).getReader() };
  }

  let source: Source | null = null;
  /** The next piece, of a new connection where that of the last one broke; null at the end. */
  async function next(): Promise<Uint8Array | null> {
    for (;;) {
      source ??= await call.attempt(request);
      try {
        const value = await readOn(source);
        call.progress();
        return value;
      } catch (error) {
        source = null;
        await call.failed(error);
      }
    }
  }

  function checkDigest(): void {
    if (from > 0 || hash.digest('hex') === digest) return;
    throw new AttemptFaultError({
      class: 'restore_failed',
      message: `Stored content is damaged: ${digest}.`,
    });
  }

  try {
    source = await call.attempt(request);
  } catch (error) {
    call.end();
    throw error;
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const value = await next();
          if (value === null) {
            checkDigest();
            call.end();
            controller.close();
            return;
          }
          hash.update(value);
          at += value.byteLength;
          controller.enqueue(value);
        } catch (error) {
          call.cut();
          throw error;
        }
      },
      cancel: () => call.cut(),
    },
    { highWaterMark: 0 },
  );
}

async function readOn({ once, reader }: Source): Promise<Uint8Array | null> {
  // Only while a piece is waited for: a reader may take its time with the last one.
  once.alive();
  try {
    const { done, value } = await reader.read();
    return done ? null : value;
  } catch (error) {
    throw new DoorAwayError(`content broke off: ${reasonOf(error)}`, { cause: error });
  } finally {
    once.rest();
  }
}

/**
 * Sends content, from its beginning each time that it broke off: of half of it the server keeps nothing. Before it
 * goes out again the door is asked whether it is there by now, for the answer alone may have been lost. Without
 * `again` there is one try. An error of the content itself is thrown as it came.
 */
export async function uploadBlob(
  calls: DoorCalls,
  digest: Digest,
  content: ReadableStream<Uint8Array>,
  options: {
    readonly again?: () => ReadableStream<Uint8Array>;
    readonly isMissing: (once: DoorTry) => Promise<boolean>;
  },
): Promise<void> {
  const { again, isMissing } = options;
  let fresh: ReadableStream<Uint8Array> | null = content;
  const call = calls.begin();
  try {
    await call.attempt(async (once) => {
      if (fresh === null && !(await isMissing(once))) return;
      const source = watched(fresh ?? again?.() ?? content, once);
      fresh = null;
      try {
        const path = `/blobs/${digest}`;
        await once.request({ method: 'PUT', path, body: source.stream, faultClass: 'store_failed' });
      } catch (error) {
        await source.close(error);
        const failure = source.failure();
        if (failure !== null) throw failure.error;
        if (error instanceof DoorAwayError && again === undefined)
          throw new Error(`${error.message}; the content cannot be sent again`, { cause: error });
        throw error;
      }
    });
  } finally {
    call.end();
  }
}

/** A stream as the transport takes it, one piece in hand. */
function watched(content: ReadableStream<Uint8Array>, once: DoorTry) {
  const reader = content.getReader();
  let failed: { readonly error: unknown } | null = null;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        once.alive();
        const { done, value } = await reader.read().catch((error: unknown) => {
          failed = { error };
          throw error;
        });
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return {
    stream,
    failure: (): { readonly error: unknown } | null => failed,
    close: (reason: unknown): Promise<void> => reader.cancel(reason).catch(() => {}),
  };
}
