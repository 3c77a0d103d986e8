import { createHash } from 'node:crypto';
import type { Digest } from '../../core/snapshot.ts';
import { BlobMismatchError } from '../../core/blob.ts';
import { StorageAwayError, StorageRefusedError } from '../storage.ts';
import type { S3Client } from './client.ts';
import { failureOf, statusOf } from './failure.ts';

export type Reading = {
  readonly key: string;
  /** What the whole must be; its last bytes are given only once it is. Null: not verified, as in parts it cannot be. */
  readonly digest: Digest | null;
  /** First and last byte, both included. */
  readonly range?: { readonly from: number; readonly to: number };
};

type Body = { readonly reader: ReadableStreamDefaultReader<Uint8Array> | null; readonly end: number };

/** Cuts without a byte in between that a reading survives. */
const mostCuts = 4;

/**
 * Streams an object, one chunk when it is asked for one. A connection that breaks in the middle is made again from
 * where it broke. Throws `BlobMissingError` at once; the stream fails with `BlobMismatchError` or `StorageAwayError`.
 */
export async function readObject(client: S3Client, reading: Reading): Promise<ReadableStream<Uint8Array>> {
  const { key, digest } = reading;
  const what = `read ${key}`;
  const hash = digest === null ? null : createHash('sha256');
  let at = reading.range?.from ?? 0;
  let body = await openBody(client, reading, at);
  let held: Uint8Array | null = null;
  let cuts = 0;

  /** The next bytes; null at the end. */
  async function next(): Promise<Uint8Array | null> {
    for (;;) {
      if (body.reader === null) return null;
      let failure: unknown = new Error('the body ended before its length');
      try {
        const { done, value } = await unlessSilent(body.reader.read(), client.silenceMs);
        if (!done) {
          cuts = 0;
          at += value.length;
          return value;
        }
        if (at >= body.end || body.end === Infinity) return null;
      } catch (error) {
        failure = error;
      }
      cuts += 1;
      // Not waited for: what cancels a broken connection may itself never answer.
      void body.reader.cancel().catch(() => undefined);
      if (cuts > mostCuts) throw failureOf(what, failure);
      body = await openBody(client, reading, at);
    }
  }

  function verify(): void {
    const found = hash?.digest('hex');
    if (digest !== null && found !== digest)
      throw new BlobMismatchError(`what S3 holds as ${digest} has the digest ${found}`);
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const chunk = await next();
          const ready: Uint8Array | null = hash === null ? chunk : held;
          if (chunk === null) {
            verify();
            if (ready !== null) controller.enqueue(ready);
            controller.close();
            return;
          }
          hash?.update(chunk);
          held = chunk;
          if (ready === null) continue;
          controller.enqueue(ready);
          return;
        }
      },
      async cancel() {
        await body.reader?.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

async function openBody(client: S3Client, { key, range }: Reading, at: number): Promise<Body> {
  const partly = range !== undefined || at > 0;
  if (range !== undefined && at > range.to) return { reader: null, end: at };
  const response = await client.ask(`read ${key}`, async () => {
    try {
      const after = range === undefined ? undefined : range.to + 1;
      return await client.bucket.getObjectRaw(key, !partly, at, after);
    } catch (error) {
      // Nothing lies at or behind the first byte that was asked for.
      if (partly && statusOf(error) === 416) return null;
      throw error;
    }
  });
  if (response === null) return { reader: null, end: at };
  if (partly && response.status !== 206) {
    await response.body?.cancel();
    throw new StorageRefusedError(`S3 answers the whole where a part is asked for: read ${key}`);
  }
  const length = response.headers.get('content-length');
  return {
    reader: response.body?.getReader() ?? null,
    end: length === null ? Infinity : at + Number(length),
  };
}

/** Fails where nothing comes for that long. */
async function unlessSilent<T>(coming: Promise<T>, milliseconds: number): Promise<T> {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => silence.reject(new StorageAwayError(`S3 was silent for ${milliseconds} ms`)),
    milliseconds,
  );
  try {
    return await Promise.race([coming, silence.promise]);
  } finally {
    clearTimeout(timer);
  }
}
