// A hostile file has a hundred thousand names; nobody misspelt one of those.
const mostCandidates = 1000;

/** Names to choose from, made ready once for many questions. `letters` has a bit for each letter that occurs. */
export type Candidates = readonly {
  readonly name: string;
  readonly bare: string;
  readonly letters: number;
}[];

/** Names made ready for `findClosest`; those after the first thousand are left out. */
export function candidatesOf(names: readonly string[]): Candidates {
  return names.slice(0, mostCandidates).map((name) => {
    const bare = stripped(name);
    return { name, bare, letters: lettersOf(bare) };
  });
}

/**
 * The name that was probably meant, or `null` where none is near: the same letters apart from case and
 * separators, else the fewest letters to change, at most a third of them.
 */
export function closest(written: string, names: readonly string[]): string | null {
  return findClosest(written, candidatesOf(names)).names[0] ?? null;
}

/** Every name that is as near as the nearest one, in their order, and how many letters differ; none where none is near. */
export function findClosest(
  written: string,
  candidates: Candidates,
): { readonly names: readonly string[]; readonly edits: number } {
  if (written.length > 64) return { names: [], edits: 0 };
  const bare = stripped(written);
  const letters = lettersOf(bare);
  let fewest = Math.max(1, Math.floor(Math.max(bare.length, 3) / 3));
  const widest = fewest + 2;
  let names: string[] = [];
  for (const candidate of candidates) {
    if (Math.abs(candidate.name.length - written.length) > widest) continue;
    // Each letter that only one of them has costs at least one change; most names end here.
    if (countBits(letters & ~candidate.letters) > fewest) continue;
    if (countBits(candidate.letters & ~letters) > fewest) continue;
    const edits = distance(bare, candidate.bare, fewest);
    if (edits > fewest) continue;
    if (edits < fewest) names = [];
    names.push(candidate.name);
    fewest = edits;
  }
  return { names, edits: fewest };
}

function stripped(name: string): string {
  return name.toLowerCase().replaceAll(/[-_. ]/gu, '');
}

/** Letters share 32 bits: two that fall together only make names look nearer than they are. */
function lettersOf(bare: string): number {
  let letters = 0;
  for (let at = 0; at < bare.length; at += 1) letters |= 1 << (bare.charCodeAt(at) & 31);
  return letters;
}

function countBits(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
/** Letters to insert, delete, change or swap with their neighbour to turn one text into the other; more than `most` are not counted. */
function distance(from: string, to: string, most: number): number {
  if (from === to) return 0;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    let fewest = row;
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from.charCodeAt(row - 1) === to.charCodeAt(column - 1);
      let edits = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      const isSwapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwapped) edits = Math.min(edits, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(edits);
      if (edits < fewest) fewest = edits;
    }
    if (fewest > most) return most + 1;
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length] ?? from.length;
}
