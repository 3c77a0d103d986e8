import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planTask, type Plan } from '../../src/core/plan.ts';
import type { Condition, Task } from '../../src/core/project.ts';
import { isFinal, type AttemptState } from '../../src/core/run.ts';
import { readyTasks } from '../../src/core/run/ready.ts';
import { command, pipeline, projectOf } from './project-builder.ts';

function planOf(...tasks: Task[]): Plan {
  return planTask(projectOf([pipeline('main', tasks)]), 'main').plan;
}

const states = (given: { readonly [task: string]: AttemptState }) => new Map(Object.entries(given));

function look(plan: Plan, given: { readonly [task: string]: AttemptState }, cancelled = false) {
  const { start, settle } = readyTasks(plan, states(given), cancelled);
  return { start, settle: settle.map(({ task, class: name }) => `${task} ${name}`) };
}

describe('readyTasks', () => {
  const chain = planOf(command('a'), command('b'), command('c'), command('d', { needs: [] }));
  test.each<[{ readonly [task: string]: AttemptState }, readonly string[], readonly string[]]>([
    [{}, ['a', 'd'], []],
    [{ a: 'queued' }, ['d'], []],
    [{ a: 'succeeded', d: 'running' }, ['b'], []],
    [{ a: 'failed', d: 'running' }, [], ['b skipped', 'c skipped']],
    [{ a: 'skipped', d: 'running' }, [], ['b skipped', 'c skipped']],
    [{ a: 'cancelled', d: 'succeeded' }, [], ['b skipped', 'c skipped']],
    [{ a: 'succeeded', b: 'failed', d: 'failed' }, [], ['c skipped']],
  ])('in a chain with a branch of its own: %j', (given, start, settle) => {
    expect(look(chain, given)).toEqual({ start, settle });
  });

  const handled = planOf(
    command('work'),
    command('more'),
    command('repair', { if: 'failure' }),
    command('tidy', { if: 'always' }),
  );
  test.each<[{ readonly [task: string]: AttemptState }, readonly string[], readonly string[]]>([
    [{ work: 'running' }, [], []],
    // an ancestor further up counts too
    [{ work: 'failed' }, ['repair'], ['more skipped']],
    [{ work: 'failed', more: 'skipped', repair: 'succeeded' }, ['tidy'], []],
    [{ work: 'succeeded', more: 'succeeded' }, ['tidy'], ['repair skipped']],
    [{ work: 'succeeded', more: 'running' }, [], []],
    // what was stopped did not fail
    [{ work: 'succeeded', more: 'cancelled' }, ['tidy'], ['repair skipped']],
  ])('failure and always: %j', (given, start, settle) => {
    expect(look(handled, given)).toEqual({ start, settle });
  });

  test('after a cancel nothing starts, `always` included', () => {
    expect(look(handled, { work: 'running' }, true)).toEqual({
      start: [],
      settle: ['more cancelled', 'repair cancelled', 'tidy cancelled'],
    });
  });

  const nested = planOf(
    command('work'),
    pipeline('rescue', [command('x'), command('y', { if: 'always' }), command('z', { if: 'failure' })], {
      if: 'failure',
    }),
    command('after', { if: 'always' }),
  );
  test.each<[{ readonly [task: string]: AttemptState }, readonly string[], readonly string[]]>([
    [{ work: 'succeeded' }, ['after'], ['rescue/x skipped', 'rescue/y skipped', 'rescue/z skipped']],
    [{ work: 'failed' }, ['rescue/x'], []],
    // inside, only what happened inside counts
    [{ work: 'failed', 'rescue/x': 'succeeded', 'rescue/y': 'succeeded' }, ['after'], ['rescue/z skipped']],
    [{ work: 'failed', 'rescue/x': 'failed', 'rescue/y': 'running' }, [], []],
    [{ work: 'failed', 'rescue/x': 'failed', 'rescue/y': 'succeeded' }, ['rescue/z'], []],
  ])('the condition of a pipeline holds for all of it: %j', (given, start, settle) => {
    expect(look(nested, given)).toEqual({ start, settle });
  });

  const joined = planOf(
    command('a'),
    command('b', { needs: ['a'] }),
    command('other', { needs: [] }),
    command('tidy', { needs: ['a'], if: 'always' }),
    command('rescue', { needs: ['other'], if: 'failure' }),
    command('after_tidy', { needs: ['tidy'] }),
    command('after_rescue', { needs: ['rescue'] }),
    command('last', { needs: ['b', 'other'] }),
  );
  test.each<[Plan, { readonly [task: string]: AttemptState }, { readonly [task: string]: string }]>([
    [chain, { a: 'failed' }, { b: '`a` failed.', c: '`b` was skipped after `a` failed.' }],
    [chain, { a: 'cancelled' }, { b: '`a` was cancelled.', c: '`b` was skipped after `a` was cancelled.' }],
    [chain, { a: 'failed', b: 'skipped' }, { c: '`b` was skipped after `a` failed.' }],
    [chain, { a: 'succeeded', b: 'failed' }, { c: '`b` failed.' }],
    // the failure that the task waited for itself, rather than one further up
    [joined, { a: 'failed', b: 'skipped', other: 'failed', tidy: 'running' }, { last: '`other` failed.' }],
    [
      joined,
      { a: 'failed', other: 'succeeded', tidy: 'succeeded' },
      {
        b: '`a` failed.',
        rescue: 'Its `if: failure` asks for an ancestor that failed, and none did.',
        after_tidy: '`a`, which comes before `tidy`, failed.',
        after_rescue: '`rescue` was skipped.',
        last: '`b` was skipped after `a` failed.',
      },
    ],
  ])('the reason names the needed task, and what failed before it: %#', (plan, given, reasons) => {
    const { settle } = readyTasks(plan, states(given));
    const told = settle.map(({ task, reason }) => [task, reason]);
    expect(Object.fromEntries(told)).toMatchObject(reasons);
  });

  test('the reason at the end of a long chain names its first failure, and costs no walk', () => {
    const long = planOf(...Array.from({ length: 5000 }, (_, at) => command(`c${at}`)));
    const { settle } = readyTasks(long, states({ c0: 'failed' }));
    expect(settle.at(-1)?.reason).toBe('`c4998` was skipped after `c0` failed.');
  });

  const condition = fc.constantFrom<Condition>('success', 'failure', 'always');
  const tree: fc.Arbitrary<Task[]> = fc.letrec<{ tasks: Task[]; task: (name: string) => Task }>((tie) => ({
    tasks: fc
      .array(fc.tuple(tie('task'), fc.option(fc.array(fc.nat(), { maxLength: 3 }))), {
        minLength: 1,
        maxLength: 5,
      })
      .map((rows) =>
        rows.map(([make, needs], at) => {
          const task = make(`t${at}`);
          if (needs === null) return task;
          const names = at === 0 ? [] : [...new Set(needs.map((need) => `t${need % at}`))];
          return { ...task, needs: names.map((name) => ({ name, position: { line: 1, column: 1 } })) };
        }),
      ),
    task: fc.oneof(
      { maxDepth: 2, withCrossShrink: true },
      condition.map((said) => (name: string) => command(name, { if: said })),
      fc.tuple(condition, tie('tasks')).map(
        ([said, tasks]) =>
          (name: string) =>
            pipeline(name, tasks, { if: said }),
      ),
    ),
  })).tasks;

  /** The conditions by their definition: over all pipelines around a task, without what the plan leaves out. */
  function definition(tasks: readonly Task[], known: ReadonlyMap<string, AttemptState>) {
    const verdicts = new Map<string, string>();
    const plan = planOf(...tasks);
    const byName = new Map(plan.tasks.map((task) => [task.name, task]));
    const ancestors = (name: string, scope: string, all = new Set<string>()): Set<string> => {
      for (const need of byName.get(name)?.needs ?? []) {
        if (all.has(need) || !(scope === '' || need.startsWith(`${scope}/`))) continue;
        ancestors(need, scope, all.add(need));
      }
      return all;
    };
    const within = (scope: string) =>
      plan.tasks.filter(({ name }) => scope === '' || name.startsWith(`${scope}/`));
    const stateOf = (name: string) => {
      const state = known.get(name) ?? 'waiting';
      return state === 'waiting' && verdicts.get(name) === 'skip' ? 'skipped' : state;
    };
    const walk = (
      list: readonly Task[],
      scope: string,
      around: readonly (readonly [Condition, Set<string>])[],
    ): void => {
      for (const task of list) {
        const name = scope === '' ? task.name : `${scope}/${task.name}`;
        // Of a pipeline: whatever its tasks have as ancestors in the scope around it, and not inside itself.
        const members = task.kind === 'pipeline' ? within(name).map((inner) => inner.name) : [name];
        const before = new Set(members.flatMap((member) => [...ancestors(member, scope)]));
        for (const member of members) before.delete(member);
        conditions.set(name, [...around, [task.if, before]]);
        if (task.kind === 'pipeline') walk(task.tasks, name, [...around, [task.if, before]]);
      }
    };
    const conditions = new Map<string, readonly (readonly [Condition, Set<string>])[]>();
    walk(tasks, '', []);
    for (const { name } of plan.tasks) {
      const all = (conditions.get(name) ?? []).map(([said, before]) => {
        const found = [...before].map(stateOf);
        if (said === 'success' && found.some((state) => isFinal(state) && state !== 'succeeded'))
          return 'skip';
        if (!found.every(isFinal)) return 'wait';
        return said === 'failure' && !found.includes('failed') ? 'skip' : 'start';
      });
      verdicts.set(name, all.includes('skip') ? 'skip' : all.includes('wait') ? 'wait' : 'start');
    }
    const waiting = plan.tasks.filter(({ name }) => (known.get(name) ?? 'waiting') === 'waiting');
    const named = (verdict: string) =>
      waiting.map(({ name }) => name).filter((name) => verdicts.get(name) === verdict);
    return { plan, start: named('start'), skip: named('skip') };
  }

  test('a run played to its end agrees at every step with the definition, and ends', () => {
    const ending = fc.constantFrom<AttemptState>('succeeded', 'succeeded', 'failed', 'cancelled');
    fc.assert(
      fc.property(tree, fc.infiniteStream(ending), (tasks, endings) => {
        const known = new Map<string, AttemptState>();
        const { plan } = definition(tasks, known);
        for (let step = 0; step <= plan.tasks.length; step++) {
          const wanted = definition(tasks, known);
          const { start, settle } = readyTasks(plan, known);
          expect(start).toEqual(wanted.start);
          expect(settle.map(({ task }) => task)).toEqual(wanted.skip);
          for (const { task } of settle) known.set(task, 'skipped');
          // One at a time, so that the others are seen waiting while it has ended.
          const [next] = start;
          if (next !== undefined) known.set(next, endings.next().value);
        }
        expect(plan.tasks.filter(({ name }) => !isFinal(known.get(name) ?? 'waiting'))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('10,000 tasks, folded once', () => {
    const source = command('source');
    const wide = Array.from({ length: 4999 }, (_, at) => command(`w${at}`, { needs: ['source'] }));
    const chain = Array.from({ length: 5000 }, (_, at) =>
      command(`c${at}`, { needs: at === 0 ? wide.map(({ name }) => name) : [`c${at - 1}`] }),
    );
    const plan = planOf(source, ...wide, ...chain);
    expect(look(plan, { source: 'failed' }).settle).toHaveLength(9999);
    expect(look(plan, { source: 'succeeded' }).start).toHaveLength(4999);
  });
});
