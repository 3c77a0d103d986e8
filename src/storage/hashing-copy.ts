import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Digest } from '../core/snapshot.ts';
import { chunkBytes } from './file-stream.ts';

/** What was copied. */
export type Copied = { readonly digest: Digest; readonly size: number };

/** Hashes a stream, and writes it to a file where one is given. Holds one chunk at a time. */
export async function copyStream(
  content: ReadableStream<Uint8Array>,
  file: FileHandle | null,
): Promise<Copied> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    if (file !== null) await writeAll(file, chunk, size);
    size += chunk.length;
  }
  return { digest: hash.digest('hex'), size };
}

/**
 * Hashes an open file while it is copied into another, up to the length that it has now: one that somebody keeps
 * writing to has no other end. Holds one chunk at a time.
 */
export async function copyFileContent(source: FileHandle, file: FileHandle): Promise<Copied> {
  const hash = createHash('sha256');
  const { size: length } = await source.stat();
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, length));
  let size = 0;
  while (size < length) {
    const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, length - size), size);
    if (bytesRead === 0) break;
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    await writeAll(file, chunk, size);
    size += bytesRead;
  }
  return { digest: hash.digest('hex'), size };
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
}
