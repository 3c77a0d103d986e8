import type { LogChunk } from './attempt.ts';

/** 1 stdout, 2 stderr, 0 AME itself. */
export type LogStream = 0 | 1 | 2;

export type LogLimits = {
  /** Bytes of one chunk. */
  readonly chunk: number;
  /** Lines of one chunk: a flood of empty lines must not make a row of megabytes. */
  readonly lines: number;
  /** Bytes of the whole log; what comes after is dropped and counted. */
  readonly total: number;
};

export const logLimits: LogLimits = { chunk: 256 * 1024, lines: 8 * 1024, total: 1024 ** 3 };

/**
 * Cuts two streams of bytes into lines and these into chunks without gaps. A line that is not complete yet
 * waits apart, so the two streams never mix within a line; a piece of one that had to go before its newline
 * is an entry of its own that ends without a newline, and the next entry of the same stream continues it.
 */
export type LogLines = {
  /** `at`: milliseconds since 1970, the time of every line that these bytes complete. */
  push(stream: LogStream, bytes: Uint8Array, at: number): void;
  /** Turns what waits for its newline since `before` or longer into a piece. */
  breakLines(before: number, at: number): void;
  /** The next full chunk, or, with `partial`, whatever is there. */
  take(partial: boolean): LogChunk | null;
  /** Ends the log; says so where it was cut. */
  end(at: number): void;
  /** A copy of all that is not taken yet, from which other lines go on. */
  rest(): LogRest;
  /** Bytes that `take` would answer with. */
  readonly ready: number;
  /** Since when the oldest incomplete line waits. */
  readonly waitingSince: number | null;
};

/** Lines on their way, as plain data. */
export type LogRest = {
  readonly waiting: readonly (readonly [stream: LogStream, bytes: Uint8Array, since: number])[];
  readonly chunks: readonly { readonly bytes: Uint8Array; readonly lines: LogChunk['lines'] }[];
  readonly accepted: number;
  readonly dropped: number;
  /** Of the next chunk. */
  readonly next: { readonly seq: number; readonly line: number; readonly offset: number };
};

/** Bytes that grow by doubling; `length` of them are in use. */
type Buffered = { bytes: Uint8Array; length: number };

/** An incomplete line. */
type Waiting = Buffered & { readonly since: number };

/** Where a line is broken that has no end. */
const longestPiece = 64 * 1024;

