import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Digest } from '../core/snapshot.ts';

const chunkBytes = 256 * 1024;

/**
 * Sends a file's content through `send` and answers whether it was what `digest` says: between hashing and sending
 * a file may have changed or vanished, and then whatever came of the sending does not matter.
 */
export async function sendFile(
  path: Buffer,
  digest: Digest,
  size: number,
  send: (content: ReadableStream<Uint8Array>) => Promise<void>,
): Promise<boolean> {
  const hash = createHash('sha256');
  let whole = false;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      for (let at = 0; at < size;) {
        const length = Math.min(chunkBytes, size - at);
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, at);
        if (bytesRead === 0) break;
        const chunk = buffer.subarray(0, bytesRead);
        hash.update(chunk);
        at += bytesRead;
        yield chunk;
      }
      whole = true;
    } finally {
      await file.close();
    }
  }
  let failure: unknown;
  try {
    await send(ReadableStream.from(chunks()));
  } catch (error) {
    failure = error;
  }
  if (failure === undefined) return whole && hash.digest('hex') === digest;
  if (isGone(failure) || (whole && hash.digest('hex') !== digest)) return false;
  throw failure;
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ELOOP');
}
