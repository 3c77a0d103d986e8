import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { journeys } from './journeys.ts';
import { watchOutside } from './points.ts';
import { everyFault, pointsOf, sayFallen, tryFaults } from './try-faults.ts';

/** Decides the order in which points are tried; of every one unless the time is bounded. */
const seed = Number(process.env['AME_FIRE_SEED'] ?? 1);
const minutes = Number(process.env['AME_FIRE_MINUTES'] ?? Infinity);

let watched: Disposable;
beforeAll(async () => void (watched = await watchOutside()));
afterAll(() => watched[Symbol.dispose]());

describe('every place where the process talks to the outside, in every way', () => {
  test.each(journeys)('$name', async (journey) => {
    const { met, end } = await journey.play([]);
    const points = pointsOf(met);
    const faults = everyFault(points, seed);
    const until = performance.now() + (minutes * 60_000) / journeys.length;
    const { fallen, tried, cameAbout, restarts } = await tryFaults(
      journey,
      end,
      faults.map((fault) => [fault]),
      { until },
    );
    console.log(
      `${journey.name}: ${met.length} calls to the outside, ${points.length} points, ${faults.length} faults; ` +
        `tried ${tried}, came about ${cameAbout}, started again ${restarts} times, seed ${seed}`,
    );
    expect(fallen.map(sayFallen).join('\n'), end.join('\n')).toBe('');
  });
});
