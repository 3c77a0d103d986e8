import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planDigest, planTask } from '../../src/core/plan.ts';
import { topologicalOrder } from '../../src/core/plan/order.ts';
import { PlanError } from '../../src/core/plan/plan-error.ts';
import { command, pipeline, projectOf, reference } from './project-builder.ts';

function namesOf(tasks: Parameters<typeof projectOf>[0], name = 'main') {
  return planTask(projectOf(tasks), name).plan.tasks.map((task) => task.name);
}

function needsOf(tasks: Parameters<typeof projectOf>[0]) {
  const { plan } = planTask(projectOf(tasks), 'main');
  return Object.fromEntries(plan.tasks.map((task) => [task.name, task.needs]));
}

describe('names and order', () => {
  test('a single command keeps its own name, through a reference too', () => {
    expect(namesOf([command('train')], 'train')).toEqual(['train']);
    expect(namesOf([command('train'), reference('main', 'train')])).toEqual(['main']);
  });

  test('without needs a task comes after the one above it', () => {
    expect(needsOf([pipeline('main', [command('a'), command('b'), command('c')])])).toEqual({
      a: [],
      b: ['a'],
      c: ['b'],
    });
  });

  test('needs are local: one never re-wires a neighbour', () => {
    const tasks = [
      command('a'),
      command('b'),
      command('c', { needs: ['a'] }),
      command('d'),
      command('e', { needs: [] }),
    ];
    expect(needsOf([pipeline('main', tasks)])).toEqual({ a: [], b: ['a'], c: ['a'], d: ['c'], e: [] });
  });

  test('what is free to go next goes in the order of the file', () => {
    const tasks = [
      command('late', { needs: ['early'] }),
      command('x', { needs: [] }),
      command('early', { needs: [] }),
      command('y', { needs: [] }),
    ];
    expect(namesOf([pipeline('main', tasks)])).toEqual(['x', 'early', 'late', 'y']);
  });

  test('a nested pipeline is needed by its last tasks and hands its needs to its first ones', () => {
    const inner = pipeline('inner', [
      command('one'),
      command('two', { needs: ['one'] }),
      command('three', { needs: ['one'] }),
      command('free', { needs: [] }),
    ]);
    expect(needsOf([pipeline('main', [command('before'), inner, command('after')])])).toEqual({
      before: [],
      'inner/one': ['before'],
      'inner/two': ['inner/one'],
      'inner/three': ['inner/one'],
      'inner/free': ['before'],
      after: ['inner/two', 'inner/three', 'inner/free'],
    });
  });

  test('a reference inlines a pipeline under its own name', () => {
    const tasks = [
      pipeline('main', [
        reference('p', 'both'),
        reference('q', 'both', { needs: [] }),
        reference('r', 'single'),
      ]),
      pipeline('both', [command('a'), command('b')]),
      command('single'),
    ];
    expect(needsOf(tasks)).toEqual({ 'p/a': [], 'p/b': ['p/a'], 'q/a': [], 'q/b': ['q/a'], r: ['q/b'] });
  });

  test('edges say why and in which line', () => {
    const tasks = [
      command('a', { line: 3 }),
      command('b', { line: 4 }),
      pipeline('c', [command('x', { line: 6 })], { line: 5, needs: ['a'] }),
    ];
    expect(planTask(projectOf([pipeline('main', tasks)]), 'main').edges).toEqual([
      { from: 'a', to: 'b', why: 'order', line: 4 },
      { from: 'a', to: 'c/x', why: 'pipeline', line: 5 },
    ]);
  });
});

