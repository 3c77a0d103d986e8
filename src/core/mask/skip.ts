/**
 * Where none of many patterns can begin, found without looking at each byte: by Wu and Manber, with the two last bytes
 * of a window as long as the shortest pattern.
 */
export type Skip = {
  /** Length of the shortest pattern, at most `longestWindow`. */
  readonly window: number;
  /** By the slot of two bytes: how far a window that ends with them may move on before a pattern can begin with it. */
  readonly shifts: Uint8Array;
};

/** A longer window skips more, and is paid for by more pairs that stand in the way. */
const longestWindow = 16;

/** Two pairs in one slot only make skips shorter. As large as stays in the nearest cache of a processor. */
const slots = 2 ** 14;

/** Null where a pattern is too short for anything to be skipped. */
export function buildSkip(patterns: readonly Uint8Array[]): Skip | null {
  const window = patterns.reduce((least, { length }) => Math.min(least, length), longestWindow);
  if (window < 2) return null;
  const shifts = new Uint8Array(slots).fill(window - 1);
  for (const pattern of patterns) {
    for (let end = 1; end < window; end += 1) {
      const slot = slotOf(pattern[end - 1] ?? 0, pattern[end] ?? 0);
      shifts[slot] = Math.min(shifts[slot] ?? 0, window - 1 - end);
    }
  }
  return { window, shifts };
}

/** The first place at or behind `from` where a pattern may begin, or where the data's end leaves that open. */
export function skipFrom({ window, shifts }: Skip, data: Uint8Array, from: number): number {
  const last = data.length - window;
  let at = from;
  while (at <= last) {
    const end = at + window - 1;
    const shift = shifts[slotOf(data[end - 1] ?? 0, data[end] ?? 0)] ?? 0;
    if (shift === 0) return at;
    at += shift;
  }
  return at;
}

function slotOf(before: number, byte: number): number {
  return (before << 6) ^ byte;
}
