import { afterAll, beforeAll, expect, test } from 'vitest';
import { groupFaults } from '../fire/group-faults.ts';
import { journeys } from '../fire/journeys.ts';
import { everyFault, pointsOf, sayFallen, tryFaults } from '../fire/try-faults.ts';
import { watchOutside } from '../fire/watch-outside.ts';

let watched: Disposable;
beforeAll(async () => void (watched = await watchOutside()));
afterAll(() => watched[Symbol.dispose]());

/**
 * How many faults, and how many of them one life is given at most. All together 200: each life is one of a whole
 * server, and the suite is to stay short. `npm run test:crash` tries each one alone.
 */
const samples: Readonly<Record<string, { readonly faults: number; readonly together: number }>> = {
  push: { faults: 22, together: 10 },
  'broken file': { faults: 80, together: 10 },
  tick: { faults: 22, together: 10 },
  cancel: { faults: 11, together: 10 },
  'force push over a running run': { faults: 11, together: 10 },
  'pipeline of six with a retry': { faults: 8, together: 10 },
  'pull request': { faults: 14, together: 10 },
  'repository removed': { faults: 11, together: 10 },
  'content in a bucket': { faults: 8, together: 10 },
  'two Jobs of a cluster': { faults: 13, together: 10 },
};

const seed = 1;

test('two hundred faults are tried', () => {
  expect(Object.keys(samples)).toEqual(expect.arrayContaining(journeys.map(({ name }) => name)));
  expect(Object.values(samples).reduce((sum, { faults }) => sum + faults, 0)).toBe(200);
});

test.each(journeys)('cut off anywhere: $name', { timeout: 600_000 }, async (journey) => {
  const { faults: count = 0, together = 1 } = samples[journey.name] ?? {};
  const { met, end } = await journey.play([]);
  const faults = everyFault(pointsOf(met), seed).slice(0, count);
  const { fallen, cameAbout, tried } = await tryFaults(journey, end, groupFaults(met, faults, together), {
    atOnce: 4,
  });
  console.log(`${journey.name}: ${cameAbout.length} of ${faults.length} faults came about in ${tried} lives`);
  expect(fallen.map(sayFallen).join('\n'), end.join('\n')).toBe('');
  // What went wrong first may keep the process from a place that it would have come by.
  expect(cameAbout.length).toBeGreaterThan(count / 2);
});
