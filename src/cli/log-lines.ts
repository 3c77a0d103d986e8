import type { LogPart, Stream } from './follow-log.ts';

/** A line longer than this is shown in pieces. Bytes. */
const longest = 64 * 1024;

/** Puts the pieces of a log together into lines, those of the two streams apart. */
export function createLineReader(line: (text: string, stream: Stream) => void): {
  push(pieces: LogPart['pieces']): void;
  /** Shows what waits for its newline. */
  end(): void;
} {
  const waiting = new Map<Stream, Uint8Array[]>();

  function flush(stream: Stream, last: Uint8Array): void {
    const bytes = Buffer.concat([...(waiting.get(stream) ?? []), last]);
    waiting.delete(stream);
    line(bytes.toString('utf8'), stream);
  }

  function pushPiece(stream: Stream, piece: Uint8Array): void {
    let from = 0;
    for (let newline = piece.indexOf(10); newline !== -1; newline = piece.indexOf(10, from)) {
      flush(stream, piece.subarray(from, newline));
      from = newline + 1;
    }
    if (from === piece.byteLength) return;
    const parts = [...(waiting.get(stream) ?? []), piece.subarray(from)];
    waiting.set(stream, parts);
    if (parts.reduce((sum, part) => sum + part.byteLength, 0) >= longest) flush(stream, new Uint8Array());
  }

  return {
    push(pieces) {
      for (const { stream, bytes } of pieces) pushPiece(stream, bytes);
    },
    end() {
      for (const stream of waiting.keys()) flush(stream, new Uint8Array());
    },
  };
}
