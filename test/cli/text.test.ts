import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tableLines } from '../../src/cli/table.ts';
import { logLine, pad, textWidth } from '../../src/cli/text.ts';

// oxlint-disable-next-line no-control-regex -- what must never reach a terminal
const control = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;

test.each([
  ['plain', 'plain'],
  ['\u001b[31mred\u001b[0m', 'red'],
  ['10%\r50%\r100%', '100%'],
  ['done\r', 'done'],
  ['\u001b[2K\u001b[1Gdrawn', 'drawn'],
  ['a\tb', 'a\tb'],
  ['bell\u0007', 'bell\\x07'],
  ['\u202eturned', '\\u{202e}turned'],
])('the log line %j is shown as %j', (text, shown) => {
  expect(logLine(text)).toBe(shown);
});

test.each([
  ['', 0],
  ['abc', 3],
  ['grün', 4],
  ['e\u0301', 1],
  ['日本', 4],
  ['👩‍🔬', 2],
])('%j takes %i columns', (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test('nothing in a table or a log acts on the terminal', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text)), text, (rows, line) => {
      for (const shown of [
        logLine(line.replaceAll('\n', '')),
        ...tableLines([{ title: 'A' }, { title: 'B' }], rows),
      ]) {
        expect(shown).not.toMatch(control);
      }
    }),
  );
});

test('the columns of a table stand below each other', () => {
  const cell = fc.stringMatching(/^[a-z日]{0,8}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
      const [, ...lines] = tableLines(
        [{ title: 'A' }, { title: 'LAST', side: 'right' }],
        rows.map(([a, b]) => [a, `${b}|`]),
      );
      expect(new Set(lines.map(textWidth)).size).toBe(1);
    }),
  );
});

test('a column without content is left out, and colours change no width', () => {
  const paint = (text: string): string => `<${text}>`;
  const rows = [
    ['a', '', { text: 'good', paint }],
    ['bb', '', { text: 'x', paint }],
  ];
  expect(tableLines([{ title: 'N' }, { title: 'GONE' }, { title: 'S', side: 'right' }], rows)).toEqual([
    'N      S',
    'a   <good>',
    'bb     <x>',
  ]);
  expect(tableLines([{ title: 'N' }], [])).toEqual([]);
});

test('padding never cuts', () => {
  expect([pad('abc', 2), pad('a', 3), pad('a', 3, 'right')]).toEqual(['abc', 'a  ', '  a']);
});
