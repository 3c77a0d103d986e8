import { describe, expect, test } from 'vitest';
import type { Ending, Fault } from '../../src/core/attempt.ts';
import { classify, type ReportedEnd } from '../../src/core/outcome.ts';
import {
  outcomeClasses,
  outcomes,
  type Classification,
  type OutcomeClass,
} from '../../src/core/outcome/classes.ts';
import { noticesOf, type Noticed } from '../../src/core/outcome/notices.ts';
import type { AskedResources } from '../../src/core/resources.ts';
import { stopReasons } from '../../src/core/run.ts';

const ended = (ending: Ending | null, fault: Fault | null = null) => ({ ending, fault });
const code = (exitCode: number) => ended({ exitCode, signal: null });
const word = (name: OutcomeClass, exitCode: number | null = null): Classification => ({
  class: name,
  reason: `Said: ${name}.`,
  exitCode,
  signal: null,
});

describe('classify', () => {
  test.each<[ReturnType<typeof ended> | null, OutcomeClass, number | null, string | null]>([
    [code(0), 'succeeded', 0, null],
    [code(1), 'exit', 1, null],
    [code(125), 'exit', 125, null],
    [code(126), 'not_executable', 126, null],
    [code(127), 'command_not_found', 127, null],
    [code(128), 'exit', 128, null],
    [code(137), 'signal', 137, 'SIGKILL'],
    [code(143), 'signal', 143, 'SIGTERM'],
    [code(255), 'exit', 255, null],
    [ended({ exitCode: null, signal: 'SIGKILL' }), 'signal', 137, 'SIGKILL'],
    [ended({ exitCode: 139, signal: 'SIGSEGV' }), 'signal', 139, 'SIGSEGV'],
    [ended({ exitCode: null, signal: 'SIGRTMIN' }), 'signal', null, 'SIGRTMIN'],
    [ended({ exitCode: null, signal: null }), 'lost', null, null],
    [ended(null), 'lost', null, null],
    [null, 'lost', null, null],
    [ended(null, { class: 'conflict', message: 'Both changed it.' }), 'conflict', null, null],
    [
      ended({ exitCode: 0, signal: null }, { class: 'store_failed', message: 'No room.' }),
      'store_failed',
      0,
      null,
    ],
  ])('%j is %s', (report, name, exitCode, signal) => {
    expect(classify(report, null)).toEqual({
      class: name,
      exitCode,
      signal,
      reason: expect.stringMatching(/\.$|\?$|\.\W$/),
    });
  });

  test('the words of a fault stay', () => {
    expect(classify(ended(null, { class: 'conflict', message: 'Both changed `a`.' }), null).reason).toBe(
      'Both changed `a`.',
    );
  });

  test('names the command that was not found where the shell did', () => {
    const told = ended({ exitCode: 127, signal: null, commandNotFound: 'pyhton' });
    expect(classify(told, null).reason).toContain('`pyhton`');
    expect(classify(code(127), null).reason).toBe(outcomes.command_not_found.message);
  });

  test('a time limit that AME saw pass before it heard of the end decides only what had not ended', () => {
    const decided = (end: ReportedEnd, reason: (typeof stopReasons)[number] = 'timeout'): OutcomeClass =>
      classify(end, reason, word('deleted')).class;
    expect(decided({ ...code(0), interrupted: null })).toBe('succeeded');
    expect(decided({ ...code(3), interrupted: null })).toBe('exit');
    // Who says nothing of it does not keep the limit, and what was taken away was stopped.
    for (const end of [
      code(0),
      { ...code(0), interrupted: 'taken' as const },
      { ...ended(null), interrupted: null },
    ])
      expect(decided(end)).toBe('timeout');
    for (const reason of stopReasons.filter((each) => each !== 'timeout'))
      expect(decided({ ...code(0), interrupted: null }, reason)).not.toBe('succeeded');
  });

  test.each(stopReasons)('a stop for %s goes before everything', (reason) => {
    const name = reason === 'cancel' ? 'cancelled' : reason;
    for (const report of [null, code(0), code(1), ended(null, { class: 'start_failed', message: 'No.' })]) {
      expect(classify(report, reason)).toMatchObject({ class: name, reason: outcomes[name].message });
    }
  });
});

