import fc from 'fast-check';
import { expect, test } from 'vitest';
import { namedContent } from '../../src/github/named-content.ts';

test('no such files name nothing', () => {
  expect(namedContent(null, null)).toEqual({ submodules: [], lfs: [] });
});

test.each([
  ['[submodule "a"]\n\tpath = libs/a\n\turl = https://example.com/a\n', ['libs/a']],
  ['[submodule "a"]\r\n\tpath=a\r\n[submodule "b"]\r\n  PATH =  b  \r\n', ['a', 'b']],
  ['[submodule "a"] path = a ; said\n[other]\npath = none\n', ['a']],
  ['[submodule "a"]\npath = "a b#c" # said\n', ['a b#c']],
  ['[submodule "a"]\npath = "with \\"quotes\\" and \\\\"\n', ['with "quotes" and \\']],
  ['[submodule "a"]\npath = same\n[submodule "b"]\npath = same\n', ['same']],
  ['path = outside\n', []],
  ['[submodule "a"]\npath =\n', []],
])('.gitmodules %#', (text, paths) => {
  expect(namedContent(text, null).submodules).toEqual(paths);
});

test.each([
  ['*.bin filter=lfs diff=lfs merge=lfs -text\n', ['*.bin']],
  ['# *.bin filter=lfs\n  *.pt\tfilter=lfs\r\n', ['*.pt']],
  ['"with space/*" filter=lfs\n', ['with space/*']],
  ['*.bin filter=lfs -filter\n*.txt -filter\n*.csv filter=other\n', []],
  ['*.bin diff=lfs text\n*.bin\n\n', []],
])('.gitattributes %#', (text, patterns) => {
  expect(namedContent(null, text).lfs).toEqual(patterns);
});

test('any text is read within bounds', () => {
  const line = fc.constantFrom(
    '[submodule "x"]',
    'path = ',
    '"',
    '\\',
    'a',
    ' filter=lfs',
    '\n',
    '*',
    '#',
    ';',
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (parts) => {
      const { submodules, lfs } = namedContent(parts.join(''), parts.join(''));
      expect(submodules.length + lfs.length).toBeLessThanOrEqual(parts.length);
    }),
  );
  const many = Array.from({ length: 5000 }, (_, at) => `*.${at} filter=lfs`).join('\n');
  expect(namedContent(null, many).lfs).toHaveLength(1000);
});
