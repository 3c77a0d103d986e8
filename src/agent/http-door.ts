import * as z from 'zod/mini';
import type { AttemptDoor, AttemptInput, Fault } from '../core/attempt.ts';
import {
  doorLimits,
  doorPath,
  encodeLogChunk,
  reportWord,
  type MissingQuestion,
  type StartedWord,
} from '../core/door-wire.ts';
import type { Digest } from '../core/snapshot.ts';
import { systemClock, type Clock } from './clock.ts';
import { createDoorCalls, reasonOf, type DoorTry } from './door-calls.ts';
import { downloadBlob, uploadBlob } from './door-content.ts';
import { DoorAwayError } from './door-refusal.ts';

export type HttpDoorOptions = {
  /** Of the server, such as `http://ame.ame.svc:8080`. */
  readonly url: string;
  readonly attempt: number;
  /** Of this attempt. */
  readonly token: string;
  /** Ends every call with its reason. */
  readonly signal?: AbortSignal;
  readonly onFailure?: (error: unknown) => void;
  /** For how long a server that is away is waited for, milliseconds; an hour without it. */
  readonly patience?: number;
  readonly fetch?: typeof globalThis.fetch;
  readonly clock?: Clock;
  readonly random?: () => number;
};

const inputShape: z.ZodMiniType<AttemptInput> = z.object({
  script: z.string(),
  root: z.string(),
  secrets: z.array(z.object({ name: z.string(), value: z.string() })),
  artifacts: z.nullable(z.array(z.string())),
});

const missingShape = z.object({ missing: z.array(z.string()) });
const readsShape = z.object({
  reads: z.nullable(z.array(z.object({ digest: z.string(), url: z.string() }))),
});
const writesShape = z.object({
  writes: z.nullable(
    z.array(
      z.object({
        digest: z.string(),
        url: z.string(),
        headers: z.record(z.string(), z.string()),
        upload: z.string(),
        checked: z.boolean(),
      }),
    ),
  ),
});
const confirmedShape = z.object({ refused: z.array(z.string()) });

/**
 * The door of one attempt over HTTP, as a pod's agent has it: throws what the door itself would. A server that is
 * away is waited for, up to an hour (or `patience`) at a stretch; then `DoorAwayError`. What is refused for good (a wrong token,
 * something too large) is an `AttemptFaultError`.
 *
 * Every call may be made again when its answer was lost: reading changes nothing; content is named by its digest,
 * a chunk of the log by its number, and what is there stays; the first start and the first report count.
 */
export function createHttpDoor(options: HttpDoorOptions): AttemptDoor {
  const { attempt: own, token, signal, onFailure, clock = systemClock } = options;
  const calls = createDoorCalls({
    url: new URL(`${options.url.replace(/\/+$/, '')}${doorPath(own)}`).href,
    token,
    clock,
    fetch: options.fetch ?? globalThis.fetch,
    random: options.random ?? Math.random,
    ...(signal && { signal }),
    ...(onFailure && { onFailure }),
    ...(options.patience !== undefined && { patience: options.patience }),
  });

  /** A door of one attempt, to which its token belongs. */
  function check(attempt: number): void {
    if (attempt !== own) throw new Error(`this is the door of attempt ${own}, not of ${attempt}`);
  }

  async function say(method: 'PUT', path: string, body: Uint8Array<ArrayBuffer> | string): Promise<void> {
    const faultClass: Fault['class'] = path === '/started' ? 'start_failed' : 'store_failed';
    await calls.call((once) => once.request({ method, path, body, faultClass }));
  }

  /** Asked within a try of another call, or in one of its own. */
  async function missing(once: DoorTry, digests: readonly Digest[]): Promise<readonly Digest[]> {
    const body = JSON.stringify({ digests } satisfies MissingQuestion);
    const request = { method: 'POST', path: '/missing', body, faultClass: 'store_failed' } as const;
    return (await read(await once.request(request), missingShape)).missing;
  }

  function askSigned<T>(path: string, question: object, shape: z.ZodMiniType<T>): Promise<T> {
    const faultClass = path === '/signed/reads' ? 'restore_failed' : 'store_failed';
    const request = { method: 'POST', path, body: JSON.stringify(question), faultClass } as const;
    return calls.call(async (once) => read(await once.request(request), shape));
  }

  return {
    signed: {
      async reads(attempt, digests) {
        check(attempt);
        const { reads } = await askSigned('/signed/reads', { digests }, readsShape);
        return reads && new Map(reads.map(({ digest, url }) => [digest, url]));
      },
      async writes(attempt, digests) {
        check(attempt);
        const { writes } = await askSigned('/signed/writes', { digests }, writesShape);
        return writes && new Map(writes.map(({ digest, ...write }) => [digest, write]));
      },
      async confirm(attempt, uploads) {
        check(attempt);
        const { refused } = await askSigned('/signed/confirmed', { uploads }, confirmedShape);
        return new Set(refused);
      },
    },

    async input(attempt) {
      check(attempt);
      const request = { method: 'GET', path: '/input', faultClass: 'restore_failed' } as const;
      return calls.call(async (once) => read(await once.request(request), inputShape));
    },

    async readBlob(attempt, digest, from = 0) {
      check(attempt);
      return downloadBlob(calls, digest, from);
    },

    async missingBlobs(attempt, digests) {
      check(attempt);
      const found = new Set<Digest>();
      // At least once: that the attempt is over is said also to who asks about nothing.
      for (let at = 0; at === 0 || at < digests.length; at += doorLimits.digests) {
        const part = digests.slice(at, at + doorLimits.digests);
        for (const digest of await calls.call((once) => missing(once, part))) found.add(digest);
      }
      return found;
    },

    async writeBlob(attempt, digest, content, again) {
      check(attempt);
      const isMissing = async (once: DoorTry): Promise<boolean> =>
        (await missing(once, [digest])).includes(digest);
      await uploadBlob(calls, digest, content, { isMissing, ...(again && { again }) });
    },

    async started(attempt, at) {
      check(attempt);
      await say('PUT', '/started', JSON.stringify({ at: at.toISOString() } satisfies StartedWord));
    },

    async appendLog(attempt, chunk) {
      check(attempt);
      await say('PUT', `/log/${chunk.seq}`, encodeLogChunk(chunk));
    },

    async finish(attempt, report) {
      check(attempt);
      await say('PUT', '/report', JSON.stringify(reportWord(report)));
    },
  };
}

/** An answer that is not what it should be came from somebody else, or broke off: it is asked for again. */
async function read<T>(response: Response, shape: z.ZodMiniType<T>): Promise<T> {
  try {
    return shape.parse(await response.json());
  } catch (error) {
    throw new DoorAwayError(`the answer cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}
