import { describe, expect, test } from 'vitest';
import type { Ending, Fault } from '../../src/core/attempt.ts';
import { classify } from '../../src/core/outcome.ts';
import { outcomeClasses, outcomes, type OutcomeClass } from '../../src/core/outcome/classes.ts';
import { stopReasons } from '../../src/core/run.ts';

const ended = (ending: Ending | null, fault: Fault | null = null) => ({ ending, fault });
const code = (exitCode: number) => ended({ exitCode, signal: null });

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

  test.each(stopReasons)('a stop for %s goes before everything', (reason) => {
    const name = reason === 'cancel' ? 'cancelled' : reason;
    for (const report of [null, code(0), code(1), ended(null, { class: 'start_failed', message: 'No.' })]) {
      expect(classify(report, reason)).toMatchObject({ class: name, reason: outcomes[name].message });
    }
  });
});

test('every class says who is to blame and who may try again, consistently', () => {
  for (const name of outcomeClasses) {
    const { state, blame, retry, message, label } = outcomes[name];
    expect([name, state === 'failed']).toEqual([name, blame !== null]);
    expect([name, retry === 'infrastructure']).toEqual([name, blame === 'us' || blame === 'cluster']);
    expect(label).toMatch(/^[a-z ]+$/);
    expect(message).toMatch(/^[A-Z].*[.?)]$/);
  }
});
