import { and, asc, desc, eq, gt, sql } from 'drizzle-orm';
import type { LogChunk } from '../core/attempt.ts';
import type { Db } from './connect.ts';
import { logArchives, logChunks } from './schema/content.ts';
import { attempts } from './schema/runs.ts';

/** Stores a chunk; one that is there already stays. Tells followers in every process. */
export async function insertLogChunk(db: Db, attemptId: number, chunk: LogChunk): Promise<void> {
  await db.orm
    .insert(logChunks)
    .values({ attemptId, ...chunk, length: chunk.bytes.byteLength })
    .onConflictDoNothing();
  await db.orm.execute(sql`select pg_notify('ame', ${`log:${attemptId}`})`);
}

/** The chunk that holds the byte at `offset` and those after it, in order, at most `limit` chunks. */
export async function listLogChunks(
  db: Db,
  attemptId: number,
  options: { readonly offset: number; readonly limit: number },
): Promise<readonly LogChunk[]> {
  const { seq, firstLine, offset, bytes, lines } = logChunks;
  return db.orm
    .select({ seq, firstLine, offset, bytes, lines })
    .from(logChunks)
    .where(
      and(
        eq(logChunks.attemptId, attemptId),
        gt(sql`${logChunks.offset} + ${logChunks.length}`, options.offset),
      ),
    )
    .orderBy(asc(logChunks.seq))
    .limit(options.limit);
}

/** Bytes and lines of the log so far. */
export async function logSize(
  db: Db,
  attemptId: number,
): Promise<{ readonly bytes: number; readonly lines: number }> {
  const [last] = await db.orm
    .select()
    .from(logChunks)
    .where(eq(logChunks.attemptId, attemptId))
    .orderBy(desc(logChunks.seq))
    .limit(1);
  return last
    ? { bytes: last.offset + last.length, lines: last.firstLine + last.lines.length }
    : { bytes: 0, lines: 0 };
}

/** The chunks that hold the last `bytes` bytes, in order. Never more of them than bytes. */
export async function logTail(db: Db, attemptId: number, bytes: number): Promise<readonly LogChunk[]> {
  const size = await logSize(db, attemptId);
  return size.bytes === 0
    ? []
    : listLogChunks(db, attemptId, { offset: Math.max(0, size.bytes - bytes), limit: bytes });
}

export type LogArchive = typeof logArchives.$inferSelect;

export async function findLogArchive(db: Db, attemptId: number): Promise<LogArchive | undefined> {
  const [row] = await db.orm.select().from(logArchives).where(eq(logArchives.attemptId, attemptId));
  return row;
}

/** Puts the archive of a log in the place of its rows; to be called in a transaction. */
export async function replaceLogChunks(db: Db, archive: LogArchive): Promise<void> {
  await db.orm.insert(logArchives).values(archive).onConflictDoNothing();
  await db.orm.delete(logChunks).where(eq(logChunks.attemptId, archive.attemptId));
}

/** Attempts of a run that are over and still have rows of log. */
export async function listUnarchivedLogs(db: Db, runId: number): Promise<readonly number[]> {
  const rows = await db.orm
    .selectDistinct({ id: attempts.id })
    .from(attempts)
    .innerJoin(logChunks, eq(logChunks.attemptId, attempts.id))
    .where(eq(attempts.runId, runId));
  return rows.map((row) => row.id);
}
