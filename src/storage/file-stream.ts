import type { FileHandle } from 'node:fs/promises';

/** Large enough that a call costs little beside its bytes, small enough for hundreds of streams at once. */
export const chunkBytes = 256 * 1024;

/**
 * The bytes `from` to `to` (both included) of an open file, which is closed at the end. Reads one chunk when it
 * is asked for one: `Readable.toWeb` counts its buffer in chunks and reads a large file far ahead of its reader.
 */
export function streamFile(file: FileHandle, from: number, to: number): ReadableStream<Uint8Array> {
  let at = from;
  const finish = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    await file.close();
    controller.close();
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (at > to) return finish(controller);
        try {
          const length = Math.min(chunkBytes, to - at + 1);
          const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, at);
          if (bytesRead === 0) throw new Error('a file ended before its length');
          controller.enqueue(buffer.subarray(0, bytesRead));
          at += bytesRead;
        } catch (error) {
          await file.close();
          throw error;
        }
        if (at > to) await finish(controller);
      },
      async cancel() {
        await file.close();
      },
    },
    { highWaterMark: 0 },
  );
}
