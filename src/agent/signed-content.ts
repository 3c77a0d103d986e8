import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { AttemptFaultError, type AttemptDoor, type SignedDoor, type SignedWrite } from '../core/attempt.ts';
import { doorLimits } from '../core/door-wire.ts';
import type { Digest } from '../core/snapshot.ts';
import { askTogether } from './ask-together.ts';
import { pause, type Clock } from './clock.ts';
import type { Put } from './collect.ts';
import type { Place } from './fetch.ts';
import { connectMs, putSigned, readSigned, StoreAwayError } from './signed-transfer.ts';
import { createStoreReach, type StoreReach } from './store-reach.ts';
import { sendFile } from './upload.ts';

/** Tries straight to the store before the door, which has all patience, takes over. */
const tries = 4;
const firstPauseMs = 200;
/** What a store takes with one request. */
const mostOfARequest = 5 * 1024 ** 3;
/**
 * Where the store cannot refuse other content than the digest's the server reads an upload once more to confirm it:
 * more than this goes through the door, which reads it once.
 */
const largestUnchecked = 64 * 1024 ** 2;

export type SignedContentOptions = {
  readonly door: Pick<AttemptDoor, 'readBlob' | 'writeBlob'> & { readonly signed: SignedDoor };
  readonly attempt: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onFailure?: (error: unknown) => void;
  /** What other transfers of the attempt have found out. */
  readonly reach?: StoreReach;
  /** How long a connection to the store may take, milliseconds. */
  readonly connectMs?: number;
  /** The most bytes that are put straight into the store; what one request takes without it. */
  readonly largestPut?: number;
};

/**
 * Files straight from and to the store of content, with requests that AME has signed and without any key. Whatever the
 * store will not do goes through the door instead: all of it where there is no such way, or no way to the store.
 */
export function createSignedContent(options: SignedContentOptions): {
  readonly place: Place;
  readonly put: Put;
} {
  const { door, attempt, clock, signal, reach = createStoreReach() } = options;
  const patience = { signal, connectMs: options.connectMs ?? connectMs };
  const { signed } = door;
  const most = doorLimits.signed;
  const readUrl = askTogether(
    async (digests: readonly Digest[]) => known(await signed.reads(attempt, digests)),
    most,
  );
  const writeRequest = askTogether(
    async (digests: readonly Digest[]) => known(await signed.writes(attempt, digests)),
    most,
  );
  const isRefused = askTogether(confirmAll, most);
  /** Once the door has answered that it knows no such way. */
  let none = false;

  function known<Answer>(answer: ReadonlyMap<Digest, Answer> | null): ReadonlyMap<Digest, Answer> {
    none ||= answer === null;
    return answer ?? new Map<Digest, Answer>();
  }

  async function confirmAll(
    uploads: readonly { readonly digest: Digest; readonly upload: string }[],
  ): Promise<ReadonlyMap<(typeof uploads)[number], boolean>> {
    const refused = await signed.confirm(attempt, uploads);
    return new Map(uploads.map((upload) => [upload, refused.has(upload.digest)]));
  }

  /** What `perform` answers with; null where the door has to do it. */
  async function straight<T>(perform: () => Promise<T | null>): Promise<T | null> {
    for (let left = tries, wait = firstPauseMs; left > 0; left -= 1, wait *= 2) {
      if (none || !reach.isOpen()) return null;
      try {
        const done = await perform();
        reach.worked();
        return done;
      } catch (error) {
        if (!(error instanceof StoreAwayError)) throw error;
        options.onFailure?.(error);
        reach.failed(error);
        if (left > 1 && reach.isOpen()) await pause(clock, wait, signal);
      }
    }
    return null;
  }

  return {
    async place(digest, path, mode) {
      const file = await open(path, 'wx', 0o600);
      try {
        const hash = createHash('sha256');
        let at = 0;
        const take = async (content: AsyncIterable<Uint8Array>): Promise<void> => {
          for await (const bytes of content) {
            signal.throwIfAborted();
            await file.writeFile(bytes);
            hash.update(bytes);
            at += bytes.byteLength;
          }
        };
        const done = await straight(async () => {
          const url = await readUrl(digest);
          if (url === undefined) return null;
          const content = await readSigned(url, at, patience);
          await take(content).catch((error: unknown) => {
            // Of the disk's errors none gets better by reading again.
            if (content.errored === null) throw error;
            throw new StoreAwayError('content broke off', false, { cause: error });
          });
          return true;
        });
        if (done === null) await take(await door.readBlob(attempt, digest, at));
        if (hash.digest('hex') !== digest)
          throw new AttemptFaultError({
            class: 'restore_failed',
            message: `Stored content is damaged: ${digest}.`,
          });
        await file.chmod(mode);
      } finally {
        await file.close();
      }
    },

    async put(path, digest, size) {
      const done = await straight(async () => {
        if (size > (options.largestPut ?? mostOfARequest)) return null;
        const write = await writeRequest(digest);
        if (write === undefined || (!write.checked && size > largestUnchecked)) return null;
        return putFile(path, digest, size, write);
      });
      return (
        done ??
        sendFile(path, digest, size, (content, again) => door.writeBlob(attempt, digest, content, again))
      );
    },
  };

  async function putFile(path: Buffer, digest: Digest, size: number, write: SignedWrite): Promise<boolean> {
    if (!(await sendFile(path, digest, size, (content) => putSigned(write, content, size, patience))))
      return false;
    if (await isRefused({ digest, upload: write.upload }))
      throw new StoreAwayError('the store does not have what was put there', false);
    return true;
  }
}
