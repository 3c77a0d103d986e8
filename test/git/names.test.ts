import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRefName } from '../../src/git/ref-name.ts';
import { parseRepositoryName } from '../../src/git/repository-name.ts';
import { terminalText } from '../../src/git/terminal-text.ts';
import { scratch, tryGit } from './real-git.ts';

test('names of refs are judged as git judges them', async () => {
  await using temporary = await scratch();
  const parts = [
    'a',
    '-a',
    '.a',
    'a.',
    'a..b',
    'a.lock',
    'a.lock/b',
    'a@{b',
    '@',
    'a b',
    'a~',
    'a^',
    'a:',
    'a?',
    'a*',
  ];
  const more = [
    'a[b',
    'a]b',
    'a\\b',
    'a\u007f',
    'a\tb',
    '$(id)',
    'ü',
    '',
    '/a',
    'a/',
    'a//b',
    'a/.b',
    '{',
    '"',
    "'",
  ];
  const all = [...parts, ...more].map((part) => `refs/heads/${part}`);
  const ended = await Promise.all(all.map((ref) => tryGit(temporary.path, ['check-ref-format', ref])));
  expect(all.map((ref) => [ref, isRefName(ref)])).toEqual(
    all.map((ref, index) => [ref, ended[index]?.code === 0]),
  );
  expect(isRefName('HEAD')).toBe(false);
});

test('terminal text holds nothing that acts on a terminal, and keeps what people write', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (said) => {
      const safe = terminalText(said);
      expect(safe).toBe(terminalText(safe));
      expect(safe.split('').every((char) => char >= ' ' && !(char >= '\u007f' && char <= '\u009f'))).toBe(
        true,
      );
    }),
  );
  expect(terminalText('grün 🌱 <b>$(id)</b>\t100 %')).toBe('grün 🌱 <b>$(id)</b> 100 %');
});

test.each([
  ['ada', 'spam', /^ada\|spam$/],
  ['ada', 'spam.git', /^ada\|spam$/],
  ['a.b_c-d', '0', /^a\.b_c-d\|0$/],
  ['ada', 'spam.git.git', /must not end in \.git/],
  ['ada.git', 'spam', /owner must not end in \.git/],
  ['ada', 'spam.LOCK', /must not end/],
  ['..', 'spam', /must begin with a letter/],
  ['ada', '.git', /must begin with a letter/],
  ['ada', 'a/b', /must begin with a letter/],
  ['ada', 'grün', /must begin with a letter/],
  ['ada', 'spam\n', /must begin with a letter/],
])('the name %j / %j', (owner, address, expected) => {
  const name = parseRepositoryName(owner, address);
  expect(typeof name === 'string' ? name : `${name.owner}|${name.name}`).toMatch(expected);
});
