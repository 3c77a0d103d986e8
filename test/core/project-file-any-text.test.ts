import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Problem } from '../../src/core/problems.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { allFixtures } from './project-file-fixtures.ts';

describe('any text at all', () => {
  const isInside = (text: string, { line, column }: Problem): boolean => {
    const lines = text.replace(/^\u{feff}/u, '').split('\n');
    return line >= 1 && line <= lines.length && column >= 1 && column <= (lines[line - 1] ?? '').length + 1;
  };

  function holds(content: Uint8Array | string): void {
    const read = parseProjectFile(content);
    expect(parseProjectFile(content)).toEqual(read);
    expect(read.project === null).toBe(read.problems.some(({ severity }) => severity === 'error'));
    const text = typeof content === 'string' ? content : new TextDecoder().decode(content);
    expect(read.problems.filter((problem) => !isInside(text, problem))).toEqual([]);
    const order = read.problems.map(({ line, column }) => line * 1e6 + column);
    expect(order).toEqual(order.toSorted((one, other) => one - other));
    for (const { message, remedy } of read.problems) {
      expect(`${message}${remedy}`).not.toMatch(/undefined|null|NaN|\[object|[\u0000-\u001f]/u);
    }
  }

  test('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), holds), { numRuns: 200 });
  });

  test('random text of the characters that mean something', () => {
    const pieces = fc.constantFrom(
      ' ',
      '  ',
      '\n',
      '\n  ',
      '\n    ',
      ':',
      ': ',
      '- ',
      '? ',
      '[',
      ']',
      '{',
      '}',
      ',',
      '"',
      "'",
      '|',
      '>',
      '#',
      '&a ',
      '*a',
      '!t ',
      '%',
      '@',
      '`',
      '\t',
      'a',
      'tasks',
      'runcommand',
      'projectname: p\n',
      '---\n',
      '<<: ',
      '1',
      '~',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => holds(parts.join(''))),
      { numRuns: 200 },
    );
  });

  test('fixtures with pieces cut out, doubled, moved and changed', () => {
    const texts = allFixtures()
      .map(({ content }) => new TextDecoder().decode(content))
      .filter((text) => text.length < 3000);
    const mutated = fc
      .record({
        text: fc.constantFrom(...texts),
        at: fc.nat(3000),
        length: fc.nat(12),
        to: fc.nat(3000),
        insert: fc.constantFrom(
          '',
          ' ',
          '  ',
          '\n',
          '\t',
          ':',
          '"',
          "'",
          '[',
          ']',
          '{',
          '}',
          '-',
          '#',
          '*',
          '&',
          '!',
          '|',
          ',',
          '\u0000',
          '🚀',
          '\u{d800}',
        ),
      })
      .map(({ text, at, length, to, insert }) => {
        const piece = text.slice(at % (text.length + 1), (at % (text.length + 1)) + length);
        const rest =
          text.slice(0, at % (text.length + 1)) + insert + text.slice((at % (text.length + 1)) + length);
        return rest.slice(0, to) + piece + rest.slice(to);
      });
    fc.assert(fc.property(mutated, holds), { numRuns: 200 });
  });
});
