import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/core/snapshot.ts';
import { describeConflicts, inputOf, type PastTask } from '../../src/core/snapshot/input.ts';
import {
  contentOf,
  createMemoryTrees,
  edited,
  flatten,
  put,
  type Edit,
  type Flat,
  type MemoryTrees,
} from './snapshot-model.ts';

type Step = {
  readonly name: string;
  readonly needs: readonly string[];
  readonly edits: readonly Edit[] | 'skipped';
};

/** Runs a plan in order: each task edits what it is given. */
async function play(
  memory: MemoryTrees,
  commit: Digest,
  steps: readonly Step[],
  keepInputs = false,
): Promise<PastTask[]> {
  const past: PastTask[] = [];
  for (const { name, needs, edits } of steps) {
    const input = await inputOf(memory, commit, past, needs);
    if (input.kind !== 'merged') throw new Error(describeConflicts(input.conflicts));
    const output = edits === 'skipped' ? null : memory.save(edited(await flatten(memory, input.root), edits));
    past.push({ name, needs, output, ...(keepInputs && { input: input.root }) });
  }
  return past;
}

const remove = (path: string): Edit => ({ op: 'remove', path });
const step = (name: string, needs: readonly string[], ...edits: Edit[]): Step => ({ name, needs, edits });

async function inputAfter(steps: readonly Step[], needs: readonly string[], commit: Flat = new Map()) {
  const memory = createMemoryTrees();
  const root = memory.save(commit);
  const input = await inputOf(memory, root, await play(memory, root, steps), needs);
  return input.kind === 'merged'
    ? { files: Object.keys(contentOf(await flatten(memory, input.root))), conflicts: [] }
    : { files: [], conflicts: input.conflicts };
}

describe('what a task starts from', () => {
  test('is the commit, and everything its ancestors did and nobody else', async () => {
    const plans = fc.array(
      fc.record({ needs: fc.array(fc.nat(8), { maxLength: 4 }), skipped: fc.nat(5), removes: fc.nat(5) }),
      { minLength: 1, maxLength: 9 },
    );
    await fc.assert(
      fc.asyncProperty(plans, fc.boolean(), async (shape, keepInputs) => {
        const steps = shape.map(({ needs, skipped, removes }, i): Step => ({
          name: `t${i}`,
          needs: [...new Set(needs.filter((need) => need < i))].map((need) => `t${need}`),
          edits:
            skipped === 0 ? 'skipped' : [put(`by/t${i}`, `${i}`), put('same', 's'), remove(`old${removes}`)],
        }));
        const memory = createMemoryTrees();
        const commit = edited(
          new Map(),
          [0, 1, 2, 3, 4, 5].map((i) => put(`old${i}`, 'o')),
        );
        const root = memory.save(commit);
        const past = await play(memory, root, steps, keepInputs);
        const ancestors = new Set<string>();
        const add = (name: string): void => {
          ancestors.add(name);
          for (const need of steps.find((step) => step.name === name)?.needs ?? []) add(need);
        };
        const last = steps.at(-1);
        add(last?.name ?? '');
        const input = await inputOf(memory, root, past, [last?.name ?? '']);
        const inOrder = steps.filter(({ name }) => ancestors.has(name));
        const expected = edited(
          commit,
          inOrder.flatMap(({ edits }) => (edits === 'skipped' ? [] : edits)),
        );
        const found = input.kind === 'merged' ? await flatten(memory, input.root) : new Map();
        expect(contentOf(found)).toEqual(contentOf(expected));
      }),
      { numRuns: 150 },
    );
  });

  test('is the commit itself, or the output of the one before, without a look inside', async () => {
    const memory = createMemoryTrees();
    const past = [{ name: 'a', needs: [], output: 'o' }];
    expect(await inputOf(memory, 'c', past, [])).toEqual({ kind: 'merged', root: 'c' });
    expect(await inputOf(memory, 'c', past, ['a'])).toEqual({ kind: 'merged', root: 'o' });
    expect(memory.reads).toBe(0);
  });

  test('shows through tasks that left nothing', async () => {
    const steps: Step[] = [
      step('a', [], put('a', '1')),
      { name: 'b', needs: ['a'], edits: 'skipped' },
      { name: 'c', needs: [], edits: 'skipped' },
    ];
    expect(await inputAfter(steps, ['b', 'c'])).toEqual({ files: ['a'], conflicts: [] });
  });

  test('takes a later task over an earlier one that is needed beside it', async () => {
    const steps = [step('a', [], put('f', '1')), step('b', ['a'], put('f', '2'))];
    expect(await inputAfter(steps, ['a', 'b'])).toEqual({ files: ['f'], conflicts: [] });
  });

  test('merges against the merged state of several common ancestors', async () => {
    // Both sides come from a and b, and each changes what the other one's ancestor made.
    const steps = [
      step('a', [], put('a', '1')),
      step('b', [], put('b', '1')),
      step('left', ['a', 'b'], put('a', '2')),
      step('right', ['a', 'b'], put('b', '2')),
    ];
    expect((await inputAfter(steps, ['left', 'right'])).conflicts).toEqual([]);
  });

  test('does not exist for a task that nobody ran', async () => {
    await expect(inputOf(createMemoryTrees(), 'c', [], ['a', 'b'])).rejects.toThrow('a, b');
  });
});

