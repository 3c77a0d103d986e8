/** A body is longer than what may be sent. */
export class BodyTooLargeError extends Error {
  override name = 'BodyTooLargeError';
}

/** A body comes so slowly that it is not waited for. */
export class BodyTooSlowError extends Error {
  override name = 'BodyTooSlowError';
}

/** Time as a body is measured by, so that a test can hold it in its hands. */
export type BodyClock = {
  /** Milliseconds. */
  now(): number;
  /** Calls back once after so many milliseconds; the answer cancels it. */
  after(milliseconds: number, callback: () => void): () => void;
};

export const systemBodyClock: BodyClock = {
  now: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** How long nothing may come, and how much longer a body may take for what has come. Only waiting for it counts. */
export const slowest = { silentMs: 60_000, bytesPerMs: 16 };

export type BoundedBody = {
  readonly stream: ReadableStream<Uint8Array>;
  /** Why it was ended before its end, whatever its reader made of that. */
  readonly refused: () => BodyTooLargeError | BodyTooSlowError | null;
};

/**
 * A request's body, one piece in hand: it ends with `BodyTooLargeError` after `most` bytes, and with
 * `BodyTooSlowError` where its sender keeps us waiting. Time that its reader takes is not the sender's.
 */
export function boundBody(
  body: ReadableStream<Uint8Array> | null,
  { most, clock }: { readonly most: number; readonly clock: BodyClock },
): BoundedBody {
  const reader = (body ?? ReadableStream.from<Uint8Array>([])).getReader();
  let refused: BodyTooLargeError | BodyTooSlowError | null = null;
  let received = 0;
  let waitedMs = 0;

  /** The next piece; null at the end. */
  async function next(): Promise<Uint8Array | null> {
    const { promise, reject } = Promise.withResolvers<never>();
    const allowedMs = Math.min(slowest.silentMs, slowest.silentMs + received / slowest.bytesPerMs - waitedMs);
    const from = clock.now();
    const cancel = clock.after(Math.max(0, allowedMs), () =>
      reject(new BodyTooSlowError('the body came too slowly; send it again')),
    );
    try {
      const { done, value } = await Promise.race([promise, reader.read()]);
      return done ? null : value;
    } finally {
      cancel();
      waitedMs += clock.now() - from;
    }
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const value = await next();
          if (value === null) return controller.close();
          received += value.byteLength;
          if (received > most) throw new BodyTooLargeError(`the body has more than ${most} bytes`);
          controller.enqueue(value);
        } catch (error) {
          if (error instanceof BodyTooLargeError || error instanceof BodyTooSlowError) refused = error;
          throw error;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return { stream, refused: () => refused };
}

/** All of a stream. */
export async function readAll(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
