/** Reads a stream of bytes by length and by line, and hands on what is left of it. */
export type ByteReader = {
  /** The next `count` bytes; `null` where the stream is over. Throws where it ends in between. */
  exactly(count: number): Promise<Buffer | null>;
  /** The next line without its newline, at most `most` bytes; `null` where the stream is over. */
  line(most: number): Promise<Buffer | null>;
  /** Whatever comes next, at least one byte and at most `most`; `null` where the stream is over. */
  upTo(most: number): Promise<Buffer | null>;
  /** Everything that is left. Leaving this iteration early does not close the source. */
  rest(): AsyncGenerator<Uint8Array, void, undefined>;
};

export class UnexpectedEndError extends Error {
  override name = 'UnexpectedEndError';
}

export function createByteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);

  async function more(): Promise<boolean> {
    const next = await iterator.next();
    if (next.done) return false;
    const chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    return true;
  }

  function take(count: number): Buffer {
    const taken = held.subarray(0, count);
    held = held.subarray(count);
    return taken;
  }

  async function exactly(count: number): Promise<Buffer | null> {
    while (held.length < count) {
      if (await more()) continue;
      if (held.length === 0) return null;
      throw new UnexpectedEndError(`the stream ended ${count - held.length} bytes too early`);
    }
    return take(count);
  }

  async function line(most: number): Promise<Buffer | null> {
    for (;;) {
      const end = held.indexOf(0x0a);
      if (end > most || (end < 0 && held.length > most))
        throw new RangeError(`a line is longer than ${most} bytes`);
      if (end >= 0) return take(end + 1).subarray(0, end);
      if (await more()) continue;
      if (held.length === 0) return null;
      throw new UnexpectedEndError('the stream ended within a line');
    }
  }

  async function upTo(most: number): Promise<Buffer | null> {
    while (held.length === 0) if (!(await more())) return null;
    return take(most);
  }

  async function* rest(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let chunk = await upTo(Infinity); chunk !== null; chunk = await upTo(Infinity)) yield chunk;
  }

  return { exactly, line, upTo, rest };
}
