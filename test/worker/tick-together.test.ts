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
const ids = (claims: readonly Claim[]): number[] => claims.map(({ id }) => Number(id));
const never = (): Promise<void> => Promise.reject(new Error('nothing is given back'));

test('what is begun at once is worked on at once, and what comes later apart', async () => {
  const seen: number[][] = [];
  const step = together((claims, end) => {
    seen.push(ids(claims));
    for (const claim of claims) end(claim, { saved: true });
    return Promise.resolve();
  }, never);
  await Promise.all([1, 2, 3].map((id) => step(claimOf(id))));
  await step(claimOf(4));
  expect(seen).toEqual([[1, 2, 3], [4]]);
});

test('each step ends as soon as it is said to, whatever the others wait for', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const step = together(async (claims, end) => {
    const [first, second, third, ...rest] = claims;
    if (first) end(first, { dueInSeconds: 1 });
    if (second) end(second, { error: new Error('the second is bad') });
    await promise;
    if (third) end(third, { dueInSeconds: 3 });
    for (const claim of rest) end(claim, { saved: true });
  }, never);
  const [first, second, third] = [1, 2, 3].map((id) => step(claimOf(id)));
  await expect(first).resolves.toEqual({ dueInSeconds: 1 });
  await expect(second).rejects.toThrow('the second is bad');
  resolve();
  await expect(third).resolves.toEqual({ dueInSeconds: 3 });
});

test('where the database is away in the middle one says so, and the others are given back at once', async () => {
  const away = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
  const postponed: number[][] = [];
  for (const isBackSoon of [true, false]) {
    const step = together(
      (claims, end) => {
        const [first] = claims;
        if (first) end(first, { saved: true });
        return Promise.reject(away);
      },
      (claims, error) => {
        expect(error).toBe(away);
        postponed.push(ids(claims));
        return isBackSoon ? Promise.resolve() : Promise.reject(away);
      },
    );
    const ends = await Promise.allSettled([1, 2, 3, 4].map((id) => step(claimOf(id))));
    expect(ends).toMatchObject([
      { status: 'fulfilled', value: { saved: true } },
      { status: 'rejected', reason: away },
      { status: 'fulfilled', value: { saved: true } },
      { status: 'fulfilled', value: { saved: true } },
    ]);
  }
  expect(postponed).toEqual([
    [3, 4],
    [3, 4],
  ]);
});

test('what was forgotten, and what the whole fell over, is said of each', async () => {
  const forgetful = together(() => Promise.resolve(), never);
  await expect(forgetful(claimOf(1))).rejects.toThrow('nothing was done about schedules 1');
  const falling = together(() => Promise.reject(new Error('it fell')), never);
  const ends = await Promise.allSettled([1, 2].map((id) => falling(claimOf(id))));
  expect(ends).toMatchObject([1, 2].map(() => ({ status: 'rejected', reason: { message: 'it fell' } })));
});
