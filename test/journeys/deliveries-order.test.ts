import { expect, test } from 'vitest';
import { playOrders } from '../fire/orders.ts';

test('eight orders of eight deliveries come to one end with two workers', { timeout: 600_000 }, async () => {
  const moved = 'refs/heads/topic had moved on before this push was looked at.';
  const wanted = [
    'a ame / main: cancelled',
    'a ame.yaml: success',
    'b ame / main: cancelled',
    'b ame.yaml: success',
    'c ame.yaml: failure',
    `commit:a:refs/heads/topic:main cancelled ${moved}`,
    `commit:b:refs/heads/topic:main cancelled ${moved}`,
    'commit:d:refs/heads/topic:main succeeded -',
    'd ame / main: success',
    'd ame.yaml: success',
  ];
  for (const { order, end } of await playOrders(8, 1, 'cancel')) expect(end, order.join()).toEqual(wanted);
});
