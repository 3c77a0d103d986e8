import { expect, test } from 'vitest';
import { askTogether } from '../../src/agent/ask-together.ts';

test('what is asked while a question is under way goes along with the next, up to the most', async () => {
  const asked: (readonly number[])[] = [];
  const waits: PromiseWithResolvers<void>[] = [];
  const ask = askTogether<number, string>(async (keys) => {
    asked.push(keys);
    const wait = Promise.withResolvers<void>();
    waits.push(wait);
    await wait.promise;
    if (keys.includes(13)) throw new Error('unlucky');
    return new Map(keys.filter((key) => key !== 5).map((key) => [key, `answer ${key}`]));
  }, 3);
  const first = [ask(1), ask(1), ask(2)];
  await Promise.resolve();
  const second = [ask(3), ask(4), ask(5), ask(13)];
  const settled = Promise.allSettled(second);
  expect(asked).toEqual([[1, 2]]);
  waits[0]?.resolve();
  expect(await Promise.all(first)).toEqual(['answer 1', 'answer 1', 'answer 2']);
  while (waits.length < 2) await Promise.resolve();
  waits[1]?.resolve();
  await second[2];
  while (waits.length < 3) await Promise.resolve();
  waits[2]?.resolve();
  expect((await settled).map((each) => (each.status === 'fulfilled' ? each.value : 'failed'))).toEqual([
    'answer 3',
    'answer 4',
    undefined,
    'failed',
  ]);
  expect(asked).toEqual([[1, 2], [3, 4, 5], [13]]);
  const last = ask(7);
  while (waits.length < 4) await Promise.resolve();
  waits[3]?.resolve();
  expect(await last).toBe('answer 7');
});
