import { expect, test } from 'vitest';
import type { Claim } from '../../src/db/due.ts';
import { together } from '../../src/worker/tick-together.ts';

const claimOf = (id: number): Claim => ({
  queue: 'schedules',
  id,
  worker: 1,
  until: new Date(0),
  now: new Date(0),
  failures: 0,
  postponed: 0,
});

test('what is begun at once is worked on at once, and what comes later apart', async () => {
  const seen: number[][] = [];
  const step = together((claims) => {
    seen.push(claims.map(({ id }) => Number(id)));
    return Promise.resolve(new Map(claims.map((claim) => [claim, { saved: true as const }])));
  });
  await Promise.all([1, 2, 3].map((id) => step(claimOf(id))));
  await step(claimOf(4));
  expect(seen).toEqual([[1, 2, 3], [4]]);
});

test('one bad row holds up no other', async () => {
  const step = together((claims) => {
    if (claims.some(({ id }) => id === 2)) return Promise.reject(new Error('the second is bad'));
    return Promise.resolve(new Map(claims.map((claim) => [claim, { dueInSeconds: Number(claim.id) }])));
  });
  const ends = await Promise.allSettled([1, 2, 3].map((id) => step(claimOf(id))));
  expect(ends).toMatchObject([
    { status: 'fulfilled', value: { dueInSeconds: 1 } },
    { status: 'rejected', reason: { message: 'the second is bad' } },
    { status: 'fulfilled', value: { dueInSeconds: 3 } },
  ]);
});
