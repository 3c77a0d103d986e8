import { expect, test } from 'vitest';
import { endOfOrders, playOrders } from '../fire/orders.ts';

test('eight orders of eight deliveries come to one end with two workers', { timeout: 600_000 }, async () => {
  for (const { order, end } of await playOrders(8, 1, 'cancel'))
    expect(end, order.join()).toEqual(endOfOrders.cancel);
});
