import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createKeptAnswers,
  dropAnswer,
  findAnswer,
  keepAnswer,
  type KeptAnswer,
} from '../../src/github/kept-answers.ts';

function answerOf(bytes: number, etag = 'W/"1"'): KeptAnswer {
  return { etag, contentType: 'application/json', link: null, body: new Uint8Array(bytes) };
}

test('what was used longest ago goes first', () => {
  const kept = createKeptAnswers(5_000);
  for (const key of ['a', 'b', 'c', 'd']) keepAnswer(kept, key, answerOf(900));
  expect(findAnswer(kept, 'a')).not.toBeNull();
  keepAnswer(kept, 'e', answerOf(900));
  expect(['a', 'b', 'c', 'd', 'e'].filter((key) => findAnswer(kept, key) !== null)).toEqual([
    'a',
    'c',
    'd',
    'e',
  ]);
});

test('one that is too long is not kept, and takes away what stood there before', () => {
  const kept = createKeptAnswers(5_000);
  keepAnswer(kept, 'a', answerOf(100, '"old"'));
  keepAnswer(kept, 'a', answerOf(2_000, '"new"'));
  expect(findAnswer(kept, 'a')).toBeNull();
  expect(kept.bytes).toBe(0);
});

test('the bound holds and the sum is right whatever is done', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const step = fc.oneof(
    fc.record({ does: fc.constant('keep'), key, bytes: fc.nat(3_000) }),
    fc.record({ does: fc.constant('find'), key, bytes: fc.constant(0) }),
    fc.record({ does: fc.constant('drop'), key, bytes: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const kept = createKeptAnswers(8_000);
      for (const { does, key, bytes } of steps) {
        if (does === 'keep') keepAnswer(kept, key, answerOf(bytes));
        else if (does === 'find') findAnswer(kept, key);
        else dropAnswer(kept, key);
        expect(kept.bytes).toBeLessThanOrEqual(8_000);
      }
      for (const key of kept.answers.keys()) dropAnswer(kept, key);
      expect(kept.bytes).toBe(0);
    }),
  );
});
