import { readFile } from 'node:fs/promises';
import type { Clock } from '../../agent/clock.ts';
import { findProcesses, type ProcessFamily } from './processes.ts';

const firstSampleMs = 250;
const sampleEveryMs = 2_000;

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

  async function sample(): Promise<void> {
    const ids = await findProcesses(family);
    const sizes = await Promise.all(ids.map(readMemory));
    // Shares are added up (workers that were forked share most of theirs); no process alone was ever larger than its own peak.
    peak = Math.max(
      peak,
      sizes.reduce((sum, size) => sum + size.share, 0),
      ...sizes.map((size) => size.peak),
    );
  }
  function plan(milliseconds: number): void {
    if (over) return;
    cancel = clock.after(milliseconds, () => {
      void sample()
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

async function readMemory(id: number): Promise<{ share: number; peak: number }> {
  const [rollup, status] = await Promise.all(
    ['smaps_rollup', 'status'].map((name) => readFile(`/proc/${id}/${name}`, 'latin1').catch(() => '')),
  );
  return { share: kilobytes(rollup, /^Pss:\s+(\d+) kB/m), peak: kilobytes(status, /^VmHWM:\s+(\d+) kB/m) };
}

function kilobytes(text: string | undefined, field: RegExp): number {
  return Number(field.exec(text ?? '')?.[1] ?? 0) * 1024;
}
