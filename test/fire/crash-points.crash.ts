import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { groupFaults } from './group-faults.ts';
import { journeys } from './journeys.ts';
import { everyFault, pointsOf, sayFallen, tryFaults, type Tried } from './try-faults.ts';
import type { Fault } from './points.ts';
import { watchOutside } from './watch-outside.ts';

/** Decides the order in which points are tried; of every one unless the time is bounded. */
const seed = Number(process.env['AME_FIRE_SEED'] ?? 1);
const minutes = Number(process.env['AME_FIRE_MINUTES'] ?? Infinity);
/** How many faults one life is given. With more than one, those that did not come about are then tried alone. */
const together = Number(process.env['AME_FIRE_TOGETHER'] ?? 1);

let watched: Disposable;
beforeAll(async () => void (watched = await watchOutside()));
afterAll(() => watched[Symbol.dispose]());

describe('every place where the process talks to the outside, in every way', () => {
  test.each(journeys)('$name', async (journey) => {
    const { met, end } = await journey.play([]);
    const points = pointsOf(met);
    const faults = everyFault(points, seed);
    const until = performance.now() + (minutes * 60_000) / journeys.length;
    const play = (sets: readonly (readonly Fault[])[]): Promise<Tried> =>
      tryFaults(journey, end, sets, { until });
    const first = await play(groupFaults(met, faults, together));
    const seen = new Set(first.cameAbout.map(({ way, point }) => `${way} ${point}`));
    const left = together > 1 ? faults.filter(({ way, point }) => !seen.has(`${way} ${point}`)) : [];
    const second = await play(left.map((fault) => [fault]));
    const cameAbout = first.cameAbout.length + second.cameAbout.length;
    const restarts = first.restarts + second.restarts;
    console.log(
      `${journey.name}: ${met.length} calls to the outside, ${points.length} points, ${faults.length} faults; ` +
        `${first.tried + second.tried} lives, came about ${cameAbout}, started again ${restarts} times, seed ${seed}`,
    );
    // A time that is too short for a single one would show nothing.
    expect(first.tried, 'lives').toBeGreaterThan(0);
    expect(cameAbout, 'faults that came about').toBeGreaterThan(0);
    const fallen = [...first.fallen, ...second.fallen];
    expect(fallen.map(sayFallen).join('\n'), end.join('\n')).toBe('');
  });
});
