import { UnexpectedEndError, type ByteReader } from './byte-reader.ts';

/** git's framing: four hex digits of length, themselves counted, then that much data; `0000` is a flush. */
export type Pkt =
  | { readonly type: 'flush' }
  /** `0001` and `0002`, which end sections in protocol version 2. */
  | { readonly type: 'delimiter' }
  | { readonly type: 'end' }
  | { readonly type: 'data'; readonly data: Buffer };

/** Bytes of data that fit into one line. */
export const pktLimit = 65_516;

export const flushPkt: Uint8Array = Buffer.from('0000');

export class PktError extends Error {
  override name = 'PktError';
}

/** One line; text is written as UTF-8, without a newline of its own. */
export function encodePkt(data: string | Uint8Array): Buffer {
  const bytes = Buffer.from(data);
  if (bytes.length > pktLimit) throw new RangeError(`a line of ${bytes.length} bytes does not fit`);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}

/** The next line; `null` where the stream is over. Throws `PktError` where the bytes are no such line. */
export async function readPkt(reader: ByteReader): Promise<Pkt | null> {
  try {
    const header = await reader.exactly(4);
    if (header === null) return null;
    const digits = header.toString('latin1');
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new PktError(`a line begins with ${JSON.stringify(digits)}`);
    const length = Number.parseInt(digits, 16);
    if (length === 0) return { type: 'flush' };
    if (length === 1) return { type: 'delimiter' };
    if (length === 2) return { type: 'end' };
    if (length === 3 || length > pktLimit + 4) throw new PktError(`a line has the length ${length}`);
    if (length === 4) return { type: 'data', data: Buffer.alloc(0) };
    const data = await reader.exactly(length - 4);
    if (data === null) throw new PktError('the stream ended before the data of a line');
    return { type: 'data', data };
  } catch (error) {
    if (error instanceof UnexpectedEndError) throw new PktError(error.message, { cause: error });
    throw error;
  }
}

/** Band 1 is the answer itself, 2 what a person reads after `remote:`, 3 an error that ends the answer. */
export type Band = 1 | 2 | 3;

/** Data of any length as lines of one band of a multiplexed answer. */
export function encodeBand(band: Band, data: string | Uint8Array): Buffer {
  const bytes = Buffer.from(data);
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pktLimit - 1) {
    lines.push(encodePkt(Buffer.concat([Buffer.of(band), bytes.subarray(at, at + pktLimit - 1)])));
  }
  return Buffer.concat(lines);
}
