import type { Clock } from '../clock.ts';
import type { EntryTalk } from './entry-talk.ts';

/** The first look comes early, for commands that are short. */
const firstLookMs = 100;
const lookEveryMs = 2_000;

/**
 * Asks the entry again and again what its container uses. The kernel's own peak counts page cache and so is the limit
 * as soon as a command writes large files; the most that was seen of the rest is what the command needed.
 */
export function watchUse(
  talk: EntryTalk,
  clock: Clock,
): {
  /** Bytes; null where nothing was seen. */
  peak(): number | null;
  end(): void;
} {
  let peak: number | null = null;
  const unlisten = talk.listen((word) => {
    if (word.kind === 'stat' && word.use.anonymous !== null) peak = Math.max(peak ?? 0, word.use.anonymous);
  });
  let cancel = (): void => {};
  const look = (nextMs: number): void => {
    cancel = clock.after(nextMs, () => {
      talk.say('stat');
      look(Math.min(nextMs * 2, lookEveryMs));
    });
  };
  look(firstLookMs);
  return {
    peak: () => peak,
    end() {
      cancel();
      unlisten();
    },
  };
}
