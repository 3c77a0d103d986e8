import { addAbortSignal, type Readable } from 'node:stream';
import type { LogChunk } from '../core/attempt.ts';
import {
  createLogLines,
  logLimits,
  type LogLimits,
  type LogRest,
  type LogStream,
} from '../core/log-lines.ts';
import { createMasker } from '../core/mask.ts';
import type { Clock } from './clock.ts';
import { keepTrying } from './keep-trying.ts';

/** What waits is sent after this many milliseconds at the latest. */
const sendAfterMs = 100;
/** A line without an end, such as a progress bar, is sent in pieces after this many. */
const breakAfterMs = 1_000;
/** Chunks that may wait for a slow store; beyond that the pipes are not read. */
const chunksInMemory = 4;
/** How much of the end of stderr is kept for explaining an exit code. */
const tailBytes = 4 * 1024;

/** All of a log that has been read and is in no chunk yet. */
export type ShipRest = {
  readonly lines: LogRest;
  /** What the maskers hold back. */
  readonly held: readonly (readonly [stream: 1 | 2, bytes: Uint8Array])[];
  readonly stderrTail: Uint8Array;
};

/** What a stream yielded: its number, milliseconds since 1970, the bytes as they came. */
export type LogRead = readonly [stream: 1 | 2, at: number, bytes: Uint8Array];

/** How a log outlives the process that ships it. */
export type ShipMemory = {
  /** Where an earlier process stopped: what it kept with its last chunk, and what it read after that. */
  readonly rest: ShipRest | null;
  readonly reads: readonly LogRead[];
  /** Keeps what was read, before anything is made of it. */
  readonly keep: (read: LogRead) => void;
};

export type ShipOptions = {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Values that must not be seen. */
  readonly secrets: readonly string[];
  /** Tried again with the same chunk until it resolves, or throws `AttemptOverError`. */
  readonly append: (chunk: LogChunk, rest: () => ShipRest) => Promise<void>;
  readonly memory?: ShipMemory;
  /** Gives up and throws its reason. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly limits?: LogLimits;
  readonly onFailure?: (error: unknown) => void;
};

export type Shipped = {
  /** The last, masked bytes of stderr. */
  readonly stderrTail: Uint8Array;
};

/**
 * Sends what a command prints as masked chunks of lines, in order and without loss: when `append` is slow or
 * failing the command's pipes fill up and it waits. Resolves when both streams have ended and all is sent. `append`
 * is given what belongs to a chunk's state as well, for who wants to go on from there with another process.
 */
export async function shipLog(options: ShipOptions): Promise<Shipped> {
  const { clock, limits = logLimits } = options;
  const { memory } = options;
  const lines = createLogLines(limits, memory?.rest?.lines);
  const maskers = { 1: createMasker(options.secrets), 2: createMasker(options.secrets) } as const;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  let stderrTail: Uint8Array = memory?.rest?.stderrTail ?? new Uint8Array(0);
  let ended = false;
  /** What is there goes out although it fills no chunk. */
  let flush = false;
  let wakeSender = (): void => {};
  let roomMade = Promise.withResolvers<void>();
  /** What cancels the two timers, where they are set. */
  const timers: { send: (() => void) | null; break: (() => void) | null } = { send: null, break: null };

  async function read(stream: 1 | 2, source: Readable): Promise<void> {
    const masker = maskers[stream];
    for await (const bytes of chunksOf(addAbortSignal(signal, source))) {
      const at = clock.now();
      memory?.keep([stream, at, bytes]);
      add(stream, masker.push(bytes), at);
      // Full or not, a cut log is read to its end: the command must not wait for ever.
      while (lines.ready >= limits.chunk * chunksInMemory && !signal.aborted) await roomMade.promise;
    }
    add(stream, masker.end(), clock.now());
  }

  function add(stream: LogStream, bytes: Uint8Array, at: number): void {
    if (stream === 2) stderrTail = lastBytes(stderrTail, bytes);
    lines.push(stream, bytes, at);
    plan();
  }

  const rest = (): ShipRest => ({
    lines: lines.rest(),
    held: [
      [1, maskers[1].held()],
      [2, maskers[2].held()],
    ],
    stderrTail,
  });

  /** Sets the timers that what waits asks for. */
  function plan(): void {
    if (lines.ready > 0 && timers.send === null) {
      timers.send = clock.after(sendAfterMs, () => {
        timers.send = null;
        flush = true;
        wakeSender();
      });
    }
    if (lines.ready >= limits.chunk) wakeSender();
    if (lines.waitingSince !== null && timers.break === null) {
      timers.break = clock.after(Math.max(0, lines.waitingSince + breakAfterMs - clock.now()), () => {
        timers.break = null;
        lines.breakLines(clock.now() - breakAfterMs, clock.now());
        flush = flush || lines.ready > 0;
        wakeSender();
        plan();
      });
    }
  }

  async function send(): Promise<void> {
    for (;;) {
      const chunk = lines.take(flush || ended);
      if (chunk === null) {
        if (ended) return;
        flush = false;
        await new Promise<void>((resolve) => (wakeSender = resolve));
        signal.throwIfAborted();
        continue;
      }
      await keepTrying(() => options.append(chunk, rest), {
        clock,
        signal,
        ...(options.onFailure && { onFailure: options.onFailure }),
      });
      makeRoom();
    }
  }

  function makeRoom(): void {
    roomMade.resolve();
    roomMade = Promise.withResolvers();
  }

  async function readBoth(): Promise<void> {
    await Promise.all([read(1, options.stdout), read(2, options.stderr)]);
    signal.throwIfAborted();
    lines.end(clock.now());
    ended = true;
    wakeSender();
  }

  const wakeAll = (): void => {
    makeRoom();
    wakeSender();
  };
  signal.addEventListener('abort', wakeAll);
  for (const [stream, bytes] of memory?.rest?.held ?? [])
    add(stream, maskers[stream].push(bytes), clock.now());
  for (const [stream, at, bytes] of memory?.reads ?? []) add(stream, maskers[stream].push(bytes), at);
  plan();
  try {
    await Promise.all([readBoth(), send()]);
  } catch (error) {
    failed.abort(error);
    throw options.signal.aborted ? options.signal.reason : error;
  } finally {
    signal.removeEventListener('abort', wakeAll);
    timers.send?.();
    timers.break?.();
  }
  return { stderrTail };
}

/** The pieces that a stream yields. One whose owner closed it before its end has simply ended. */
async function* chunksOf(source: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const bytes of source as AsyncIterable<Uint8Array>) yield bytes;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'))
      throw error;
  }
}

function lastBytes(before: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (bytes.length >= tailBytes) return bytes.slice(-tailBytes);
  return Buffer.concat([before.subarray(Math.max(0, before.length + bytes.length - tailBytes)), bytes]);
}
