import { readLogChunks, readLogSize, type LogSource } from '../../attempt/log.ts';
import type { LogChunk } from '../../core/attempt.ts';
import type { LogStream } from '../../core/log-lines.ts';
import { logText } from './log-text.ts';

/** How much of a log a page carries; scripts follow from there on. */
const tailBytes = 256 * 1024;
const tailLines = 2_000;
/** Chunks that are read at once: those of a slow program hold a line each. */
const chunksAtOnce = 200;

export type LogLine = {
  readonly stream: LogStream;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
  /** Its newline has not come yet. */
  readonly open: boolean;
};

export type LogTail = {
  readonly lines: readonly LogLine[];
  /** The byte after the last one that `lines` show. */
  readonly offset: number;
  /** Of the whole log, at the time it was read. */
  readonly bytes: number;
  /** Whether there is more before. */
  readonly cut: boolean;
};

/** The end of an attempt's log as lines. */
export async function readTail(source: LogSource, attemptId: number): Promise<LogTail> {
  const { bytes } = await readLogSize(source, attemptId);
  const chunks: LogChunk[] = [];
  // As far as it went when we began: a program may write faster than we read.
  for (let offset = Math.max(0, bytes - tailBytes); offset < bytes; offset = endOf(chunks)) {
    const more = await readLogChunks(source, attemptId, { offset, limit: chunksAtOnce });
    if (more.length === 0) break;
    chunks.push(...more);
  }
  const lines = joinLines(chunks);
  const cut = lines.length > tailLines || (chunks[0]?.offset ?? 0) > 0;
  return { lines: lines.slice(-tailLines), offset: endOf(chunks), bytes, cut };
}

function endOf(chunks: readonly LogChunk[]): number {
  const last = chunks.at(-1);
  return last ? last.offset + last.bytes.byteLength : 0;
}

type Parts = { readonly stream: LogStream; readonly at: number; readonly bytes: Uint8Array[]; open: boolean };

/** Puts the entries of chunks together into lines: a piece without a newline goes on in the next of its stream. */
export function joinLines(chunks: readonly LogChunk[]): readonly LogLine[] {
  const lines: Parts[] = [];
  const waiting = new Map<LogStream, Parts>();
  for (const chunk of chunks) {
    let from = 0;
    for (const [stream, at, length] of chunk.lines) {
      const bytes = chunk.bytes.subarray(from, from + length);
      from += length;
      let line = waiting.get(stream);
      if (line === undefined) {
        line = { stream, at, bytes: [], open: true };
        lines.push(line);
        waiting.set(stream, line);
      }
      line.bytes.push(bytes);
      if (bytes.at(-1) !== 10) continue;
      line.open = false;
      waiting.delete(stream);
    }
  }
  return lines.map(({ stream, at, bytes, open }) => {
    return { stream, at, text: logText(Buffer.concat(bytes).toString('utf8')), open };
  });
}
