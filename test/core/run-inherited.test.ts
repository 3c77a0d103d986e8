import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inheritedBytes, type SizedTask } from '../../src/core/run/inherited.ts';

const task = (name: string, needs: string, all: number | null, changed = 0): SizedTask => ({
  name,
  needs: needs === '' ? [] : needs.split(' '),
  left: all === null ? null : { all, changed },
});

describe('inheritedBytes', () => {
  test.each<[string, readonly SizedTask[], string, number]>([
    ['the commit alone', [], '', 100],
    ['what one task left', [task('a', '', 130, 30)], 'a', 130],
    ['less than the commit, where that was deleted', [task('a', '', 5, 0)], 'a', 5],
    ['nothing left: the commit shines through', [task('a', '', null)], 'a', 100],
    ['what shines through a skipped task', [task('a', '', 130, 30), task('b', 'a', null)], 'b', 130],
    ['a joint holds what is shared once', [task('a', '', 130, 30), task('b', '', 150, 50)], 'a b', 180],
    [
      'the same model written again and again',
      [task('a', '', 150, 50), task('b', 'a', 150, 50), task('c', 'b', 150, 50)],
      'c',
      150,
    ],
    [
      'a diamond holds its top once',
      [task('top', '', 150, 50), task('l', 'top', 160, 10), task('r', 'top', 170, 20)],
      'l r',
      180,
    ],
  ])('%s', (_, past, needs, bytes) => {
    expect(inheritedBytes(100, past, needs === '' ? [] : needs.split(' '))).toBe(bytes);
  });

  test('never less than there is, and no diamond makes it grow by itself', () => {
    const ladder = fc.array(fc.tuple(fc.nat(1_000), fc.nat(1_000)), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.nat(1_000), ladder, (commit, steps) => {
        const past: SizedTask[] = [];
        let needs: readonly string[] = [];
        let size = commit;
        // Pairs of tasks, each of which needs both of the pair before; every file is new.
        for (const [at, pair] of steps.entries()) {
          const names = pair.map((added, side) => {
            const name = `${at}-${side}`;
            past.push({ name, needs, left: { all: size + added, changed: added } });
            return name;
          });
          size += pair[0] + pair[1];
          needs = names;
        }
        expect(inheritedBytes(commit, past, needs)).toBe(size);
      }),
    );
  });
});
