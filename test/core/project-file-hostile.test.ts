import { afterEach, describe, expect, test, vi } from 'vitest';
import { candidatesOf, closest, findClosest } from '../../src/core/closest.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { collectProblems } from '../../src/core/project-file/report.ts';
import { withoutTraces } from '../../src/core/without-traces.ts';

const begin = 'projectname: spam\n';

function many(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('');
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('work that a hostile file asks for', () => {
  test('words and suggestions are looked up for what is shown alone', () => {
    const { report, problems } = collectProblems();
    let searches = 0;
    for (let line = 1; line <= 5000; line += 1) {
      const at = { line, column: 1, path: '' };
      const details = (): { text: string; nearest: null } => {
        searches += 1;
        return { text: `zone ${line}`, nearest: null };
      };
      report('bad-timezone', at, details);
      report('bad-timezone', at, details);
    }
    expect([problems.length, searches]).toEqual([5000, 0]);
    expect(problems.slice(0, 200).map(({ worded }) => worded().message)).toContain(
      'There is no time zone `zone 7`.',
    );
    expect(searches).toBe(200);
  });

  test('time zones are asked for as often as there may be recurring tasks, and the same one once', () => {
    const asked = vi.spyOn(Intl, 'DateTimeFormat');
    const zones = (zone: (index: number) => string): number => {
      asked.mockClear();
      const recurring = many(
        4000,
        (index) => `  r${index}: {schedule: "@daily", timezone: ${zone(index)}}\n`,
      );
      expect(parseProjectFile(`${begin}recurring_tasks:\n${recurring}`).project).toBeNull();
      return asked.mock.calls.length;
    };
    expect(zones((index) => `Europe/C${index}`)).toBe(256);
    expect(zones(() => 'Europe/Copenhage')).toBe(1);
    expect(zones(() => 'Europe/Copenhagen')).toBe(0);
  });

  // Each of these took 4 to 12 s; a quadratic search would run into the time that a test may take.
  test.each([
    [
      'unknown tasks',
      `tasks: {${many(250, (index) => `training_of_${index}: x, `)}}\non: {push: {run: [${many(12_000, (index) => `trainings_${index}, `)}]}}\n`,
      'unknown-task',
    ],
    [
      'slashes in the name of a branch',
      `on: {push: {branches: ["/${'/'.repeat(120_000)}a${'/'.repeat(120_000)}b"]}}\n`,
      'bad-glob',
    ],
    [
      'tasks below a mistake',
      `tasks:\n  v: {runcommand: x\n${many(3000, (index) => `  a${index}: {runcommand: y, z: 1}\n`)}`,
      'unknown-key',
    ],
    ['lines that are all left open', many(30_000, () => 'a: "x\n'), 'unclosed'],
    ['lines with tabs', `tasks:\n${many(10_000, () => '\ta: x\n')}`, 'tab-indentation'],
    ['errors of the parser', `tasks: {a: "${'\\q'.repeat(120_000)}"}\n`, 'bad-escape'],
  ])('%s', (_, text, code) => {
    expect(parseProjectFile(begin + text).problems.map((problem) => problem.code)).toContain(code);
  });
});

describe('closest', () => {
  test.each([
    ['recuring_tasks', ['tasks', 'recurring_tasks'], 'recurring_tasks'],
    ['Europe/Copenhage', ['Europe/Copenhagen', 'Europe/Berlin'], 'Europe/Copenhagen'],
    ['evn', ['on', 'env'], 'env'],
    ['TASK-REF', ['taskref'], 'taskref'],
    ['zzz', ['env', 'tasks'], null],
    ['', ['a'], 'a'],
    ['x'.repeat(65), ['x'.repeat(64)], null],
  ])('%s among %j', (written, names, nearest) => {
    expect(closest(written, names)).toBe(nearest);
  });

  test('tells how near, and all that are as near', () => {
    expect(findClosest('cpus', candidatesOf(['memory', 'cpu', 'gpus']))).toEqual({
      names: ['cpu', 'gpus'],
      edits: 1,
    });
  });
});

test('stack traces are as before afterwards, also after an error', () => {
  const usual = Error.stackTraceLimit;
  expect(withoutTraces(() => Error.stackTraceLimit)).toBe(0);
  expect(() =>
    withoutTraces(() => {
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(Error.stackTraceLimit).toBe(usual);
});

test('a long name is told shortened, also where its value has the wrong shape', () => {
  const file = `projectname: a\nenv:\n  ${'k'.repeat(4_000)}: [1]\ntasks:\n  main: echo\n`;
  const { problems } = parseProjectFile(new TextEncoder().encode(file));
  expect(problems.length).toBeGreaterThan(0);
  for (const { message, remedy } of problems) expect(message.length + remedy.length).toBeLessThan(500);
});
