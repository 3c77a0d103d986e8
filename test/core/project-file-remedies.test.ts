import { expect, test } from 'vitest';
import { parseProjectFile } from '../../src/core/project-file.ts';

const pipeline = (...tasks: readonly string[]): string =>
  `tasks:\n  main:\n    pipeline:\n${tasks.map((task) => `      ${task}\n`).join('')}`;

// A remedy that leads into the next error is none.
test.each([
  ['a task that takes itself', 'tasks: {main: x, zz: {taskref: nope}}', 'Write `main`, or add it.'],
  [
    'a task that takes this one',
    'tasks: {a: {taskref: nope}, b: {pipeline: {c: {taskref: a}}}, d: x}',
    'Write `d`, or add it.',
  ],
  [
    'the task around it',
    'tasks: {outer: {pipeline: {in: {taskref: nope}}}, over: {taskref: outer}}',
    'Add it first.',
  ],
  [
    'a near name that waits for this one',
    pipeline(
      'ab: {needs: [abd], runcommand: x}',
      'abc: {needs: [ab], runcommand: x}',
      'z: {needs: [], runcommand: x}',
    ),
    'Write `z`, or add it.',
  ],
  ['what follows by its place', pipeline('a: {needs: [zz], runcommand: x}', 'b: x', 'c: x'), 'Add it first.'],
  [
    'what stands above',
    pipeline('a: x', 'b: x', 'c: {needs: [zz], runcommand: x}'),
    'Write one of `a` and `b`, or add it.',
  ],
  [
    'a task elsewhere that contains this one',
    `${pipeline('a: {needs: [over], runcommand: x}')}  over: {taskref: main}\n`,
    'Add it first.',
  ],
  [
    'a task elsewhere',
    `${pipeline('a: x', 'b: {needs: [prepare], runcommand: x}')}  prepare: y\n`,
    'Only tasks of the same pipeline can be needed; add `prepare: {taskref: prepare}` to this one.',
  ],
])('proposed are only names that are allowed: %s', (_, text, remedy) => {
  const { problems } = parseProjectFile(`projectname: spam\n${text}\n`);
  expect(problems.filter(({ code }) => code === 'unknown-task').map((one) => one.remedy)).toEqual([remedy]);
});

test.each([
  ['main: [a, b, {c: d}]', 'Put quotes around it: "{c: d}"'],
  ['main: {runcommand: [a, c: d]}', 'Put quotes around it: "c: d"'],
  ['main:\n    - echo step: 1', 'Put quotes around it: "echo step: 1"'],
])('quotes stand around all that is one command: %s', (text, remedy) => {
  const { problems } = parseProjectFile(`projectname: spam\ntasks:\n  ${text}\n`);
  expect(problems.map((one) => one.remedy)).toEqual([remedy]);
});
