import { PassThrough } from 'node:stream';
import {
  AttemptOverError,
  type AttemptDoor,
  type AttemptInput,
  type AttemptOrder,
  type AttemptReport,
  type LogChunk,
} from '../../src/core/attempt.ts';
import { createLog, type Log } from '../../src/log.ts';

/** What a door was told about one attempt, with promises for what tests wait for. */
export type Told = {
  readonly chunks: LogChunk[];
  readonly started: PromiseWithResolvers<Date>;
  readonly finished: PromiseWithResolvers<AttemptReport>;
  over: boolean;
};

export type MemoryDoor = AttemptDoor & {
  of(attempt: number): Told;
  /** Everything that a stream printed. */
  text(attempt: number, stream: 0 | 1 | 2): string;
  /** Resolves once that stream's text contains the words. */
  printed(attempt: number, words: string): Promise<void>;
};

/** A door that keeps everything in memory; single answers can be replaced. */
export function createMemoryDoor(
  input: Partial<AttemptInput> = {},
  replaced: Partial<AttemptDoor> = {},
): MemoryDoor {
  const attempts = new Map<number, Told>();
  const waiters = new Set<() => void>();
  const of = (attempt: number): Told => {
    const told = attempts.get(attempt) ?? {
      chunks: [],
      started: Promise.withResolvers<Date>(),
      finished: Promise.withResolvers<AttemptReport>(),
      over: false,
    };
    attempts.set(attempt, told);
    return told;
  };
  const living = (attempt: number): Told => {
    const told = of(attempt);
    if (told.over) throw new AttemptOverError(`attempt ${attempt} is over`);
    return told;
  };
  const text = (attempt: number, stream: 0 | 1 | 2): string => textOf(of(attempt).chunks, stream);

  return {
    async input(attempt) {
      living(attempt);
      return { script: '', root: '0'.repeat(64), secrets: [], artifacts: null, ...input };
    },
    readBlob: () => Promise.reject(new Error('no blobs here')),
    missingBlobs: () => Promise.resolve(new Set()),
    writeBlob: () => Promise.resolve(),
    async started(attempt, at) {
      living(attempt).started.resolve(at);
    },
    async appendLog(attempt, chunk) {
      living(attempt).chunks.push(chunk);
      for (const check of waiters) check();
    },
    async finish(attempt, report) {
      living(attempt).finished.resolve(report);
    },
    ...replaced,
    of,
    text,
    printed: (attempt, words) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!text(attempt, 1).includes(words) && !text(attempt, 2).includes(words)) return;
          waiters.delete(check);
          resolve();
        };
        waiters.add(check);
        check();
      }),
  };
}

export function textOf(chunks: readonly LogChunk[], stream: 0 | 1 | 2): string {
  return Buffer.concat(
    linesOf(chunks).flatMap((line) => (line.stream === stream ? [line.bytes] : [])),
  ).toString();
}

export function linesOf(
  chunks: readonly LogChunk[],
): readonly { stream: number; at: number; bytes: Uint8Array }[] {
  return chunks.flatMap((chunk) => {
    let from = 0;
    return chunk.lines.map(([stream, at, length]) => {
      from += length;
      return { stream, at, bytes: chunk.bytes.subarray(from - length, from) };
    });
  });
}

export function attemptOrder(id: number, script: string, changes: Partial<AttemptOrder> = {}): AttemptOrder {
  return {
    id,
    run: { id: 1, number: 7 },
    project: 'spam',
    projectId: 1,
    task: 'train',
    number: 1,
    commit: 'c'.repeat(40),
    ref: 'refs/heads/main',
    script,
    env: [],
    resources: { cpu: null, memory: null, storage: null, gpus: null, vram: null },
    secrets: [],
    asked: {
      cpu: { millis: 1_000, limited: false },
      memory: { bytes: 2 ** 31, ceilingBytes: 2 ** 32 },
      storageBytes: 2 ** 30,
      gpus: 0,
      vramMib: null,
    },
    image: null,
    timeout: 3_600,
    inheritedBytes: 0,
    ...changes,
  };
}

/** Fails nothing and prints nothing. */
export const quietLog: Log = createLog('silent', new PassThrough().resume());
