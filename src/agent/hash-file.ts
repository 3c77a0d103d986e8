import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Digest } from '../core/snapshot.ts';
import { sameState, stateOf, type FileState } from './file-states.ts';

// One for the thread: a walk hashes one file at a time, and memory must not grow with their sizes.
const buffer = Buffer.allocUnsafeSlow(1024 * 1024);

/** Tries for a file that changes while it is read. After that the upload finds out that it still does. */
const tries = 3;

/**
 * Hashes a file and says in which state it was. Follows no link, and waits for nobody where a pipe took the file's
 * place. A file that grows is read up to the length it had. Throws the system's errors; ENOTDIR for no file.
 */
export function hashFile(path: Buffer): {
  readonly digest: Digest;
  readonly size: number;
  readonly state: FileState;
} {
  const handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    for (let left = tries - 1; ; left -= 1) {
      const before = fstatSync(handle, { bigint: true });
      if (!before.isFile()) throw Object.assign(new Error('not a file any more'), { code: 'ENOTDIR' });
      const hash = createHash('sha256');
      const size = readInto(hash, handle, Number(before.size));
      const after = fstatSync(handle, { bigint: true });
      if (sameState(before, after) || left === 0)
        return { digest: hash.digest('hex'), size, state: stateOf(after) };
    }
  } finally {
    closeSync(handle);
  }
}

function readInto(hash: ReturnType<typeof createHash>, handle: number, length: number): number {
  let size = 0;
  while (size < length) {
    const read = readSync(handle, buffer, 0, Math.min(buffer.length, length - size), size);
    if (read === 0) break;
    hash.update(buffer.subarray(0, read));
    size += read;
  }
  return size;
}
