import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { LogChunk } from '../core/attempt.ts';
import { insertBlobs } from '../db/blobs.ts';
import { inTransaction, type Db } from '../db/connect.ts';
import { findLogArchive, listLogChunks, logSize, replaceLogChunks, type LogArchive } from '../db/logs.ts';
import type { Storage } from '../storage/storage.ts';
import { isKept } from './trees.ts';

/** Logs of attempts: rows while they are young, one compressed blob each afterwards. Both read the same. */
export type LogSource = { readonly db: Db; readonly storage: Storage };

const compress = promisify(gzip);
const expand = promisify(gunzip);

/** The chunk that holds the byte at `offset` and those after it, in order, at most `limit` chunks. */
export async function readLogChunks(
  { db, storage }: LogSource,
  attemptId: number,
  options: { readonly offset: number; readonly limit: number },
): Promise<readonly LogChunk[]> {
  const rows = await listLogChunks(db, attemptId, options);
  if (rows.length > 0) return rows;
  const archive = await findLogArchive(db, attemptId);
  if (!archive) return [];
  const wanted = archive.index.filter(
    (_, at) => (archive.index[at + 1]?.[0] ?? archive.bytes) > options.offset,
  );
  return Promise.all(
    wanted.slice(0, options.limit).map(([, from, to]) => readChunk(storage, archive.digest, from, to)),
  );
}

/** Bytes and lines of the log so far. */
export async function readLogSize(
  { db }: LogSource,
  attemptId: number,
): Promise<{ readonly bytes: number; readonly lines: number }> {
  const archive = await findLogArchive(db, attemptId);
  return archive ? { bytes: archive.bytes, lines: archive.lines } : logSize(db, attemptId);
}

/**
 * Turns the rows of a log that is complete into one blob of compressed chunks, each of which can be read alone.
 * Holds one chunk at a time. Done again after a crash it makes the same blob.
 */
export async function archiveLog(
  source: LogSource & { readonly temporary: string },
  attempt: { readonly id: number; readonly repositoryId: number },
): Promise<void> {
  const { db, storage, temporary } = source;
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  const path = join(temporary, randomUUID());
  const file = await open(path, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    const index: [offset: number, from: number, to: number][] = [];
    let [size, bytes, lines] = [0, 0, 0];
    for (;;) {
      const [chunk] = await listLogChunks(db, attempt.id, { offset: bytes, limit: 1 });
      if (!chunk) break;
      const packed = await compress(encodeChunk(chunk));
      await file.writeFile(packed);
      hash.update(packed);
      index.push([chunk.offset, size, size + packed.byteLength]);
      size += packed.byteLength;
      bytes = chunk.offset + chunk.bytes.byteLength;
      lines = chunk.firstLine + chunk.lines.length;
    }
    await file.close();
    if (index.length === 0) return;
    const digest = hash.digest('hex');
    if (!(await isKept(source, digest))) await storage.write(digest, Readable.toWeb(createReadStream(path)));
    const archive: LogArchive = { attemptId: attempt.id, digest, bytes, lines, index };
    await inTransaction(db, async (tx) => {
      await insertBlobs(tx, attempt.repositoryId, [{ digest, size }]);
      await replaceLogChunks(tx, archive);
    });
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

/** The length of a head in JSON, the head, the bytes. */
function encodeChunk({ bytes, ...head }: LogChunk): Buffer {
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.byteLength);
  return Buffer.concat([length, json, bytes]);
}

async function readChunk(storage: Storage, digest: string, from: number, to: number): Promise<LogChunk> {
  const packed = await Array.fromAsync(await storage.read(digest, { from, to: to - 1 }));
  const whole = await expand(Buffer.concat(packed));
  const end = 4 + whole.readUInt32BE(0);
  const head: Omit<LogChunk, 'bytes'> = JSON.parse(whole.toString('utf8', 4, end));
  return { ...head, bytes: whole.subarray(end) };
}
