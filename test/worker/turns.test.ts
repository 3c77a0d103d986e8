import { expect, test } from 'vitest';
import { createTurns } from '../../src/worker/turns.ts';

test('a turn that another has is waited for, and is then free', async () => {
  const turns = createTurns();
  const said: string[] = [];
  const first = turns.open();
  expect(await first.take('a')).toBe(true);
  {
    using other = turns.open();
    expect(await other.take('b')).toBe(true);
  }
  const second = turns.open();
  const waiting = second.take('a').then((taken) => said.push(String(taken)));
  said.push('left');
  first[Symbol.dispose]();
  await waiting;
  second[Symbol.dispose]();
  expect(said).toEqual(['left', 'false']);
  using third = turns.open();
  expect(await third.take('a')).toBe(true);
});
