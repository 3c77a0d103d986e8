import { expect, test } from 'vitest';
import { endOfOrders, playOrders } from './orders.ts';

const count = Number(process.env['AME_FIRE_ORDERS'] ?? 500);
const first = Number(process.env['AME_FIRE_SEED'] ?? 1);
const rules = ['allow', 'queue', 'cancel'] as const;
/** Of one house, which has a database and two workers; fewer where each rule would not have its turn. */
const together = Math.min(25, Math.ceil(count / rules.length));

test(`${count} orders of eight deliveries come to one end with two workers`, async () => {
  const ends = new Map<string, number>();
  let played = 0;
  for (let seed = first; played < count; seed += 1) {
    const rule = rules[seed % rules.length] ?? 'allow';
    for (const { order, end } of await playOrders(Math.min(together, count - played), seed, rule)) {
      expect(end, `${rule}, order ${order.join()}, AME_FIRE_SEED=${seed}`).toEqual(endOfOrders[rule]);
      ends.set(rule, (ends.get(rule) ?? 0) + 1);
      played += 1;
    }
  }
  const said = [...ends].map(([rule, times]) => `${times} with when_busy: ${rule}`).join(', ');
  console.log(`${played} orders, seeds from ${first}: ${said}`);
  expect([...ends.keys()].toSorted()).toEqual([...rules].toSorted());
});
