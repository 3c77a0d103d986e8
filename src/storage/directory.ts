import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDigest, type Digest } from '../core/snapshot.ts';
import { createDirectorySync } from './directory-sync.ts';
import { streamFile } from './file-stream.ts';
import { copyFileContent, copyStream, type Copied } from './hashing-copy.ts';
import { BlobMismatchError, BlobMissingError } from '../core/blob.ts';
import type { Storage } from './storage.ts';
import { prepareTemporaryFiles, temporaryName } from './temporary-files.ts';

/** Content in a directory of this machine, with two short ways for those who live on it too. */
export type DirectoryStorage = Storage & {
  /**
   * Makes a new file with this content and mode: a reflink where the file system has them, else a copy. Never a
   * hard link, through which a task would change what is stored. Throws `BlobMissingError`.
   */
  place(digest: Digest, path: string | Buffer, mode: number): Promise<void>;
  /**
   * Stores the content of a file, which may still be changing: what is stored is what was hashed. With `digest`,
   * what is there already is not read, and other content throws `BlobMismatchError`. Follows no link.
   */
  adopt(path: string | Buffer, digest?: Digest): Promise<Copied>;
};

// The mode that a copy gets for nothing when it is made: that of most files. The root keeps strangers out.
const blobMode = 0o644;

/**
 * Content below `root`, which is made where it is missing: `blobs/ab/abcd…`, and `incoming` for what is not whole
 * yet. A blob appears by one rename, after its bytes are on disk and their digest is known to be right, so
 * neither a crash nor any number of writers can leave a wrong one. Reads and writes hold one chunk at a time.
 */
export async function openDirectoryStorage(root: string): Promise<DirectoryStorage> {
  const incoming = join(root, 'incoming');
  const blobs = join(root, 'blobs');
  const syncDirectory = createDirectorySync();
  await mkdir(blobs, { recursive: true, mode: 0o700 });
  await syncDirectory(root);
  await prepareTemporaryFiles(incoming);

  const shards = new Map<string, Promise<void>>();
  const makeShard = async (shard: string) => {
    if ((await mkdir(shard, { recursive: true, mode: 0o700 })) !== undefined) await syncDirectory(blobs);
  };
  /** Each is made when it is first written to: all 256 at once took a quarter of a second on a busy disk. */
  const shardFor = async (path: string) => {
    const shard = dirname(path);
    const made = shards.get(shard) ?? makeShard(shard);
    shards.set(shard, made);
    try {
      await made;
    } catch (error) {
      shards.delete(shard);
      throw error;
    }
    return shard;
  };

  const pathOf = (digest: Digest) => {
    // Digests come from outside, and this one becomes a path.
    if (!isDigest(digest)) throw new BlobMissingError(`not a digest: ${JSON.stringify(digest)}`);
    return join(blobs, digest.slice(0, 2), digest);
  };

  const sizeOf = async (digest: Digest) => (await unlessAbsent(stat(pathOf(digest))))?.size;

  /** Makes a blob of a temporary file once `fill` has written and hashed it. */
  const keep = async (expected: Digest | undefined, fill: (file: FileHandle) => Promise<Copied>) => {
    const temporary = temporaryName(incoming);
    try {
      const copied = await fillFile(temporary, expected, fill);
      const path = pathOf(copied.digest);
      const shard = await shardFor(path);
      await rename(temporary, path);
      await syncDirectory(shard);
      return copied;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  };

  return {
    async has(digest) {
      return (await sizeOf(digest)) !== undefined;
    },

    async present(digests) {
      const found = new Set<Digest>();
      for (const digest of new Set(digests)) if ((await sizeOf(digest)) !== undefined) found.add(digest);
      return found;
    },

    async read(digest, range) {
      const file = await unlessAbsent(open(pathOf(digest), 'r'));
      if (file === undefined) throw new BlobMissingError(`no content ${digest}`);
      const { size } = await file.stat();
      return streamFile(file, range?.from ?? 0, Math.min(range?.to ?? size, size - 1));
    },

    async write(digest, content) {
      if ((await sizeOf(digest)) === undefined)
        return (await keep(digest, (file) => copyStream(content, file))).size;
      // Hashed all the same: whoever names a digest must have its bytes, or could claim those of others.
      const copied = await copyStream(content, null);
      checkDigest(digest, copied);
      return copied.size;
    },

    async remove(digest) {
      await rm(pathOf(digest), { force: true });
    },

    async list(digits) {
      const names = (await unlessAbsent(readdir(join(blobs, digits)))) ?? [];
      const found: { digest: Digest; size: number }[] = [];
      for (const digest of names.filter(isDigest)) {
        const size = await sizeOf(digest);
        if (size !== undefined) found.push({ digest, size });
      }
      return found;
    },

    async place(digest, path, mode) {
      try {
        await copyFile(pathOf(digest), path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      } catch (error) {
        if (isAbsence(error) && (await sizeOf(digest)) === undefined)
          throw new BlobMissingError(`no content ${digest}`, { cause: error });
        throw error;
      }
      if (mode !== blobMode) await chmod(path, mode);
    },

    async adopt(path, digest) {
      const size = digest === undefined ? undefined : await sizeOf(digest);
      if (digest !== undefined && size !== undefined) return { digest, size };
      // NONBLOCK: opening a pipe that took the file's place must not wait for a writer.
      const source = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        if (!(await source.stat()).isFile()) throw new BlobMismatchError('only files can be stored');
        return await keep(digest, (file) => copyFileContent(source, file));
      } finally {
        await source.close();
      }
    },
  };
}

async function fillFile(
  path: string,
  expected: Digest | undefined,
  fill: (file: FileHandle) => Promise<Copied>,
): Promise<Copied> {
  const file = await open(path, 'wx', blobMode);
  try {
    const copied = await fill(file);
    if (expected !== undefined) checkDigest(expected, copied);
    // The umask took its part of the mode when the file was made.
    await file.chmod(blobMode);
    await file.sync();
    return copied;
  } finally {
    await file.close();
  }
}

function checkDigest(expected: Digest, { digest }: Copied): void {
  if (digest !== expected) throw new BlobMismatchError(`content of ${digest} was offered as ${expected}`);
}

async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
