import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainCheck, problemLines, type Check } from '../../src/core/check.ts';
import { showBytes, showDuration } from '../../src/core/check/amounts.ts';
import { fileCheck, type FileReport } from '../../src/core/check/file-check.ts';
import { byteLength, cutText, fitRows, fitTail, lastLines } from '../../src/core/check/fit.ts';
import { runCheck, type RunReport, type TaskReport } from '../../src/core/check/run-check.ts';
import type { Problem } from '../../src/core/problems.ts';
import type { Decision } from '../../src/core/trigger/decision.ts';
import { inOrderOfEnd } from '../../src/run-check.ts';

const error: Problem = {
  code: 'unknown-key',
  severity: 'error',
  message: 'There is no key `runcomand`.',
  remedy: 'Write `runcommand`.',
  line: 3,
  column: 5,
  path: 'tasks.a.runcomand',
};
const warning: Problem = { ...error, code: 'older-spelling', severity: 'warning', line: 2 };
const notice: Problem = { ...error, code: 'empty-key', severity: 'notice', line: 1 };

const yes: Decision = {
  outcome: 'run',
  tasks: ['main'],
  rule: 'push',
  line: 4,
  message: 'Line 4 said yes.',
  remedy: null,
};
const no: Decision = {
  ...yes,
  outcome: 'no-run',
  tasks: [],
  rule: 'paths-not-matched',
  message: 'Line 4 said no.',
  remedy: 'paths: ["**"]',
};

const file: FileReport = {
  project: 'spam',
  problems: [],
  decision: yes,
  runs: [{ number: 4, task: 'main', url: 'http://127.0.0.1:8080/runs/4' }],
  externalId: 'file:1',
  url: 'http://127.0.0.1:8080/commits/1',
};

const task: TaskReport = {
  phases: { waiting: 0.01, preparing: 0.4, running: 63, storing: null },
  name: 'train',
  state: 'succeeded',
  seconds: 12,
  attempt: 1,
  class: 'succeeded',
  reason: 'The command ended with 0.',
  pendingWhy: null,
};
const waits: TaskReport = {
  ...task,
  state: 'queued',
  class: null,
  reason: null,
  pendingWhy: 'No node has 4 GPUs.',
};
const broken: TaskReport = {
  ...task,
  state: 'failed',
  class: 'exit',
  reason: 'The command ended with exit code 3.',
  attempt: 2,
};

const run: RunReport = {
  annotations: [],
  unread: { tasks: 0, exceptions: 0 },
  requestedBy: null,
  project: 'spam',
  number: 4,
  task: 'main',
  commit: '0123456789abcdef',
  ref: 'refs/heads/main',
  state: 'succeeded',
  reason: null,
  seconds: 75,
  tasks: [task],
  artifacts: [{ task: 'train', path: 'out/model.bin', size: 2048, url: 'http://127.0.0.1:8080/a/1' }],
  log: null,
  notices: ['Memory is not limited here.'],
  command: 'ame runs show spam#4',
  externalId: 'run:4',
  url: 'http://127.0.0.1:8080/runs/4',
};

function expectWithinLimits(check: Check): void {
  expect(check.title.length).toBeLessThanOrEqual(255);
  expect(check.name.length).toBeLessThanOrEqual(255);
  expect(byteLength(check.summary)).toBeLessThan(65_535);
  expect(byteLength(check.text)).toBeLessThan(65_535);
  expect(check.annotations.length).toBeLessThanOrEqual(50);
  expect([check.title, check.summary, check.text].every((text) => text.isWellFormed())).toBe(true);
  expect(check.conclusion === null).toBe(check.status !== 'completed');
  expect(plainCheck(check)).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
}

