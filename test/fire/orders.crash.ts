import { expect, test } from 'vitest';
import { playOrders } from './orders.ts';

const count = Number(process.env['AME_FIRE_ORDERS'] ?? 500);
const first = Number(process.env['AME_FIRE_SEED'] ?? 1);
/** Of one house: each has a database and two workers. */
const together = 25;
const rules = ['allow', 'queue', 'cancel'] as const;

test(`${count} orders of eight deliveries come to one end with two workers`, async () => {
  const ends = new Map<string, string>();
  let played = 0;
  for (let seed = first; played < count; seed += 1) {
    const rule = rules[seed % rules.length] ?? 'allow';
    for (const { order, end } of await playOrders(Math.min(together, count - played), seed, rule)) {
      const known = ends.get(rule) ?? end.join('\n');
      ends.set(rule, known);
      expect(end.join('\n'), `${rule}, order ${order.join()}, AME_FIRE_SEED=${seed}`).toBe(known);
      played += 1;
    }
  }
  console.log(`${played} orders, seeds from ${first}`);
});
