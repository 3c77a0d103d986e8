import type { Position } from '../project.ts';

/** Line and column, from 1, of an offset. */
export type Locate = (offset: number) => Position;

/** By how many columns lines were moved to the right; problems are shown where the line really stands. */
export type Shifts = ReadonlyMap<number, number>;

/** The offset at which each line begins. */
export function startsOfLines(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/**
 * Finds places in a text. (The parser's own line counter misses lines where it gives up on broken text, so that
 * places came out behind the ends of their lines.)
 */
export function locator(text: string, shifts: Shifts): Locate {
  const starts = startsOfLines(text);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    const column = offset - (starts[low] ?? 0) + 1 - (shifts.get(low + 1) ?? 0);
    return { line: low + 1, column: Math.max(1, column) };
  };
}
