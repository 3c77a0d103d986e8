import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { S3mini } from 's3mini';
import { StorageAwayError, StorageRefusedError } from '../storage.ts';
import { failureOf } from './failure.ts';

/** A bucket of any server that speaks S3, and the key to it. */
export type S3Place = {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Before every name of ours: '' or ends with a slash. */
  readonly prefix: string;
};

export type S3Options = S3Place & {
  /** Milliseconds that the server may be silent. */
  readonly silenceMs?: number;
  /** Waits before another try. */
  readonly pause?: (milliseconds: number) => Promise<unknown>;
};

/** The bucket, and how it is asked. */
export type S3Client = {
  readonly bucket: S3mini;
  readonly silenceMs: number;
  /**
   * Asks, in turn with everybody else and again where the server is busy or away for a moment. What is asked must do
   * no harm when it is done twice. Throws what `failureOf` makes of the last failure.
   */
  readonly ask: <T>(what: string, action: () => Promise<T>) => Promise<T>;
};

const usualSilenceMs = 60_000;

/** Requests that wait for an answer at once; a busy server answers 503 to more. */
const requestsAtOnce = 16;

const mostTries = 5;
const firstPauseMs = 200;

export function createS3Client(options: S3Options): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = options;
  const { silenceMs = usualSilenceMs, pause = sleep } = options;
  const bucket = new S3mini({
    // The bucket in the path: every server has that, and names below a host need certificates and DNS.
    endpoint: `${endpoint}/${options.bucket}`,
    region,
    accessKeyId,
    secretAccessKey,
    fetch: careful(silenceMs),
  });
  const inTurn = pLimit(requestsAtOnce);

  async function ask<T>(what: string, action: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await inTurn(action);
      } catch (error) {
        const failure = failureOf(what, error);
        const passes = failure instanceof StorageAwayError && !(failure instanceof StorageRefusedError);
        if (!passes || tries === mostTries) throw failure;
      }
      // From half to the whole of a doubled pause: those who were refused together must not come back together.
      await pause(firstPauseMs * 2 ** (tries - 1) * (0.5 + Math.random() / 2));
    }
  }

  return { bucket, silenceMs, ask };
}

/**
 * `fetch` that gives up on a silent server, follows no redirection (it would carry the signature elsewhere), and has
 * the server check what it is sent: the library signs no bodies, and every server knows an MD5 where newer checksums
 * are not known, or only if an upload was begun with them.
 */
function careful(silenceMs: number): typeof fetch {
  return async (input, init) => {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new Error(`silent for ${silenceMs} ms`)), silenceMs);
    const headers = new Headers(init?.headers);
    headers.set('accept-encoding', 'identity');
    const body = init?.body;
    if (body instanceof Uint8Array)
      headers.set('content-md5', createHash('md5').update(body).digest('base64'));
    try {
      return await fetch(input, { ...init, headers, redirect: 'manual', signal: silence.signal });
    } finally {
      clearTimeout(timer);
    }
  };
}
