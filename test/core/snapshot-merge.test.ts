import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffTrees } from '../../src/core/snapshot/diff.ts';
import { mergeTrees } from '../../src/core/snapshot/merge.ts';
import {
  contentKey,
  contentOf,
  createMemoryTrees,
  edited,
  edits,
  file,
  flats,
  flatten,
  parentsOf,
  put,
  type Edit,
  type Flat,
} from './snapshot-model.ts';

const none: Flat = new Map();

async function differences(before: Flat, after: Flat): Promise<string[]> {
  const memory = createMemoryTrees();
  const changes = diffTrees(memory.read, memory.save(before), memory.save(after));
  return (await Array.fromAsync(changes)).map(({ path }) => path).sort();
}

describe('the difference of two trees', () => {
  test('is every path that holds something else', async () => {
    await fc.assert(
      fc.asyncProperty(flats, edits, async (before, edits) => {
        const after = edited(before, edits);
        const paths = [...new Set([...before.keys(), ...after.keys()])];
        const expected = paths.filter((path) => contentKey(before.get(path)) !== contentKey(after.get(path)));
        expect(await differences(before, after)).toEqual(expected.sort());
      }),
      { numRuns: 300 },
    );
  });

  test('has no times in it', async () => {
    const later = [
      file('d/a', 'x', 0o644, 7n),
      { type: 'directory', path: 'd', mode: 0o755, mtime: 9n } as const,
    ];
    const after = edited(
      none,
      later.map((entry) => ({ op: 'put', entry })),
    );
    expect(await differences(edited(none, [put('d/a', 'x')]), after)).toEqual([]);
  });

  test('reads no subtree that is equal', async () => {
    const memory = createMemoryTrees();
    const many = Array.from({ length: 50 }, (_, i) => put(`d${i}/a/b`, `${i}`));
    const before = edited(none, many);
    const changes = diffTrees(
      memory.read,
      memory.save(before),
      memory.save(edited(before, [put('d7/a/b', '!')])),
    );
    expect(await Array.fromAsync(changes)).toHaveLength(1);
    expect(memory.reads).toBe(6);
  });
});

/** The merge by its definition, path by path. */
function modelMerge(
  base: Flat,
  ours: Flat,
  theirs: Flat,
): { merged: Record<string, string>; conflicts: string[] } {
  const merged = new Map<string, string>();
  const conflicts: string[] = [];
  for (const path of new Set([...base.keys(), ...ours.keys(), ...theirs.keys()])) {
    const [b, o, t] = [base, ours, theirs].map((flat) => contentKey(flat.get(path)));
    if (o !== t && o !== b && t !== b) conflicts.push(path);
    const result = o === b ? t : o;
    if (result !== undefined && result !== '-') merged.set(path, result);
  }
  for (const path of merged.keys())
    for (const parent of parentsOf(path).slice(-1))
      if (merged.get(parent)?.startsWith('directory') !== true) conflicts.push(path);
  const topmost = [...new Set(conflicts)].filter(
    (path) => !parentsOf(path).some((p) => conflicts.includes(p)),
  );
  return {
    merged: Object.fromEntries([...merged].sort(([a], [b]) => (a < b ? -1 : 1))),
    conflicts: topmost.sort(),
  };
}

async function merge(base: Flat, ours: Flat, theirs: Flat) {
  const memory = createMemoryTrees();
  const [b, o, t] = [memory.save(base), memory.save(ours), memory.save(theirs)];
  const merge = await mergeTrees(memory, b, o, t);
  return merge.kind === 'conflict'
    ? { root: null, flat: null, conflicts: merge.paths }
    : { root: merge.root, flat: await flatten(memory, merge.root), conflicts: [] };
}

