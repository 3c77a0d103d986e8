import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countGlobSteps, decideFilter, matchesGlob } from '../../src/core/glob.ts';

describe('matchesGlob', () => {
  test.each([
    ['main', ['main'], ['mai', 'mainx', 'Main', '']],
    ['', [''], ['a']],
    ['*', ['', 'a', 'main', '.hidden'], ['a/b', '/']],
    ['release/*', ['release/1', 'release/'], ['release', 'release/1/2', 'xrelease/1']],
    ['v*', ['v', 'v1.2'], ['v1/2', 'w1']],
    ['v?.?', ['v1.2'], ['v1.', 'v1.23', 'v/.2']],
    ['?', ['a', 'é', '😀'], ['', '/', 'ab']],
    ['**', ['', 'a', 'a/b/c'], []],
    ['***', ['', 'a/b'], []],
    ['src/**', ['src/a', 'src/a/b', 'src/'], ['src', 'xsrc/a']],
    ['**/*.py', ['a.py', 'x/a.py', 'x/y/a.py'], ['a.pyc', 'x/a.py/z']],
    ['**/src/**', ['src/a', 'x/src/a'], ['xsrc/a', 'src']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb', 'xa/b']],
    ['a/**/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a/xb']],
    ['a**b', ['ab', 'a/x/b', 'axb'], ['a', 'abc']],
    ['a**/b', ['a/b', 'ax/b', 'a/x/b'], ['ab']],
    ['docs/*/index.md', ['docs/a/index.md'], ['docs/index.md', 'docs/a/b/index.md']],
    ['[ab]+(c)|$^.\\', ['[ab]+(c)|$^.\\'], ['a', 'bc']],
  ])('%s', (glob, yes, no) => {
    expect(yes.filter((text) => !matchesGlob(glob, text))).toEqual([]);
    expect(no.filter((text) => matchesGlob(glob, text))).toEqual([]);
  });

  /** The plain definition, which backtracks. */
  function matchesSlowly(glob: string, text: string, fresh = true): boolean {
    if (glob === '') return text === '';
    if (glob.startsWith('**/') && fresh && matchesSlowly(glob.slice(3), text, true)) return true;
    const stars = /^\*+/.exec(glob)?.[0].length ?? 0;
    if (stars > 0) {
      for (let taken = 0; taken <= text.length; taken++) {
        if (stars === 1 && text.slice(0, taken).includes('/')) return false;
        if (matchesSlowly(glob.slice(stars), text.slice(taken), false)) return true;
      }
      return false;
    }
    const [wanted, found] = [glob[0], text[0]];
    if (found === undefined || (wanted === '?' ? found === '/' : wanted !== found)) return false;
    return matchesSlowly(glob.slice(1), text.slice(1), wanted === '/');
  }

  test('agrees with its plain definition, also across words of 32 states', () => {
    const piece = fc.constantFrom('a', 'b', '/', '?', '*', '**', '**/', '/**/');
    const glob = fc
      .array(piece, { maxLength: 7 })
      .map((pieces) => pieces.join('').replaceAll(/\*{3,}/g, '**'));
    const text = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 8 }).map((parts) => parts.join(''));
    const prefix = fc.nat({ max: 34 }).map((length) => 'a/'.repeat(length).slice(0, length));
    fc.assert(
      fc.property(glob, text, prefix, (glob, text, prefix) => {
        expect(matchesGlob(prefix + glob, prefix + text)).toBe(matchesSlowly(prefix + glob, prefix + text));
      }),
      { numRuns: 1500 },
    );
  });

  test.each([
    ['stars and one letter', '*a'.repeat(50) + 'b', 'a'.repeat(100_000)],
    ['double stars', '**/a'.repeat(40) + '/b', 'a/'.repeat(50_000)],
    ['question marks', '*' + '?*'.repeat(60) + 'b', 'x'.repeat(100_000)],
    ['a long pattern', 'a'.repeat(100_000), 'a'.repeat(99_999) + 'b'],
    ['a pattern of many stars', '*a'.repeat(10_000), 'a'.repeat(100_000)],
  ])('takes no more steps than its bound: %s', (_name, glob, text) => {
    expect(countGlobSteps(glob, text).steps).toBeLessThanOrEqual((glob.length / 32 + 1) * (text.length + 1));
  });

  test('a pattern that needs more characters than there are is refused without a step', () => {
    expect(countGlobSteps('a'.repeat(100_000), 'a')).toEqual({ matched: false, steps: 0 });
  });

  test('steps grow with the text, not with its square', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('*', 'a', '/', '?'), maxLength: 30 }), (glob) => {
        const short = countGlobSteps(glob, 'a/'.repeat(500)).steps;
        expect(countGlobSteps(glob, 'a/'.repeat(5000)).steps).toBeLessThanOrEqual(10 * short + 10);
      }),
    );
  });
});

describe('decideFilter', () => {
  test.each([
    [[], 'a', true, null],
    [['main'], 'main', true, 0],
    [['main'], 'dev', false, null],
    [['main', 'dev'], 'dev', true, 1],
    [['**', '!docs/**'], 'docs/a', false, 1],
    [['**', '!docs/**'], 'src/a', true, 0],
    [['!docs/**', '**'], 'docs/a', true, 1],
    [['!docs/**'], 'docs/a', false, 0],
    [['!docs/**'], 'src/a', true, null],
    [['!docs/**', '!*.md'], 'src/a', true, null],
    [['!docs/**', 'src/**'], 'other', false, null],
    [['docs/**', '!docs/**', 'docs/b'], 'docs/b', true, 2],
    [['!!x'], '!x', false, 0],
  ])('%j says of %s: %s by %s', (patterns, text, matched, by) => {
    expect(decideFilter(patterns, text)).toEqual({ matched, by });
  });
});