/** With `from` they go on where others stopped. */
export function createLogLines(limits: LogLimits = logLimits, from: LogRest | null = null): LogLines {
  const pieceLimit = Math.min(longestPiece, limits.chunk);
  const waiting = new Map<LogStream, Waiting>(
    from?.waiting.map(([stream, bytes, since]) => [stream, { bytes, length: bytes.length, since }]),
  );
  /** Finished chunks and, last, the open one. */
  let chunks: { content: Buffered; lines: LogChunk['lines'][number][] }[] = (from?.chunks ?? []).map(
    ({ bytes, lines }) => ({ content: { bytes, length: bytes.length }, lines: [...lines] }),
  );
  let ready = chunks.reduce((sum, { content }) => sum + content.length, 0);
  let accepted = from?.accepted ?? 0;
  let dropped = from?.dropped ?? 0;
  let taken = from?.next ?? { seq: 0, line: 0, offset: 0 };

  function push(stream: LogStream, bytes: Uint8Array, at: number): void {
    let from = 0;
    for (let newline = bytes.indexOf(10); newline !== -1; newline = bytes.indexOf(10, from)) {
      complete(stream, bytes.subarray(from, newline + 1), at);
      from = newline + 1;
    }
    if (from < bytes.length) hold(stream, bytes.subarray(from), at);
  }

  function complete(stream: LogStream, end: Uint8Array, at: number): void {
    const begun = waiting.get(stream);
    if (begun === undefined && end.length <= pieceLimit) {
      accept(stream, end, at);
    } else {
      hold(stream, end, at);
      emit(stream, at);
    }
  }

  function hold(stream: LogStream, bytes: Uint8Array, at: number): void {
    for (let from = 0; from < bytes.length;) {
      const line = waiting.get(stream) ?? { bytes: new Uint8Array(256), length: 0, since: at };
      waiting.set(stream, line);
      const part = bytes.subarray(from, from + pieceLimit - line.length);
      append(line, part, pieceLimit);
      from += part.length;
      if (line.length === pieceLimit) emit(stream, at);
    }
  }

  function emit(stream: LogStream, at: number): void {
    const line = waiting.get(stream);
    if (line === undefined) return;
    waiting.delete(stream);
    accept(stream, line.bytes.subarray(0, line.length), at);
  }

  function accept(stream: LogStream, line: Uint8Array, at: number): void {
    const room = Math.max(0, limits.total - accepted);
    // Nothing after the first byte that was dropped: what follows a hole would read as if it belonged there.
    const kept = dropped > 0 ? 0 : Math.min(room, line.length);
    dropped += line.length - kept;
    accepted += kept;
    if (kept > 0) store(stream, line.subarray(0, kept), at);
  }

  function store(stream: LogStream, line: Uint8Array, at: number): void {
    let open = chunks.at(-1);
    if (
      open === undefined ||
      open.content.length + line.length > limits.chunk ||
      open.lines.length >= limits.lines
    ) {
      open = { content: { bytes: new Uint8Array(4096), length: 0 }, lines: [] };
      chunks.push(open);
    }
    append(open.content, line, limits.chunk);
    open.lines.push([stream, at, line.length]);
    ready += line.length;
  }

  function take(partial: boolean): LogChunk | null {
    const first = chunks[0];
    const full =
      first !== undefined &&
      (chunks.length > 1 || first.content.length >= limits.chunk || first.lines.length >= limits.lines);
    if (first === undefined || (!partial && !full)) return null;
    chunks = chunks.slice(1);
    const bytes = first.content.bytes.slice(0, first.content.length);
    ready -= bytes.length;
    const chunk = { seq: taken.seq, firstLine: taken.line, offset: taken.offset, bytes, lines: first.lines };
    taken = {
      seq: taken.seq + 1,
      line: taken.line + first.lines.length,
      offset: taken.offset + bytes.length,
    };
    return chunk;
  }

  return {
    push,
    take,
    breakLines(before, at) {
      for (const [stream, line] of waiting) if (line.since <= before) emit(stream, at);
    },
    end(at) {
      for (const stream of waiting.keys()) emit(stream, at);
      if (dropped === 0) return;
      const text = `AME: this log was cut after ${limits.total} bytes; ${dropped} more ${dropped === 1 ? 'byte was' : 'bytes were'} dropped\n`;
      store(0, new TextEncoder().encode(text), at);
    },
    rest: () => ({
      waiting: [...waiting].map(([stream, line]) => [stream, line.bytes.slice(0, line.length), line.since]),
      chunks: chunks.map(({ content, lines }) => ({
        bytes: content.bytes.slice(0, content.length),
        lines: [...lines],
      })),
      accepted,
      dropped,
      next: taken,
    }),
    get ready() {
      return ready;
    },
    get waitingSince() {
      return waiting.size === 0 ? null : Math.min(...Array.from(waiting.values(), (line) => line.since));
    },
  };
}

/** Copies `part` behind what is there. Never more than `most`, to which the caller keeps, or one long part. */
function append(buffered: Buffered, part: Uint8Array, most: number): void {
  const needed = buffered.length + part.length;
  if (needed > buffered.bytes.length) {
    const grown = new Uint8Array(Math.max(needed, Math.min(most, buffered.bytes.length * 2)));
    grown.set(buffered.bytes.subarray(0, buffered.length));
    buffered.bytes = grown;
  }
  buffered.bytes.set(part, buffered.length);
  buffered.length = needed;
}
