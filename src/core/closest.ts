// A hostile file has a hundred thousand names; nobody misspelt one of those.
const mostCandidates = 1000;

/**
 * The name that was probably meant, or `null` where none is near: the same letters apart from case and
 * separators, else the fewest letters to change, at most a third of them.
 */
export function closest(written: string, candidates: readonly string[]): string | null {
  if (written.length > 64) return null;
  const bare = stripped(written);
  const most = Math.max(1, Math.floor(Math.max(bare.length, 3) / 3));
  let best: string | null = null;
  let fewest = most + 1;
  for (const name of candidates.slice(0, mostCandidates)) {
    if (Math.abs(name.length - written.length) > most + 2) continue;
    const edits = distance(bare, stripped(name), fewest);
    if (edits < fewest) {
      best = name;
      fewest = edits;
    }
  }
  return best;
}

function stripped(name: string): string {
  return name.toLowerCase().replaceAll(/[-_. ]/gu, '');
}

/** Letters to insert, delete, change or swap with their neighbour to turn one text into the other; more than `most` are not counted. */
function distance(from: string, to: string, most: number): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      let edits = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      const isSwapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwapped) edits = Math.min(edits, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(edits);
    }
    if (Math.min(...current) > most) return most + 1;
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length] ?? from.length;
}
