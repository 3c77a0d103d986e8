import { expect, test } from 'vitest';
import { createHints } from '../src/hints.ts';

/** Longer than a test may take: what ends sooner was not ended by its time. */
const never = 600_000;

test('whoever waits for a topic hears it, and nobody else does', async () => {
  const hints = createHints();
  const heard: string[] = [];
  const one = hints.wait('runs', never).then(() => heard.push('one'));
  const two = hints.wait('runs', never).then(() => heard.push('two'));
  const gone = new AbortController();
  const other = hints.wait('checks', never, gone.signal).then(() => heard.push('other'));
  hints.say('nobody listens');
  hints.say('runs');
  await Promise.all([one, two]);
  expect(heard).toEqual(['one', 'two']);
  gone.abort();
  await other;
});

test('a wait ends by its time and by its signal, also one that is over already', async () => {
  const hints = createHints();
  expect(await hints.wait('runs', 1)).toBeUndefined();
  expect(await hints.wait('runs', never, AbortSignal.abort())).toBeUndefined();
  const later = new AbortController();
  const waiting = hints.wait('runs', never, later.signal);
  later.abort();
  expect(await waiting).toBeUndefined();
});

test('a listener is called at each hint until it stops, also while others come and go', () => {
  const hints = createHints();
  const heard: string[] = [];
  const stopFirst = hints.listen('runs', () => {
    heard.push('first');
    stopFirst();
  });
  const stopSecond = hints.listen('runs', () => heard.push('second'));
  hints.say('runs');
  hints.say('runs');
  stopSecond();
  stopFirst();
  hints.say('runs');
  hints.listen('runs', () => heard.push('third'));
  hints.say('runs');
  expect(heard).toEqual(['first', 'second', 'second', 'third']);
});
