import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const cipherName = 'aes-256-ctr';
const startBytes = 16;
/** Comes first in every file, sealed: another key makes something else of it. */
const mark = Buffer.from('ame log spool 1\n');

/**
 * The key of what an attempt's agent keeps on its node's disk: made of the attempt's token, which lies in memory
 * alone (a Secret's volume is a tmpfs) and is there again for the agent that takes over.
 */
export function spoolKey(token: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', token, '', 'ame agent log spool 1', 32));
}

/** One file that is written from its beginning to wherever its writer stops, a piece at a time. */
export type Seal = {
  /** What the file begins with. */
  readonly head: Uint8Array;
  /** The next piece of it, of the same length. */
  next(plain: Uint8Array): Uint8Array;
};

/**
 * Begins a file. A cipher of its own for each record would cost 21 µs more a record; this one costs 1 µs (measured).
 * In return nothing may follow where a piece was not written, nor what another process wrote: such a file is replaced.
 */
export function beginSeal(key: Uint8Array): Seal {
  const start = randomBytes(startBytes);
  const cipher = createCipheriv(cipherName, key, start);
  const head = Buffer.concat([start, cipher.update(mark)]);
  return { head, next: (plain) => cipher.update(plain) };
}

/** What was written to a file, wherever it was cut off. Throws where that was with another key. */
export function openSealed(key: Uint8Array, bytes: Uint8Array): Buffer {
  if (bytes.length < startBytes + mark.length) return Buffer.alloc(0);
  const cipher = createDecipheriv(cipherName, key, bytes.subarray(0, startBytes));
  const plain = cipher.update(bytes.subarray(startBytes));
  if (!plain.subarray(0, mark.length).equals(mark))
    throw new Error('what an earlier agent kept has another key');
  return plain.subarray(mark.length);
}
