import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LogChunk } from '../../src/core/attempt.ts';
import { listAttempts } from '../../src/db/attempts.ts';
import { insertBlobs } from '../../src/db/blobs.ts';
import {
  findLogArchive,
  insertLogChunk,
  listLogChunks,
  listUnarchivedLogs,
  logSize,
  replaceLogChunks,
} from '../../src/db/logs.ts';
import { connectTestDatabase, storeProject, storeRun, type Connected, type Home } from './connected.ts';

let connected: Connected;
let home: Home;

beforeAll(async () => {
  connected = await connectTestDatabase();
  home = await storeProject(connected);
});

afterAll(() => connected.close());

async function newAttempt(): Promise<{ run: number; attempt: number }> {
  const run = await storeRun(connected, home);
  const [attempt] = await listAttempts(connected.db, run.id);
  return { run: run.id, attempt: attempt?.id ?? 0 };
}

/** Chunks of so many bytes each, one line a chunk. */
function chunksOf(...sizes: readonly number[]): readonly LogChunk[] {
  let offset = 0;
  return sizes.map((size, seq) => {
    const lines: LogChunk['lines'] = [[1, 1_777_636_800_000 + seq, size]];
    const chunk = { seq, firstLine: seq, offset, bytes: Buffer.alloc(size, seq + 1), lines };
    offset += size;
    return chunk;
  });
}

test('chunks come back in order from the one that holds a byte on', async () => {
  const { db } = connected;
  const { attempt } = await newAttempt();
  const chunks = chunksOf(5, 262_144, 1, 10);
  // In any order, and some twice.
  for (const at of [2, 0, 3, 1, 2, 0])
    await insertLogChunk(db, attempt, chunks[at] ?? chunksOf(1)[0] ?? never());
  const from = async (offset: number, limit = 9): Promise<number[]> =>
    (await listLogChunks(db, attempt, { offset, limit })).map(({ seq }) => seq);
  expect(await listLogChunks(db, attempt, { offset: 0, limit: 9 })).toEqual(chunks);
  expect(await from(4)).toEqual([0, 1, 2, 3]);
  expect(await from(5)).toEqual([1, 2, 3]);
  expect(await from(262_148)).toEqual([1, 2, 3]);
  expect(await from(262_149)).toEqual([2, 3]);
  expect(await from(262_159)).toEqual([3]);
  expect(await from(262_160)).toEqual([]);
  expect(await from(0, 2)).toEqual([0, 1]);
  expect(await logSize(db, attempt)).toEqual({ bytes: 262_160, lines: 4 });
});

function never(): never {
  throw new Error('there is no such chunk');
}

test('a chunk that is sent again stays as it was', async () => {
  const { db } = connected;
  const { attempt } = await newAttempt();
  const [chunk] = chunksOf(3);
  if (!chunk) never();
  await insertLogChunk(db, attempt, chunk);
  await insertLogChunk(db, attempt, { ...chunk, bytes: Buffer.from('xxx') });
  expect(await listLogChunks(db, attempt, { offset: 0, limit: 9 })).toEqual([chunk]);
});

test('one that is too large is refused', async () => {
  const { attempt } = await newAttempt();
  const [chunk] = chunksOf(262_145);
  if (!chunk) never();
  await expect(insertLogChunk(connected.db, attempt, chunk)).rejects.toMatchObject({
    cause: { constraint: 'log_chunks_length' },
  });
});

test('followers in other processes are told', async () => {
  const { attempt } = await newAttempt();
  const listener = new Client({ connectionString: connected.url });
  await listener.connect();
  const told = new Promise<string>((resolve) =>
    listener.on('notification', (message) => resolve(message.payload ?? '')),
  );
  await listener.query('listen ame');
  const [chunk] = chunksOf(3);
  if (chunk) await insertLogChunk(connected.db, attempt, chunk);
  expect(await told).toBe(`log:${attempt}`);
  await listener.end();
});

test('an archive takes the place of the rows, once', async () => {
  const { db } = connected;
  const { run, attempt } = await newAttempt();
  for (const chunk of chunksOf(3, 4)) await insertLogChunk(db, attempt, chunk);
  expect(await listUnarchivedLogs(db, run)).toEqual([attempt]);
  const digest = 'd'.repeat(64);
  await insertBlobs(db, home.repositoryId, [{ digest, size: 50 }]);
  const archive = {
    attemptId: attempt,
    digest,
    bytes: 7,
    lines: 2,
    index: [
      [0, 0, 25],
      [3, 25, 50],
    ] as const,
  };
  await replaceLogChunks(db, archive);
  await replaceLogChunks(db, { ...archive, bytes: 8 });
  expect(await findLogArchive(db, attempt)).toEqual(archive);
  expect(await listLogChunks(db, attempt, { offset: 0, limit: 9 })).toEqual([]);
  expect(await listUnarchivedLogs(db, run)).toEqual([]);
  expect(await logSize(db, attempt)).toEqual({ bytes: 0, lines: 0 });
});