describe('a three-way merge', () => {
  test('does for whole trees what its definition does path by path', async () => {
    await fc.assert(
      fc.asyncProperty(flats, edits, edits, async (base, left, right) => {
        const [ours, theirs] = [edited(base, left), edited(base, right)];
        const expected = modelMerge(base, ours, theirs);
        const found = await merge(base, ours, theirs);
        expect(found.conflicts).toEqual(expected.conflicts);
        expect(found.flat && contentOf(found.flat)).toEqual(
          expected.conflicts.length > 0 ? null : expected.merged,
        );
      }),
      { numRuns: 2000 },
    );
  });

  test('does not ask which side is which, times included', async () => {
    await fc.assert(
      fc.asyncProperty(flats, edits, edits, async (base, left, right) => {
        const [ours, theirs] = [edited(base, left), edited(base, right)];
        expect(await merge(base, ours, theirs)).toEqual(await merge(base, theirs, ours));
      }),
      { numRuns: 500 },
    );
  });

  test('with a side that did nothing, or the same, is the other side', async () => {
    await fc.assert(
      fc.asyncProperty(flats, flats, async (base, ours) => {
        const memory = createMemoryTrees();
        const [b, o] = [memory.save(base), memory.save(ours)];
        for (const [x, y] of [
          [o, b],
          [b, o],
          [o, o],
        ] as const)
          expect(await mergeTrees(memory, b, x, y)).toEqual({ kind: 'merged', root: o });
      }),
    );
  });

  const remove = (path: string): Edit => ({ op: 'remove', path });
  const mode = (path: string, mode: number): Edit => ({
    op: 'put',
    entry: { type: 'directory', path, mode, mtime: 0n },
  });
  const base = edited(none, [put('d/a', 'a'), put('d/b', 'b'), put('f', 'f')]);

  test.each<[string, Edit[], Edit[], string[]]>([
    ['deleted against unchanged', [remove('f')], [put('g', 'g')], []],
    ['deleted on both sides', [remove('f')], [remove('f')], []],
    ['deleted against changed', [remove('f')], [put('f', 'F')], ['f']],
    ['changed differently', [put('f', '1')], [put('f', '2')], ['f']],
    ['changed the same way', [put('f', '1')], [put('f', '1')], []],
    ['added differently', [put('d/n', '1')], [put('d/n', '2')], ['d/n']],
    ['a file against a directory', [put('n', '1')], [put('n/x', '2')], ['n']],
    [
      'two modes of a file',
      [{ op: 'put', entry: file('f', 'f', 0o755) }],
      [{ op: 'put', entry: file('f', 'f', 0o600) }],
      ['f'],
    ],
    ['a mode against other content', [{ op: 'put', entry: file('f', 'f', 0o755) }], [put('f', '1')], ['f']],
    ['two modes of a directory', [mode('d', 0o700)], [mode('d', 0o750)], ['d']],
    ['a mode of a directory against a file inside', [mode('d', 0o700)], [put('d/a', '1')], []],
    ['a directory deleted, a part of it deleted', [remove('d')], [remove('d/a')], []],
    ['a directory deleted, a file in it changed', [remove('d')], [put('d/a', '1')], ['d/a']],
    [
      'a directory deleted, a file put into it',
      [remove('d')],
      [put('d/n/x', '1'), put('d/n/y', '1')],
      ['d/n'],
    ],
    ['a directory replaced by a file, a file put into it', [put('d', '1')], [put('d/n', '1')], ['d/n']],
  ])('%s', async (_, left, right, conflicts) => {
    const found = await merge(base, edited(base, left), edited(base, right));
    expect(found.conflicts).toEqual(conflicts);
  });

  test('keeps the later of two times, and the one that changed', async () => {
    const at = (mtime: bigint) => new Map([['f', file('f', 'x', 0o644, mtime)]]);
    const timeOf = async (b: bigint, o: bigint, t: bigint) =>
      (await merge(at(b), at(o), at(t))).flat?.get('f')?.mtime;
    expect([await timeOf(5n, 6n, 7n), await timeOf(5n, 3n, 5n), await timeOf(5n, 5n, 4n)]).toEqual([
      7n,
      3n,
      4n,
    ]);
  });

  test('reads only what differs', async () => {
    const memory = createMemoryTrees();
    const wide = edited(
      none,
      Array.from({ length: 50 }, (_, i) => put(`d${i}/a/b`, `${i}`)),
    );
    const ours = edited(wide, [put('d1/a/b', '!')]);
    const theirs = edited(wide, [put('d2/a/b', '!')]);
    const merge = await mergeTrees(memory, memory.save(wide), memory.save(ours), memory.save(theirs));
    expect([merge.kind, memory.reads, memory.writes]).toEqual(['merged', 3, 1]);
  });
});
