import { expect, test } from 'vitest';
import { isAwayOrLate, TimeoutError, withinMs } from '../../src/server/within.ts';

test('what comes in time is handed on, be it a failure', async () => {
  expect(await withinMs(10_000, async () => 'in time')).toBe('in time');
  const failure = new Error('of its own');
  await expect(withinMs(10_000, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(isAwayOrLate(failure)).toBe(false);
});

test('what comes too late is told that nobody waits, and its failure after that harms nobody', async () => {
  const aborted = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<never>();
  const late = withinMs(1, (signal) => {
    signal.addEventListener('abort', () => aborted.resolve());
    return failed.promise;
  });
  await expect(late).rejects.toBeInstanceOf(TimeoutError);
  await aborted.promise;
  failed.reject(new Error('much later'));
  expect(isAwayOrLate(await late.catch((error: unknown) => error))).toBe(true);
});
