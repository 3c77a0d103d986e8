import { createRandom } from '../random.ts';
import type { Journey } from './journey.ts';
import { openCommits } from './commits.ts';
import { ways, type Fault, type Point } from './points.ts';

/** Faults of which a journey came to another end, and what that was. */
export type Fallen = { readonly journey: string; readonly faults: readonly Fault[]; readonly why: string };

export type Tried = {
  /** Sets of faults that were tried, and faults that came about in them. */
  readonly tried: number;
  readonly cameAbout: readonly Fault[];
  readonly restarts: number;
  readonly fallen: readonly Fallen[];
};

/** Times that one and the same place is counted as another point: the hundredth file read is no other than the third. */
export const mostTimes = 3;

/** The points of a journey that goes well, each place at most `mostTimes` times. */
export function pointsOf(met: readonly Point[]): readonly Point[] {
  return [...new Set(met)].filter((point) => Number(/#(\d+)$/.exec(point)?.[1]) <= mostTimes);
}

/** Every point in every way, in an order that the seed decides. */
export function everyFault(points: readonly Point[], seed: number): readonly Fault[] {
  const random = createRandom(seed);
  return points
    .flatMap((point) => ways.map((way) => ({ point, way, rank: random.below(2 ** 30) })))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ point, way }) => ({ point, way }));
}

/** Plays a journey with each set of faults, several at once, until all are tried or the time is over. */
export async function tryFaults(
  journey: Journey,
  wanted: readonly string[],
  sets: readonly (readonly Fault[])[],
  { atOnce = 4, until = Infinity }: { readonly atOnce?: number; readonly until?: number } = {},
): Promise<Tried> {
  await using commits = openCommits();
  const ground = { commit: commits.copy };
  const fallen: Fallen[] = [];
  const queue = sets.values();
  const cameAbout: Fault[] = [];
  let [tried, restarts] = [0, 0];
  const work = async (): Promise<void> => {
    for (const faults of queue) {
      if (performance.now() > until) return;
      tried += 1;
      try {
        const played = await journey.play(faults, ground);
        cameAbout.push(...played.done);
        restarts += played.restarts;
        if (played.end.join('\n') !== wanted.join('\n'))
          fallen.push({ journey: journey.name, faults, why: played.end.join('\n') });
      } catch (error) {
        fallen.push({
          journey: journey.name,
          faults,
          why: error instanceof Error ? String(error.stack) : String(error),
        });
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { tried, cameAbout, restarts, fallen };
}

/** What happened, and how to see it again. */
export function sayFallen({ journey, faults, why }: Fallen): string {
  const again = `AME_FIRE_JOURNEY='${journey}' AME_FIRE_FAULTS='${JSON.stringify(faults)}' npm run test:crash -- replay`;
  return `${faults.map(({ way, point }) => `${way} ${point}`).join(' and ')}\n${why}\nplayed again by: ${again}`;
}
