import { describe, expect, test } from 'vitest';
import { problemCatalogue, severities } from '../../src/core/problems.ts';
import { all, either, quoted, shorten, shown } from '../../src/core/problems/wording.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';

// Examples that are only sketched, because the file would be long, or no file at all.
const sketched = new Set([
  'file-too-large',
  'too-deep',
  'too-many-aliases',
  'aliases-too-large',
  'more-problems',
  'too-many-tasks',
  'too-many-schedules',
  'plan-too-large',
  'file-not-read',
  'file-is-link',
  'lfs-pointers',
  'lfs-attributes',
  'submodules',
]);

describe('the catalogue', () => {
  test.each(problemCatalogue.filter(({ code }) => !sketched.has(code)))(
    'the example of $code has it, and nothing worse',
    ({ code, severity, example }) => {
      const { problems } = parseProjectFile(example);
      expect(problems.map((problem) => problem.code)).toContain(code);
      const errors = problems
        .filter((problem) => problem.severity === 'error')
        .map((problem) => problem.code);
      expect(errors.filter((error) => error !== code)).toEqual([]);
      expect(problems.find((problem) => problem.code === code)?.severity).toBe(severity);
    },
  );

  test.each(problemCatalogue)('$code is described', ({ code, severity, explanation }) => {
    expect(code).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/u);
    expect(severities).toContain(severity);
    expect(explanation).toMatch(/^[A-Z`].*\.$/u);
  });

  test('messages and remedies are sentences', () => {
    for (const { example } of problemCatalogue) {
      for (const { message, remedy } of parseProjectFile(example).problems) {
        expect(message).toMatch(/[.)]$/u);
        expect(remedy).toMatch(
          /^(?:Write|Add|Put|Give|Keep|Delete|Move|Use|Begin|Take|Indent|Save|Remove|Mark|Correct|Let|Say|Only)/u,
        );
      }
    }
  });
});

describe('wording', () => {
  test('text is shown on one line, short, and with nothing that is invisible', () => {
    expect(shown('a  b\nc')).toBe('`a b c`');
    expect(shown('')).toBe("`''`");
    expect(shown('`x`')).toBe('`` `x` ``');
    expect(shorten('a\u202eb\u0007c')).toBe('a\u{fffd}b\u{fffd}c');
    expect(shorten('x'.repeat(1e6))).toHaveLength(49);
    expect(shorten('🚀'.repeat(50))).toBe(`${'🚀'.repeat(48)}…`);
  });

  test('lists read as English', () => {
    expect(either(['a', 'b', 'c'])).toBe('`a`, `b` or `c`');
    expect(all(['a'])).toBe('`a`');
    expect(all(['a', 'b', 'c'], 2)).toBe('`a`, `b` and 1 more');
  });

  test('quotes are those that leave the text as it is', () => {
    expect(quoted('*/5 * * * *')).toBe('"*/5 * * * *"');
    expect(quoted('say "it\'s"')).toBe(`'say "it''s"'`);
  });
});
