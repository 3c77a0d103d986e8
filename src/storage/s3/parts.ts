const firstBytes = 64 * 1024;

/**
 * A stream as parts of one length; the last is shorter, and there is none where the stream was a multiple of it.
 * Holds one part, in memory of its own: a chunk of one byte may keep all that came with it from being freed. Leaving
 * early cancels the stream.
 */
export async function* partsOf(
  content: ReadableStream<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array, undefined> {
  let part = Buffer.allocUnsafeSlow(Math.min(firstBytes, length));
  let size = 0;
  for await (const chunk of content) {
    for (let from = 0; from < chunk.length;) {
      const piece = chunk.subarray(from, from + length - size);
      part = withRoom(part, size, size + piece.length, length);
      part.set(piece, size);
      size += piece.length;
      from += piece.length;
      if (size < length) continue;
      yield part;
      part = Buffer.allocUnsafeSlow(length);
      size = 0;
    }
  }
  if (size > 0) yield part.subarray(0, size);
}

/** Doubled until it has room: most content is far smaller than a part. */
function withRoom(
  part: Buffer<ArrayBuffer>,
  used: number,
  wanted: number,
  most: number,
): Buffer<ArrayBuffer> {
  if (wanted <= part.length) return part;
  const larger = Buffer.allocUnsafeSlow(Math.min(most, Math.max(wanted, part.length * 2)));
  part.copy(larger, 0, 0, used);
  return larger;
}
