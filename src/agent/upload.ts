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
  send: (
    content: ReadableStream<Uint8Array>,
    /** The same once more, from the beginning. */
    again: () => ReadableStream<Uint8Array>,
  ) => Promise<void>,
): Promise<boolean> {
  /** Of the last sending that came to its end. */
  let sent: Digest | null = null;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    sent = null;
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
      sent = hash.digest('hex');
    } finally {
      await file.close();
    }
  }
  let failure: unknown;
  try {
    const content = (): ReadableStream<Uint8Array> => ReadableStream.from(chunks());
    await send(content(), content);
  } catch (error) {
    failure = error;
  }
  if (failure === undefined) return sent === digest;
  if (isGone(failure) || (sent !== null && sent !== digest)) return false;
  throw failure;
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ELOOP');
}