describe('fileCheck', () => {
  test.each<[string, Partial<FileReport>, string, string]>([
    ['runs', {}, 'success', 'Runs main'],
    ['only checked', { decision: null, runs: [] }, 'success', 'ame.yaml is valid'],
    ['nothing runs', { decision: no, runs: [] }, 'neutral', 'Nothing runs: Line 4 said no.'],
    [
      'errors',
      { problems: [error, error, warning], decision: no },
      'failure',
      '2 errors and 1 warning in ame.yaml',
    ],
    ['a warning', { problems: [warning, notice] }, 'success', '1 warning. Runs main'],
    [
      'a fork',
      { decision: { ...no, rule: 'fork-awaits-approval' } },
      'neutral',
      'Nothing runs: Line 4 said no.',
    ],
  ])('%s', (_name, given, conclusion, title) => {
    const check = fileCheck({ ...file, ...given });
    expect(check).toMatchObject({ name: 'ame.yaml', status: 'completed', conclusion, title });
    expectWithinLimits(check);
  });

  test('problems stand beside their lines, in the order of the file', () => {
    expect(fileCheck({ ...file, problems: [error, warning, notice] }).annotations).toEqual([
      {
        path: 'ame.yaml',
        line: 1,
        column: 5,
        level: 'notice',
        title: 'empty-key',
        message: 'There is no key `runcomand`.\nWrite `runcommand`.',
      },
      expect.objectContaining({ line: 2, level: 'warning' }),
      expect.objectContaining({ line: 3, level: 'failure' }),
    ]);
  });

  test('with too many problems the errors come first, and it says so', () => {
    const problems = [...Array.from({ length: 600 }, () => notice), error];
    const check = fileCheck({ ...file, problems });
    expect(check.annotations).toHaveLength(500);
    expect(check.annotations.at(-1)).toMatchObject({ line: 3, level: 'failure' });
    expect(check.summary).toContain('500 of the 601 problems');
  });

  test('a table that is too long ends at a whole row and counts the rest', () => {
    const problems = Array.from({ length: 3000 }, (_, at) => ({ ...error, line: at + 1 }));
    const { text } = fileCheck({ ...file, problems });
    const rows = text.split('\n').filter((line) => /^\| \d+ \| error \|.*\|$/.test(line));
    expect(rows.length).toBeGreaterThan(300);
    expect(text).toMatch(
      new RegExp(`…and ${(3000 - rows.length).toLocaleString('en-US')} more problems: .*$`),
    );
    expect(byteLength(text)).toBeLessThan(65_535);
  });

  test('for a terminal', () => {
    expect(plainCheck(fileCheck({ ...file, problems: [error], decision: no, runs: [] }))).toBe(
      [
        'ame.yaml: failure: 1 error in ame.yaml',
        'ame.yaml:3:5: error: There is no key `runcomand`.',
        '  Write `runcommand`.',
        'Line 4 said no.',
        'It would run with this in ame.yaml:',
        '  paths: ["**"]',
        'http://127.0.0.1:8080/commits/1',
        '',
      ].join('\n'),
    );
    expect(plainCheck(fileCheck(file))).toContain('\nspam#4 of main: http://127.0.0.1:8080/runs/4\n');
    const silent = plainCheck(fileCheck({ ...file, decision: { ...no, remedy: null }, runs: [], url: null }));
    expect(silent).toBe('ame.yaml: neutral: Nothing runs: Line 4 said no.\n');
    expect(problemLines({ ...error, remedy: '' })).toEqual([
      'ame.yaml:3:5: error: There is no key `runcomand`.',
    ]);
  });
});

