import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from './client.ts';
import { readEvents } from './events.ts';
import { RefusalFault, ServerAwayFault } from './fault.ts';

/** 0 AME itself, 1 stdout, 2 stderr. */
export type Stream = 0 | 1 | 2;

/** Bytes of a log as they came, with the lines, or pieces of long ones, that they are made of. */
export type LogPart = {
  readonly bytes: Uint8Array;
  readonly pieces: readonly { readonly stream: Stream; readonly bytes: Uint8Array }[];
};

/** How long a server may be away, in milliseconds, before whoever follows gives up. */
const patienceMs = 60_000;

export type FollowOptions = {
  readonly signal?: AbortSignal;
  /** Aborts once the attempt is known to have ended: what is left of its log is asked for at once. */
  readonly ended?: AbortSignal;
};

/**
 * The log of an attempt, as it grows, until the attempt has ended. A connection that breaks is made again from the
 * next byte, so nothing is shown twice or left out. Throws where the server stays away.
 */
export async function* followLog(
  client: Pick<Client, 'fetch'>,
  attempt: number,
  { signal, ended }: FollowOptions = {},
): AsyncGenerator<LogPart> {
  let offset = 0;
  let awaySince: number | null = null;
  for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
    const knew = ended?.aborted ?? false;
    const until = [signal, knew ? undefined : ended].filter((one) => one !== undefined);
    try {
      const path = `/api/v1/attempts/${attempt}/log/events?offset=${offset}`;
      const { body } = await client.fetch(path, { signal: AbortSignal.any(until) });
      for await (const { event, data } of readEvents(body)) {
        if (event === 'end') return;
        if (event !== 'log') continue;
        const part = parsePart(data);
        awaySince = null;
        pause = 100;
        // What was read already is not repeated, whatever the server sends.
        if (part.offset + part.bytes.byteLength <= offset) continue;
        offset = part.offset + part.bytes.byteLength;
        yield part;
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      // The server notices an end a moment later than we may; a new connection is answered to the end.
      if (!knew && ended?.aborted) continue;
      if (!isBreak(error)) throw error;
      awaySince ??= performance.now();
      if (performance.now() - awaySince > patienceMs) throw error;
    }
    await delay(pause, undefined, signal ? { signal } : {});
  }
}

/** Whether only this moment was a bad one. Node reports a body that ends early as a TypeError. */
function isBreak(error: unknown): boolean {
  // A server whose database is away, or has more to do than it can, asks for another try.
  if (error instanceof RefusalFault) return error.status === 503;
  return error instanceof ServerAwayFault || error instanceof TypeError;
}

type Sent = {
  readonly offset: number;
  readonly bytes: string;
  readonly lines: readonly (readonly [Stream, number, number])[];
  readonly skipped: number;
};

function parsePart(data: string): LogPart & { readonly offset: number } {
  const sent = JSON.parse(data) as Sent;
  const bytes = Buffer.from(sent.bytes, 'base64');
  const pieces: { stream: Stream; bytes: Uint8Array }[] = [];
  // The lengths are those of the whole chunk, of which the first bytes may have been left out.
  let at = -sent.skipped;
  for (const [stream, , length] of sent.lines) {
    const piece = bytes.subarray(Math.max(0, at), Math.max(0, at + length));
    if (piece.byteLength > 0) pieces.push({ stream, bytes: piece });
    at += length;
  }
  return { offset: sent.offset, bytes, pieces };
}
