import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { LogChunk } from '../../core/attempt.ts';
import { decodeLogChunk, encodeLogChunk } from '../../core/door-wire.ts';
import type { LogRead, ShipMemory, ShipRest } from '../ship.ts';
import { decodeReads, encodeRead } from './log-reads.ts';
import { beginSeal, openSealed, type Seal } from './sealed-file.ts';

/** A log on its way, on a disk that outlives this process. */
export type LogSpool = {
  /** What an earlier process of the attempt left. */
  readonly memory: ShipMemory;
  /** Keeps a chunk until it was sent, and how the log goes on after it. Waits while there is no room. */
  put(chunk: LogChunk, rest: () => ShipRest): Promise<void>;
  /** Sends all chunks in order, those of an earlier process first, until `end` was said; throws what `send` throws. */
  drain(send: (chunk: LogChunk) => Promise<void>): Promise<void>;
  end(): void;
};

/** What stands at the beginning of the file of what was read: everything before it is in these chunks. */
type Head = { readonly chunks: number; readonly rest: ShipRest };

/**
 * Opens the spool in a directory of its own, of which the process may die at any moment, that is, of which every file
 * is whole or not believed:
 *
 * - `<seq>` are chunks. They are sent only once `reads` says that they are final, because a process that cuts the
 *   same lines again cuts them elsewhere, and the door knows chunks by their number.
 * - `reads` begins with how many chunks there are and what was read but in none of them; then what was read since.
 *   It is replaced as a whole with each chunk.
 *
 * Chunks are masked. What was read is as the command printed it, secrets and all, which no disk is to hold: `reads`
 * is sealed with `key` (`spoolKey`).
 *
 * What is in a pipe stays there while nobody reads it: only what a process had read and not yet written is lost with it.
 */
export function openLogSpool(directory: string, most: number, key: Uint8Array): LogSpool {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const place = join(directory, 'reads');
  const earlier = readEarlier(place, key);
  const waiting = listChunks(directory, earlier.head?.chunks ?? 0);
  let held = waiting.reduce((sum, { size }) => sum + size, 0);
  let ended = false;
  let changed = Promise.withResolvers<void>();
  /** `reads` while it is written to; null where it cannot be, until it is replaced. */
  let open: { readonly file: number; readonly seal: Seal } | null = null;

  function change(): void {
    changed.resolve();
    changed = Promise.withResolvers();
  }

  async function room(): Promise<void> {
    // oxlint-disable-next-line no-unmodified-loop-condition -- `drain` takes away from it meanwhile
    while (held >= most) await changed.promise;
  }

  function keep(read: LogRead): void {
    if (open === null) return;
    try {
      const record = open.seal.next(encodeRead(read));
      if (writeSync(open.file, record) < record.length) close();
    } catch {
      // A full disk must not end the command: until the next chunk this much could be lost with the process.
      close();
    }
  }

  function close(): void {
    if (open !== null) closeSync(open.file);
    open = null;
  }

  /** Puts this in place of `reads`, in which what is kept from here on follows it. */
  function begin(plain: Uint8Array): void {
    close();
    const seal = beginSeal(key);
    const file = openSync(`${place}.new`, 'w', 0o600);
    open = { file, seal };
    try {
      writeFileSync(file, Buffer.concat([seal.head, seal.next(plain)]));
      renameSync(`${place}.new`, place);
    } catch (error) {
      close();
      throw error;
    }
  }

  // What is there was begun by another process, which alone could go on with its cipher.
  try {
    begin(earlier.plain);
  } catch {
    // A full disk: what is there stays, and nothing is kept until there is room for the next chunk.
  }

  return {
    memory: { rest: earlier.head?.rest ?? null, reads: earlier.reads, keep },

    async put(chunk, rest) {
      await room();
      // From here on without a pause: what is read meanwhile would be in neither.
      const body = encodeLogChunk(chunk);
      writeFileSync(join(directory, String(chunk.seq)), body, { mode: 0o600 });
      const head = serialize({ chunks: chunk.seq + 1, rest: rest() } satisfies Head);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(head.length);
      begin(Buffer.concat([length, head]));
      waiting.push({ seq: chunk.seq, size: body.length });
      held += body.length;
      change();
    },

    async drain(send) {
      for (;;) {
        const [next] = waiting;
        if (next === undefined) {
          if (ended) return;
          await changed.promise;
          continue;
        }
        const file = join(directory, String(next.seq));
        const chunk = decodeLogChunk(next.seq, await readFile(file));
        if (chunk === null) throw new Error(`the spooled chunk ${next.seq} of the log is damaged`);
        await send(chunk);
        await rm(file, { force: true });
        waiting.shift();
        held -= next.size;
        change();
      }
    },

    end() {
      ended = true;
      close();
      change();
    },
  };
}

type Earlier = {
  readonly head: Head | null;
  readonly reads: readonly LogRead[];
  /** All of it, but for a last record that is not whole. */
  readonly plain: Uint8Array;
};

function readEarlier(place: string, key: Uint8Array): Earlier {
  let sealed: Buffer;
  try {
    sealed = readFileSync(place);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return { head: null, reads: [], plain: Buffer.alloc(0) };
    throw error;
  }
  const bytes = openSealed(key, sealed);
  // Before the first chunk there is no head.
  const end = bytes[0] === 0 ? 4 + bytes.readUInt32BE(0) : 0;
  // Only this process and those before it write here.
  const head = end === 0 ? null : (deserialize(bytes.subarray(4, end)) as Head);
  const reads = decodeReads(bytes.subarray(end));
  return { head, reads, plain: Buffer.concat([bytes.subarray(0, end), ...reads.map(encodeRead)]) };
}

/** Chunks before `count` are final and not sent yet; the others are cut again. */
function listChunks(directory: string, count: number): { readonly seq: number; readonly size: number }[] {
  const found: { readonly seq: number; readonly size: number }[] = [];
  for (const name of readdirSync(directory)) {
    if (!/^\d+$/.test(name)) continue;
    const seq = Number(name);
    if (seq < count) found.push({ seq, size: readFileSync(join(directory, name)).length });
    else rmSync(join(directory, name), { force: true });
  }
  return found.sort((a, b) => a.seq - b.seq);
}