describe('runCheck', () => {
  test.each<[string, Partial<RunReport>, string, string | null, string]>([
    [
      'queued',
      { state: 'queued', seconds: null, tasks: [{ ...task, state: 'waiting', seconds: null }] },
      'queued',
      null,
      'Waiting to start 1 task',
    ],
    [
      'running',
      { state: 'running', tasks: [task, { ...task, state: 'running' }] },
      'in_progress',
      null,
      'Running 2 tasks',
    ],
    ['succeeded', {}, 'completed', 'success', 'Succeeded after 1 min 15 s'],
    [
      'failed',
      { state: 'failed', reason: 'late: The first in time.', tasks: [task, broken, broken] },
      'completed',
      'failure',
      'Failed after 1 min 15 s (2 tasks): late: The first in time.',
    ],
    [
      'timed out',
      { state: 'failed', tasks: [{ ...broken, class: 'timeout', reason: null }] },
      'completed',
      'timed_out',
      'Failed after 1 min 15 s: train: timeout',
    ],
    [
      'out of time and broken',
      { state: 'failed', tasks: [{ ...broken, class: 'timeout' }, broken] },
      'completed',
      'failure',
      'Failed after 1 min 15 s (2 tasks): train: The command ended with exit code 3.',
    ],
    [
      'cancelled',
      { state: 'cancelled', reason: 'Superseded by #5.' },
      'completed',
      'cancelled',
      'Cancelled after 1 min 15 s: Superseded by #5.',
    ],
    ['skipped', { state: 'skipped', seconds: null }, 'completed', 'skipped', 'Skipped'],
  ])('%s', (_name, given, status, conclusion, title) => {
    const check = runCheck({ ...run, ...given });
    expect(check).toMatchObject({
      name: 'ame / main',
      status,
      conclusion,
      title,
      externalId: 'run:4',
      url: run.url,
    });
    expectWithinLimits(check);
  });

  test('says what was asked for, what went wrong, and what came out', () => {
    const { summary, text, lines } = runCheck({
      ...run,
      state: 'failed',
      tasks: [task, broken],
      log: { task: 'train', text: 'a\rb\r\nlast words\n' },
    });
    expect(summary).toContain(
      'Run <code>spam&#35;4</code> of <code>main</code> at <code>0123456789ab</code>',
    );
    expect(summary).toContain(
      '- <code>train</code> exit code (try 2): The command ended with exit code 3&#46;',
    );
    expect(summary).toContain('- Notice: Memory is not limited here&#46;');
    expect(text).toContain(
      '| <code>train</code> | failed: exit code | 12 s | preparing 0.4 s, running 1 min 3 s | 2 | The command ended with exit code 3&#46; |',
    );
    expect(text).toContain('```\nb\nlast words\n```');
    expect(text).toContain(
      '| [<code>out/model&#46;bin</code>](http://127.0.0.1:8080/a/1) | 2.0 KiB | <code>train</code> |',
    );
    expect(lines).toEqual([
      'train succeeded 12 s',
      'train failed 12 s: exit code (try 2): The command ended with exit code 3.',
      'notice: Memory is not limited here.',
      'ame runs show spam#4',
    ]);
  });

  test.each([
    [{ tasks: 0, exceptions: 0 }, 0, null],
    [{ tasks: 3, exceptions: 0 }, 0, 'those of 3 more failed tasks'],
    [{ tasks: 0, exceptions: 1 }, 0, '1 earlier one'],
    [{ tasks: 1, exceptions: 2 }, 510, 'those of 1 more failed task and 12 earlier ones'],
  ])('exceptions that have no annotation are counted: %j beside %i', (unread, count, said) => {
    const annotation = {
      path: 'a.py',
      line: 1,
      column: null,
      level: 'failure',
      title: 'E',
      message: 'E',
    } as const;
    const annotations = Array.from({ length: count }, () => annotation);
    const { summary } = runCheck({ ...run, state: 'failed', tasks: [broken], unread, annotations });
    if (said === null) expect(summary).not.toContain('Exceptions that');
    else expect(summary).toContain(`Exceptions that stand beside no line here: ${said}.`);
  });

  test('says why a task waits, everywhere, and only as long as it does', () => {
    const { summary, text, lines } = runCheck({ ...run, state: 'running', tasks: [waits] });
    for (const said of [summary, text, lines.join('\n')]) expect(said).toContain('No node has 4 GPUs');
    const begun = runCheck({ ...run, state: 'running', tasks: [{ ...waits, state: 'running' }] });
    expect(JSON.stringify(begun)).not.toContain('4 GPUs');
  });

  test('10,000 tasks, 10,000 artifacts and a long log fit', () => {
    const tasks = Array.from({ length: 10_000 }, (_, at) => ({ ...broken, name: `t${at}` }));
    const artifacts = tasks.map(({ name }) => ({
      task: name,
      path: `out/${name}`,
      size: 1,
      url: `http://127.0.0.1:8080/a/${name}`,
    }));
    const check = runCheck({
      ...run,
      state: 'failed',
      tasks,
      artifacts,
      log: { task: 't1', text: 'line\n'.repeat(100_000) },
    });
    expectWithinLimits(check);
    expect(check.text).toMatch(/…and [\d,]+ more tasks: .*\n\n### The end of the log/);
    expect(check.text).toMatch(/…and [\d,]+ more files\.$/);
    expect(check.lines.length).toBeLessThan(100);
  });

  test("users' text stays text and within the limits, whatever it is", () => {
    expect.hasAssertions();
    const text = fc.string({
      unit: fc.constantFrom('a', '`', '|', '\n', '\u001b', '\u202e', '$', '<', '@', '😀', '\ud800'),
      maxLength: 3000,
    });
    fc.assert(
      fc.property(text, fc.nat({ max: 40 }), (hostile, count) => {
        const tasks = Array.from({ length: count }, () => ({ ...broken, name: hostile, reason: hostile }));
        const artifacts = tasks.map(() => ({ task: hostile, path: hostile, size: 1, url: run.url }));
        const log = { task: hostile, text: hostile.repeat(20) };
        const said = { task: hostile, ref: hostile, reason: hostile, command: hostile, notices: [hostile] };
        expectWithinLimits(runCheck({ ...run, ...said, state: 'failed', tasks, artifacts, log }));
        const problems = tasks.map(() => ({ ...error, message: hostile, remedy: hostile }));
        expectWithinLimits(
          fileCheck({
            ...file,
            project: hostile,
            problems,
            decision: { ...no, message: hostile, remedy: hostile },
          }),
        );
      }),
      { numRuns: 50 },
    );
  });
});

test('the failure that is told is the one that came first, and of one moment the first in the plan', () => {
  const at = (task: string, second: number | null) => ({
    task,
    finishedAt: second === null ? null : new Date(second * 1_000),
  });
  const rows = [at('a', 5), at('b', 3), at('c', null), at('d', 3), at('e', 4)];
  expect(inOrderOfEnd(rows).map(({ task }) => task)).toEqual(['b', 'd', 'e', 'a', 'c']);
});

describe('fitting', () => {
  test.each([
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 2, 'b\nc'],
    ['a\n', 2, 'a\n'],
    ['', 2, ''],
    ['\n\n', 1, '\n'],
  ])('the last lines of %j, %i of them, are %j', (text, count, wanted) => {
    expect(lastLines(text, count)).toBe(wanted);
  });

  test('cutText cuts between characters', () => {
    expect(cutText('abc', 3)).toBe('abc');
    expect(cutText('abcd', 3)).toBe('ab…');
    expect(cutText('a😀bc', 3)).toBe('a…');
  });

  test('fitRows never exceeds its budget and loses no row silently', () => {
    const row = fc.string({ unit: fc.constantFrom('a', 'é', '😀'), maxLength: 40 });
    fc.assert(
      fc.property(fc.array(row), fc.integer({ min: 60, max: 400 }), (rows, budget) => {
        const text = fitRows('head', rows, budget, (count) => `left ${count}`);
        expect(byteLength(text)).toBeLessThanOrEqual(budget);
        const left = Number(/left (\d+)$/.exec(text)?.[1] ?? 0);
        expect(text.split('\n').slice(1, 1 + rows.length - left)).toEqual(rows.slice(0, rows.length - left));
      }),
    );
  });

  test('fitTail keeps the end', () => {
    expect(fitTail('a\nb\nc\n', 4)).toEqual({ text: 'b\nc', leftOut: 1 });
    expect(fitTail('', 4)).toEqual({ text: '', leftOut: 0 });
    expect(fitTail('x'.repeat(5000), 4000).text).toHaveLength(1000);
  });
});

test.each([
  [0, '0.0 s'],
  [0.04, '0.0 s'],
  [9.94, '9.9 s'],
  [9.96, '10 s'],
  [59.4, '59 s'],
  [59.6, '1 min'],
  [61, '1 min 1 s'],
  [3599.7, '1 h'],
  [7500, '2 h 5 min'],
  [86_399.9, '1 d'],
  [90_000, '1 d 1 h'],
  [-3, '0.0 s'],
])('%s seconds are %s', (seconds, wanted) => {
  expect(showDuration(seconds)).toBe(wanted);
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1_048_575, '1.0 MiB'],
  [3_565_158, '3.4 MiB'],
  [2 ** 60, '1024.0 PiB'],
])('%s bytes are %s', (bytes, wanted) => {
  expect(showBytes(bytes)).toBe(wanted);
});
