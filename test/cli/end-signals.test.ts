import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { listenForEnd } from '../../src/cli/end-signals.ts';
import { createTerminal, type EndSignal } from '../../src/cli/terminal.ts';
import { PassThrough } from 'node:stream';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function listen(): {
  press: (signal: EndSignal) => void;
  exits: number[];
  end: ReturnType<typeof listenForEnd>;
  err: () => string;
} {
  const exits: number[] = [];
  const stderr = new PassThrough();
  let press: (signal: EndSignal) => void = () => {};
  const terminal = createTerminal({
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr,
    env: {},
    cwd: '/',
    onSignal: (heard) => {
      press = heard;
      return () => {};
    },
    exit: (code) => void exits.push(code),
  });
  const end = listenForEnd(terminal, 'Stopping.');
  return { press: (signal) => press(signal), exits, end, err: () => String(stderr.read() ?? '') };
}

test('the first Ctrl-C is a wish, and a second one ends at once', async () => {
  const { press, exits, end, err } = listen();
  expect(end.signal.aborted).toBe(false);
  press('SIGINT');
  await end.wished;
  expect([end.signal.aborted, exits, err()]).toEqual([true, [], 'Stopping.\n']);
  vi.advanceTimersByTime(1_000);
  press('SIGINT');
  expect([exits, err()]).toEqual([[130], '']);
});

test('one Ctrl-C that arrives twice is one', () => {
  const { press, exits } = listen();
  press('SIGINT');
  vi.advanceTimersByTime(20);
  press('SIGINT');
  expect(exits).toEqual([]);
});
