import { expect, test } from 'vitest';
import { journeys } from './journeys.ts';
import type { Fault } from './points.ts';
import { watchOutside } from './watch-outside.ts';

const name = process.env['AME_FIRE_JOURNEY'];
const said = process.env['AME_FIRE_FAULTS'];

/** One journey with the faults that a failure has named. */
test.runIf(name !== undefined && said !== undefined)(`${name ?? 'no journey was named'}, again`, async () => {
  using _watched = await watchOutside();
  const journey = journeys.find((one) => one.name === name);
  if (journey === undefined) throw new Error(`there is no journey ${name ?? ''}`);
  const faults = JSON.parse(said ?? '[]') as readonly Fault[];
  const { end } = await journey.play([]);
  const played = await journey.play(faults);
  console.log(`came about: ${played.done.map(({ way, point }) => `${way} ${point}`).join('; ')}`);
  expect(played.end).toEqual(end);
});
