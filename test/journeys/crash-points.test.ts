import { afterAll, beforeAll, expect, test } from 'vitest';
import { journeys } from '../fire/journeys.ts';
import { watchOutside } from '../fire/points.ts';
import { everyFault, pointsOf, sayFallen, tryFaults } from '../fire/try-faults.ts';

let watched: Disposable;
beforeAll(async () => void (watched = await watchOutside()));
afterAll(() => watched[Symbol.dispose]());

/**
 * How many faults, and how many of them in one go. What is lost through no fault of its command is tried again three
 * times, so three faults are what a run with commands survives whatever they are. All together 80: each is a life of a whole
 * server, and the suite is to stay short. `npm run test:crash` tries each one alone.
 */
const samples: Readonly<Record<string, { readonly faults: number; readonly together: number }>> = {
  push: { faults: 12, together: 3 },
  'broken file': { faults: 50, together: 10 },
  tick: { faults: 3, together: 3 },
  cancel: { faults: 3, together: 3 },
  'force push over a running run': { faults: 3, together: 3 },
  'pipeline of six with a retry': { faults: 3, together: 3 },
  'pull request': { faults: 3, together: 3 },
  'repository removed': { faults: 3, together: 3 },
};

const seed = 1;

test.each(journeys)('cut off anywhere: $name', { timeout: 600_000 }, async (journey) => {
  const { faults: count, together } = samples[journey.name] ?? { faults: 3, together: 3 };
  const { met, end } = await journey.play([]);
  const points = pointsOf(met);
  const faults = everyFault(points, seed).slice(0, count);
  const sets = Array.from({ length: count / together }, (_, at) =>
    faults.slice(at * together, (at + 1) * together),
  );
  const { fallen, cameAbout } = await tryFaults(journey, end, sets, { atOnce: 3 });
  expect(fallen.map(sayFallen).join('\n'), end.join('\n')).toBe('');
  // What went wrong first may keep the process from a place that it would have come by.
  expect(cameAbout).toBeGreaterThan(count / 2);
});