describe('what tasks are given', () => {
  test('inner env and secrets win over those of pipelines, and a reference over its task', () => {
    const tasks = [
      pipeline(
        'main',
        [
          command('own', { env: { A: 'own' }, secrets: { S: 'mine' } }),
          reference('ref', 'shared', { env: { A: 'ref', X: 'ref' } }),
        ],
        { env: { A: 'main', B: 'main', S: 'plain' }, secrets: { T: 'main' } },
      ),
      pipeline('shared', [command('deep', { env: { A: 'deep', C: 'deep' }, secrets: { X: 'hidden' } })], {
        env: { B: 'shared' },
      }),
    ];
    const { plan } = planTask(projectOf(tasks), 'main');
    expect(
      plan.tasks.map(({ name, env, secrets }) => [name, toRecord(env, 'value'), toRecord(secrets, 'secret')]),
    ).toEqual([
      ['own', { A: 'own', B: 'main' }, { S: 'mine', T: 'main' }],
      ['ref/deep', { A: 'ref', B: 'shared', S: 'plain', C: 'deep', X: 'ref' }, { T: 'main' }],
    ]);
  });

  function toRecord<K extends string>(
    list: readonly ({ readonly name: string } & { readonly [key in K]: string })[],
    key: K,
  ) {
    return Object.fromEntries(list.map((item) => [item.name, item[key]]));
  }

  test('time limits: a day by default, and deadlines of pipelines by scope', () => {
    const inner = pipeline('inner', [command('a', { timeout: { run: 60, queue: 5 } }), command('b')], {
      timeout: { run: 100, queue: null },
    });
    const { plan } = planTask(
      projectOf([pipeline('main', [inner], { timeout: { run: 900, queue: 30 } })]),
      'main',
    );
    expect(plan.tasks.map((task) => task.timeout)).toEqual([
      { run: 60, queue: 5 },
      { run: 86_400, queue: null },
    ]);
    expect(plan.deadlines).toEqual([
      { scope: '', run: 900, queue: 30 },
      { scope: 'inner', run: 100, queue: null },
    ]);
  });
});

describe('gates', () => {
  test('own condition within the pipeline, that of the pipeline around it', () => {
    const cleanup = pipeline(
      'cleanup',
      [command('first'), command('then'), command('last', { if: 'always' })],
      { if: 'failure' },
    );
    const { plan } = planTask(projectOf([pipeline('main', [command('work'), cleanup])]), 'main');
    const outer = { if: 'failure', scope: '', needs: ['work'] };
    expect(plan.tasks.map((task) => [task.name, task.gates])).toEqual([
      ['work', [{ if: 'success', scope: '', needs: [] }]],
      ['cleanup/first', [outer, { if: 'success', scope: 'cleanup', needs: [] }]],
      // follows from `first`, which is skipped with its pipeline
      ['cleanup/then', [{ if: 'success', scope: 'cleanup', needs: ['cleanup/first'] }]],
      ['cleanup/last', [outer, { if: 'always', scope: 'cleanup', needs: ['cleanup/then'] }]],
    ]);
  });

  test('a reference takes the condition of its task unless it names one', () => {
    const tasks = [
      pipeline('main', [reference('a', 'note'), reference('b', 'note', { if: 'always' })]),
      command('note', { if: 'failure' }),
    ];
    const { plan } = planTask(projectOf(tasks), 'main');
    expect(plan.tasks.map((task) => task.gates.at(-1)?.if)).toEqual(['failure', 'always']);
  });
});

describe('what cannot be planned', () => {
  const wide = (name: string, count: number, of: string) =>
    pipeline(
      name,
      Array.from({ length: count }, (_, at) => reference(`t${at}`, of, { needs: [] })),
    );
  test.each([
    ['unknown-task', [pipeline('main', [reference('a', 'absent')])]],
    ['reference-cycle', [reference('main', 'x'), reference('x', 'main')]],
    ['reference-cycle', [pipeline('main', [reference('a', 'main')])]],
    ['needs-cycle', [pipeline('main', [command('a', { needs: ['b'] }), command('b', { needs: ['a'] })])]],
    ['needs-cycle', [pipeline('main', [command('a', { needs: ['a'] })])]],
    ['too-many-tasks', [wide('main', 101, 'w'), wide('w', 100, 'c'), command('c')]],
    ['too-many-tasks', [wide('main', 101, 'w'), wide('w', 100, 'e'), pipeline('e', [])]],
    [
      'plan-too-large',
      [pipeline('main', [reference('a', 'w'), reference('b', 'w')]), wide('w', 1001, 'c'), command('c')],
    ],
    [
      'plan-too-large',
      [wide('main', 100, 'w'), wide('w', 10, 'c'), command('c', { script: 'x'.repeat(200_000) })],
    ],
  ] as const)('%s', (code, tasks) => {
    expect(() => planTask(projectOf(tasks), 'main')).toThrow(
      expect.objectContaining({ name: 'PlanError', code }),
    );
  });

  test('a task that is not there', () => {
    expect(() => planTask(projectOf([command('a')]), 'b')).toThrow(PlanError);
  });
});