describe('what interrupted a command', () => {
  const taken = { ...code(143), interrupted: 'taken' as const };
  const kept = { exitCode: 143, signal: 'SIGTERM' };

  test.each<[string, ReportedEnd | null, Classification | null, Partial<Classification>]>([
    ['taken, and the cluster says why', taken, word('preempted'), { class: 'preempted', ...kept }],
    ['taken, and nobody says why', taken, null, { class: 'deleted', ...kept }],
    [
      'taken, and what it left was lost with it',
      { ...taken, fault: { class: 'store_failed', message: 'No.' } },
      word('drained'),
      { class: 'drained' },
    ],
    [
      'taken, and it ended with 0',
      { ...code(0), interrupted: 'taken' },
      word('drained'),
      { class: 'drained', exitCode: 0 },
    ],
    [
      'taken before it ran',
      { ...ended(null), interrupted: 'taken' },
      word('node_lost', 137),
      { class: 'node_lost', exitCode: 137 },
    ],
    ['taken, and the cluster takes it for a success', taken, word('succeeded', 0), { class: 'deleted' }],
    [
      'its time was over',
      { ...code(143), interrupted: 'timeout' },
      word('drained'),
      { class: 'timeout', ...kept },
    ],
    ['nobody saw it end', ended(null), word('out_of_memory', 137), { class: 'out_of_memory', exitCode: 137 }],
    ['no report', null, word('evicted'), { class: 'evicted', reason: 'Said: evicted.' }],
    ['no report, and the cluster takes it for a success', null, word('succeeded', 0), { class: 'lost' }],
    ['it ended by itself, whatever came then', code(3), word('drained'), { class: 'exit', exitCode: 3 }],
    ['it succeeded by itself, whatever came then', code(0), word('drained'), { class: 'succeeded' }],
  ])('%s', (_, report, said, wanted) => {
    expect(classify(report, null, said)).toMatchObject(wanted);
    // What AME itself asked for is the reason.
    expect(classify(report, 'cancel', said).class).toBe('cancelled');
  });
});

test('memory ran out: of the command, of a child of it', () => {
  const end = (exitCode: number | null, signal: string | null = null) =>
    classify(ended({ exitCode, signal, outOfMemory: true }), null);
  expect(end(137)).toMatchObject({ class: 'out_of_memory', exitCode: 137, signal: 'SIGKILL' });
  expect(end(1)).toMatchObject({ class: 'out_of_memory', exitCode: 1 });
  expect(end(null, 'SIGKILL')).toMatchObject({ class: 'out_of_memory', exitCode: 137 });
  expect(end(null)).toMatchObject({ class: 'out_of_memory', exitCode: null });
  expect(end(0)).toMatchObject({ class: 'succeeded' });
});

describe('noticesOf', () => {
  const memory = { bytes: 4 * 2 ** 30, ceilingBytes: 16 * 2 ** 30 };
  const resources = (given: Partial<AskedResources['memory']>): AskedResources => ({
    cpu: { millis: 1_000, limited: false },
    memory: { ...memory, ...given },
    storageBytes: 1,
    gpus: 0,
    vramMib: null,
  });
  const report = (ending: Ending) => ({ ending, notices: ['Said.'] });
  const told = (given: Partial<Noticed>): readonly string[] =>
    noticesOf({ task: 'train', state: 'succeeded', resources: resources({}), report: null, ...given });

  test('those of the report, and what an exit code of 0 hides', () => {
    expect(told({})).toEqual([]);
    expect(told({ report: report({ exitCode: 0, signal: null }) })).toEqual(['Said.']);
    const [first, second] = told({ report: report({ exitCode: 0, signal: null, outOfMemory: true }) });
    expect([first, second]).toEqual(['Said.', expect.stringMatching(/^`train` ended with 0, although/)]);
    expect(told({ report: report({ exitCode: 1, signal: null, outOfMemory: true }) })).toEqual(['Said.']);
  });

  test('what a raise taught, and what to write', () => {
    expect(told({ resources: resources({ over: 2 * 2 ** 30 }) })).toEqual([
      '`train` needed more than 2Gi and ran with 4Gi. To start there: `memory: 4Gi..16Gi` below `resources` of `train` in ame.yaml.',
    ]);
    const top = resources({ bytes: 16 * 2 ** 30, over: 8 * 2 ** 30 });
    expect(told({ resources: top })).toEqual([expect.stringContaining('`memory: 16Gi` below')]);
    expect(told({ state: 'failed', resources: resources({ over: 2 * 2 ** 30 }) })).toEqual([]);
  });

  test('what an earlier run taught, while it runs and once it has succeeded', () => {
    const learned = resources({ learned: true });
    for (const state of ['queued', 'running', 'succeeded'] as const)
      expect(told({ state, resources: learned })).toEqual([
        '`train` starts with 4Gi, because less was not enough in an earlier run. To ask for that: `memory: 4Gi..16Gi` below `resources` of `train` in ame.yaml.',
      ]);
    expect(told({ state: 'failed', resources: learned })).toEqual([]);
    const top = resources({ learned: true, bytes: 16 * 2 ** 30 });
    expect(told({ resources: top })).toEqual([expect.stringContaining('`memory: 16Gi` below')]);
  });
});

test('every class says who is to blame and who may try again, consistently', () => {
  for (const name of outcomeClasses) {
    const { state, blame, retry, message, label } = outcomes[name];
    expect([name, state === 'failed']).toEqual([name, blame !== null]);
    // Nobody's `retries` are used for what the task could not help, and nothing of its own is tried again for nothing.
    const notTheTask = blame === 'us' || blame === 'cluster';
    if (notTheTask)
      expect([name, retry]).toEqual([name, expect.stringMatching(/^(infrastructure|moved|never)$/)]);
    else expect([name, retry]).toEqual([name, expect.stringMatching(/^(user|memory|never)$/)]);
    expect(label).toMatch(/^[a-z ]+$/);
    expect(message).toMatch(/^[A-Z].*[.?)]$/);
  }
});