const eight = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

describe('a conflict', () => {
  test.each<[string, Step[], string[], [string, string]]>([
    [
      'two that changed a file',
      [step('a', [], put('f', '1')), step('b', [], put('f', '2'))],
      ['a', 'b'],
      ['a', 'b'],
    ],
    [
      'the one that wrote it, not those that passed it on',
      [
        step('a', [], put('f', '1')),
        step('a2', ['a'], put('x', '1')),
        step('b', [], put('f', '2')),
        step('b2', ['b']),
      ],
      ['b2', 'a2'],
      ['a', 'b'],
    ],
    [
      'one that deleted a directory and one that wrote into it',
      [step('clean', [], remove('d')), step('write', [], put('d/f', '1'))],
      ['clean', 'write'],
      ['clean', 'write'],
    ],
    [
      'the right two of many',
      eight.map((name) => step(name, [], put(name === 'c' || name === 'g' ? 'd/f' : `d/of-${name}`, name))),
      eight,
      ['c', 'g'],
    ],
  ])('names %s', async (_, steps, needs, tasks) => {
    const commit = edited(new Map(), [put('d/old', 'o')]);
    const { conflicts } = await inputAfter(steps, needs, commit);
    expect(conflicts.map((conflict) => conflict.tasks)).toEqual([tasks]);
  });

  test('is told with files and tasks', () => {
    const text = describeConflicts([{ path: 'out/\xff', tasks: ['train', 'test'] }]);
    expect(text).toContain('out/\\xff (train and test)');
  });
});

describe('the cost', () => {
  test('of joining 1,000 tasks is some passes over them', async () => {
    const memory = createMemoryTrees();
    const commit = memory.save(edited(new Map(), [put('data/in', '1')]));
    const names = Array.from({ length: 1000 }, (_, i) => `t${i}`);
    const past = await play(memory, commit, [
      step('prepare', [], put('data/ready', '1')),
      ...names.map((name) => step(name, ['prepare'], put(`out/${name}`, name))),
    ]);
    memory.reads = 0;
    memory.writes = 0;
    const input = await inputOf(memory, commit, past, names);
    expect(input.kind).toBe('merged');
    // 999 merges, each with three roots and up to three directories.
    expect(memory.reads).toBeLessThanOrEqual(999 * 6);
    expect(memory.writes).toBeLessThanOrEqual(999 * 2);
  });

  test('of a task after many layers is that of one layer, where inputs are known', async () => {
    const memory = createMemoryTrees();
    const commit = memory.save(new Map());
    const layer = (depth: number) => Array.from({ length: 8 }, (_, i) => `t${depth}.${i}`);
    const steps = Array.from({ length: 20 }, (_, depth) =>
      layer(depth).map((name) => step(name, depth === 0 ? [] : layer(depth - 1), put(`out/${name}`, name))),
    );
    const past = await play(memory, commit, steps.flat(), true);
    memory.writes = 0;
    expect((await inputOf(memory, commit, past, layer(19))).kind).toBe('merged');
    expect(memory.writes).toBeLessThanOrEqual(7 * 2);
  });

  test('of a chain of 10,000 joints stays within the stack', async () => {
    const memory = createMemoryTrees();
    const commit = memory.save(new Map());
    const past: PastTask[] = [];
    for (let i = 0; i < 5000; i++) {
      const needs = i === 0 ? [] : [`a${i - 1}`, `b${i - 1}`];
      past.push({ name: `a${i}`, needs, output: commit }, { name: `b${i}`, needs, output: commit });
    }
    expect(await inputOf(memory, commit, past, ['a4999', 'b4999'])).toEqual({ kind: 'merged', root: commit });
  });
});
