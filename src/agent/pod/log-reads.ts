import type { LogRead } from '../ship.ts';

/** The stream, so that no record begins with 0; the length; milliseconds since 1970; the bytes. */
const headBytes = 1 + 4 + 8;

/** One record of what a command printed. */
export function encodeRead([stream, at, bytes]: LogRead): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(stream, 0);
  head.writeUInt32BE(bytes.length, 1);
  head.writeDoubleBE(at, 5);
  return Buffer.concat([head, bytes]);
}

/** The records of a file, but for a last one that was not written to its end. */
export function decodeReads(bytes: Buffer): readonly LogRead[] {
  const reads: LogRead[] = [];
  for (let from = 0; from + headBytes <= bytes.length;) {
    const stream = bytes.readUInt8(from);
    const end = from + headBytes + bytes.readUInt32BE(from + 1);
    if ((stream !== 1 && stream !== 2) || end > bytes.length) break;
    reads.push([stream, bytes.readDoubleBE(from + 5), bytes.subarray(from + headBytes, end)]);
    from = end;
  }
  return reads;
}
