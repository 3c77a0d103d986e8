import { createHash, randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectWorkspace, type Collection } from '../src/agent/collect.ts';
import { noStates, type FileStates } from '../src/agent/file-states.ts';
import type { BenchOptions, Figures, Peers } from './figures.ts';
import { beside } from './peers/beside.ts';
import { dvcKnown, measureDvc } from './peers/dvc.ts';

const folders = 1_000;
/** As many as a user of DVC complained about. */
const filesBesidePeer = 2_000;
const changes = 10;

/**
 * A snapshot of 100,000 small files: the first, one of what has not changed, one after ten files changed; and how fast a
 * file of 5 GiB is hashed, beside what one core does with the same bytes in memory. The store has everything that was
 * sent once, and what is sent is thrown away: writing it is the store's figure.
 */
export async function benchSnapshot({ peers, short }: BenchOptions): Promise<Figures> {
  const ame = await measureAme(short ? 10_000 : 100_000, short ? 2 ** 28 : 5 * 2 ** 30);
  if (!peers) return ame;
  const { figures, peers: dvc } = await measureBesidePeer();
  return { ...ame, figures: { ...ame.figures, ...figures }, peers: dvc };
}

/** The same at fewer files, and DVC at those. */
async function measureBesidePeer(): Promise<{ readonly figures: Figures['figures']; readonly peers: Peers }> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  try {
    const small = join(directory, 'small');
    await makeSmallFiles(small, filesBesidePeer);
    const toChange = Array.from({ length: changes }, (_, at) => smallFile(small, at * 97));
    const peers = await beside(() => measureDvc(small, toChange), dvcKnown);
    await settle();
    const stored = new Set<string>();
    const first = await time(() => collect(small, noStates, stored));
    const again = await time(() => collect(small, first.value.states, stored));
    for (const path of toChange) await writeFile(path, 'changed for AME');
    const changed = await time(() => collect(small, again.value.states, stored));
    return {
      figures: {
        firstSecondsOf2000: round(first.seconds),
        unchangedSecondsOf2000: round(again.seconds),
        changedSecondsOf2000: round(changed.seconds),
      },
      peers,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measureAme(files: number, largeBytes: number): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  try {
    const small = join(directory, 'small');
    await makeSmallFiles(small, files);
    // A file touched within two seconds of a look is hashed again: the second look is of files older than that.
    await settle();
    const stored = new Set<string>();
    const first = await time(() => collect(small, noStates, stored));
    const again = await time(() => collect(small, first.value.states, stored));
    for (let at = 0; at < changes; at += 1) await writeFile(smallFile(small, at * 997), `changed ${at}`);
    const changed = await time(() => collect(small, again.value.states, stored));
    const large = join(directory, 'large');
    await makeLargeFile(large, largeBytes);
    const hashed = await time(() => collect(large, noStates, stored));
    const figures = {
      firstSeconds: round(first.seconds),
      unchangedSeconds: round(again.seconds),
      changedSeconds: round(changed.seconds),
      hashedAgain: changed.value.hashed,
      largeMibPerSecond: Math.round(largeBytes / 2 ** 20 / hashed.seconds),
      memoryMibPerSecond: Math.round(hashInMemory()),
    };
    const share = figures.largeMibPerSecond / figures.memoryMibPerSecond;
    return {
      name: 'snapshot',
      figures: { ...figures, shareOfMemory: round(share) },
      aims: { unchangedSeconds: '<= 0.5', changedSeconds: '<= 0.7', shareOfMemory: '>= 0.8' },
      met: figures.unchangedSeconds <= 0.5 && figures.changedSeconds <= 0.7 && share >= 0.8,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function collect(directory: string, known: FileStates, stored: Set<string>): Promise<Collection> {
  return collectWorkspace({
    directory,
    known,
    attempt: 1,
    now: Date.now,
    put: async (_path, digest) => {
      stored.add(digest);
      return true;
    },
    door: {
      missingBlobs: async (_attempt, digests) => new Set(digests.filter((digest) => !stored.has(digest))),
      writeBlob: async (_attempt, digest, content) => {
        await content.cancel();
        stored.add(digest);
      },
    },
  });
}

function smallFile(directory: string, at: number): string {
  return join(directory, `d${at % folders}`, `f${at}`);
}

async function makeSmallFiles(directory: string, count: number): Promise<void> {
  for (let folder = 0; folder < folders; folder += 1) {
    await mkdir(join(directory, `d${folder}`), { recursive: true });
    const own = Array.from({ length: count / folders }, (_, at) => folder + at * folders);
    await Promise.all(own.map((at) => writeFile(smallFile(directory, at), `content of ${at}`)));
  }
}

async function makeLargeFile(directory: string, bytes: number): Promise<void> {
  await mkdir(directory);
  const file = await open(join(directory, 'model.bin'), 'w');
  try {
    const piece = randomFillSync(Buffer.alloc(2 ** 24));
    for (let written = 0; written < bytes; written += piece.byteLength) {
      piece.writeUInt32LE(written / piece.byteLength);
      await file.write(piece);
    }
  } finally {
    await file.close();
  }
}

/** MiB a second that one core hashes without a file. */
function hashInMemory(): number {
  const piece = randomFillSync(Buffer.alloc(2 ** 24));
  const hash = createHash('sha256');
  const from = performance.now();
  for (let at = 0; at < 64; at += 1) hash.update(piece);
  hash.digest();
  return (64 * 16 * 1_000) / (performance.now() - from);
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2_500));
}

async function time<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly seconds: number }> {
  const from = performance.now();
  const value = await work();
  return { value, seconds: (performance.now() - from) / 1_000 };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
