import { readFile } from 'node:fs/promises';
import type { Clock } from '../../agent/clock.ts';
import { findAllMarked, type ProcessFamily } from './processes.ts';

const firstSampleMs = 250;
const sampleEveryMs = 2_000;

type Look = { readonly begun: number; readonly found: ReturnType<typeof findAllMarked> };

/**
 * The last look at all processes, which the attempts of one server share: with a look of its own for each of 200
 * attempts, each over a thousand processes, the server did nothing else.
 */
const looks = new WeakMap<Clock, Look>();

export type MemoryWatch = {
  /** The most that was seen so far; `null` where nothing was. */
  peak(): number | null;
  end(): void;
};

/** Samples the memory of an attempt's processes; Linux only, elsewhere the answer stays `null`. */
export function watchMemory(family: ProcessFamily, clock: Clock): MemoryWatch {
  let peak = 0;
  let over = process.platform !== 'linux';
  let cancel = (): void => {};

  async function sample(since: number): Promise<void> {
    const ids = (await lookSince(clock, since)).get(family.mark) ?? [];
    const sizes = await Promise.all(ids.map(readMemory));
    // Shares are added up (workers that were forked share most of theirs); no process alone was ever larger than its own peak.
    peak = Math.max(
      peak,
      sizes.reduce((sum, size) => sum + size.share, 0),
      ...sizes.map((size) => size.peak),
    );
  }
  const begun = clock.now();
  function plan(milliseconds: number): void {
    if (over) return;
    cancel = clock.after(milliseconds, () => {
      // Never one from before this attempt, which would not have its processes.
      void sample(Math.max(begun + firstSampleMs, clock.now() - sampleEveryMs))
        .catch(() => {}) // A look that failed is no look; the next one comes.
        .then(() => plan(sampleEveryMs));
    });
  }
  plan(firstSampleMs);
  return {
    peak: () => (peak > 0 ? peak : null),
    end() {
      over = true;
      cancel();
    },
  };
}

/** A look that was begun at this time or later: the last one, or one more. */
function lookSince(clock: Clock, since: number): Look['found'] {
  const last = looks.get(clock);
  const now = clock.now();
  // A clock that was set back makes none of the future count.
  if (last !== undefined && last.begun >= since && last.begun <= now) return last.found;
  const look = { begun: now, found: findAllMarked() };
  looks.set(clock, look);
  return look.found;
}

async function readMemory(id: number): Promise<{ share: number; peak: number }> {
  const [rollup, status] = await Promise.all(
    ['smaps_rollup', 'status'].map((name) => readFile(`/proc/${id}/${name}`, 'latin1').catch(() => '')),
  );
  return { share: kilobytes(rollup, /^Pss:\s+(\d+) kB/m), peak: kilobytes(status, /^VmHWM:\s+(\d+) kB/m) };
}

function kilobytes(text: string | undefined, field: RegExp): number {
  return Number(field.exec(text ?? '')?.[1] ?? 0) * 1024;
}