describe('large plans', () => {
  test('10,000 tasks with fan-out and fan-in of 1,000', () => {
    const group = pipeline('group', [
      command('source'),
      ...Array.from({ length: 998 }, (_, at) => command(`t${at}`, { needs: ['source'] })),
      command('sink', { needs: Array.from({ length: 998 }, (_, at) => `t${at}`) }),
    ]);
    const main = pipeline(
      'main',
      Array.from({ length: 10 }, (_, at) => reference(`g${at}`, 'group')),
    );
    const { plan, edges } = planTask(projectOf([main, group]), 'main');
    expect(plan.tasks).toHaveLength(10_000);
    expect(edges).toHaveLength(10 * 2 * 998 + 9);
    expect(planDigest(plan)).toMatch(/^[0-9a-f]{64}$/);
  });

  test('a chain of 10,000 written backwards', () => {
    const size = 10_000;
    const tasks = Array.from({ length: size }, (_, at) =>
      command(`t${at}`, { needs: at === size - 1 ? [] : [`t${at + 1}`] }),
    );
    expect(namesOf([pipeline('main', tasks)]).slice(0, 2)).toEqual(['t9999', 't9998']);
  });
});

describe('topologicalOrder', () => {
  const graph = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 30 }).map((rows) =>
    rows.map((row, at) => ({
      name: `n${at}`,
      needs: at === 0 ? [] : [...new Set(row.map((need) => `n${need % at}`))],
    })),
  );

  test('every item stands after its needs, and the order is the smallest possible', () => {
    fc.assert(
      fc.property(
        graph.chain((items) => fc.shuffledSubarray(items, { minLength: items.length })),
        (items) => {
          const ordered = topologicalOrder(items) ?? [];
          const at = new Map(ordered.map((item, index) => [item.name, index]));
          expect(ordered).toHaveLength(items.length);
          const rank = new Map(items.map((item, index) => [item.name, index]));
          ordered.forEach((item, index) => {
            for (const need of item.needs) expect(at.get(need)).toBeLessThan(index);
            // Whatever was free and was written earlier went first.
            const free = ordered
              .slice(index)
              .filter((other) => other.needs.every((need) => (at.get(need) ?? 0) < index));
            expect(Math.min(...free.map((other) => rank.get(other.name) ?? 0))).toBe(rank.get(item.name));
          });
        },
      ),
    );
  });

  test('items already in order stay as they are', () => {
    fc.assert(
      fc.property(graph, (items) => {
        expect(topologicalOrder(items)).toEqual(items);
      }),
    );
  });

  test('a circle has no order', () => {
    expect(
      topologicalOrder([
        { name: 'a', needs: ['b'] },
        { name: 'b', needs: ['a'] },
      ]),
    ).toBeNull();
  });
});

describe('planDigest', () => {
  const { plan } = planTask(
    projectOf([pipeline('main', [command('a', { env: { Ä: '\ud800"\\' } }), command('b', { needs: [] })])]),
    'main',
  );

  test('does not depend on the order of keys', () => {
    const turned: typeof plan = JSON.parse(
      JSON.stringify(plan, (_key, value: unknown) =>
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.fromEntries(Object.entries(value).toReversed())
          : value,
      ),
    );
    expect(Object.keys(turned)).not.toEqual(Object.keys(plan));
    expect(planDigest(turned)).toBe(planDigest(plan));
  });

  test('depends on the order of tasks and on every word', () => {
    expect(planDigest({ ...plan, tasks: plan.tasks.toReversed() })).not.toBe(planDigest(plan));
    expect(planDigest({ ...plan, task: 'other' })).not.toBe(planDigest(plan));
  });

  test('is the same everywhere, for good', () => {
    const small = planTask(projectOf([command('train', { script: 'python train.py' })]), 'train');
    expect(planDigest(small.plan)).toBe('9f3af6094f74a9f3bb69d164a21dc71da6f7bc800a30149130b55b9953a2ed68');
  });
});
