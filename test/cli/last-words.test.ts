import { expect, test } from 'vitest';
import { lastWordLines } from '../../src/cli/last-words.ts';

test('each container of each try has a heading, and nothing in it acts on a terminal', () => {
  const lines = lastWordLines([
    { task: 'quiet', number: 1, lastWords: [] },
    {
      task: 'train',
      number: 2,
      lastWords: [
        { container: 'agent', text: 'one\n\ttwo' },
        { container: 'task', text: 'red \u001b[31m' },
      ],
    },
  ]);
  expect(lines).toEqual([
    '',
    'The last words of train (try 2), container agent of its pod:',
    '  one',
    '  \ttwo',
    '',
    'The last words of train (try 2), container task of its pod:',
    String.raw`  red \x1b[31m`,
  ]);
});
