import { expect, test } from 'vitest';
import { simulate } from '../core/simulator.ts';

const count = Number(process.env['AME_FIRE_SCHEDULES'] ?? 100_000);

const first = Number(process.env['AME_FIRE_SEED'] ?? 1);

test(`${count} schedules of crashes, lapsed leases, pauses, lost wakes and clock jumps`, () => {
  const events = new Map<string, number>();
  let [runs, attempts] = [0, 0];
  for (let seed = first; seed < first + count; seed += 1) {
    let played;
    try {
      played = simulate(seed);
    } catch (error) {
      expect.fail(`${String(error)}\nplayed again by: node test/core/simulate.ts ${seed}`);
    }
    runs += played.runs;
    attempts += played.attempts;
    for (const [event, times] of played.events) events.set(event, (events.get(event) ?? 0) + times);
  }
  const said = [...events].map(([event, times]) => `${event} ${times}`).join(', ');
  console.log(`seeds ${first} to ${first + count - 1}: ${runs} runs, ${attempts} attempts; ${said}`);
});
