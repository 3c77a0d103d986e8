import { expect, test } from 'vitest';
import type { Plan } from '../../src/core/plan.ts';
import { createKnownPlans } from '../../src/db/known-plans.ts';
import { planOf } from './connected.ts';

function planOfTasks(count: number): Plan {
  const [task] = planOf('one').tasks;
  if (!task) throw new Error('no task');
  const tasks = Array.from({ length: count }, (_, at) => ({ ...task, name: `task-${at}` }));
  return { project: 'spam', task: 'main', tasks, deadlines: [] };
}

test('large plans are kept, small ones are not', () => {
  const plans = createKnownPlans();
  const [large, small] = [planOfTasks(100), planOfTasks(99)];
  plans.keep('large', large);
  plans.keep('small', small);
  expect(plans.find('large')).toBe(large);
  expect(plans.find('small')).toBeUndefined();
});

test('where they are too much together, the one that was asked for longest ago goes', () => {
  const plans = createKnownPlans();
  const plan = planOfTasks(10_000);
  for (const digest of ['a', 'b', 'c', 'd']) plans.keep(digest, plan);
  expect(plans.find('a')).toBe(plan);
  plans.keep('e', plan);
  expect(['a', 'b', 'c', 'd', 'e'].filter((digest) => plans.find(digest) !== undefined)).toEqual([
    'a',
    'c',
    'd',
    'e',
  ]);
  plans.keep('far too large', planOfTasks(40_001));
  expect(plans.find('far too large')).toBeUndefined();
  expect(plans.find('e')).toBe(plan);
});
