import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { runAttempt, type AttemptHost, type RunningCommand } from '../../src/agent/run-attempt.ts';
import {
  AttemptFaultError,
  AttemptOverError,
  type AttemptDoor,
  type AttemptReport,
  type Ending,
  type Observation,
} from '../../src/core/attempt.ts';
import { createHastyClock } from './manual-clock.ts';
import { createMemoryDoor, quietLog, type MemoryDoor } from './memory-door.ts';
import { doorWays, reach } from './over-http.ts';

const output = 'f'.repeat(64);

type Trial = {
  door: MemoryDoor;
  observations: Observation[];
  calls: string[];
  stop: AbortController;
  closing: AbortController;
  run: () => Promise<void>;
  /** What the door was told in the end, if anything. */
  report: () => Promise<AttemptReport | null>;
};

function trialBy(
  way: (typeof doorWays)[number],
  host: Partial<AttemptHost<string>> = {},
  door: Partial<AttemptDoor> = {},
): Trial {
  const memory = createMemoryDoor({}, door);
  const observations: Observation[] = [];
  const calls: string[] = [];
  const [stop, closing] = [new AbortController(), new AbortController()];
  return {
    door: memory,
    observations,
    calls,
    stop,
    closing,
    report: () => Promise.race([memory.of(1).finished.promise, Promise.resolve(null)]),
    async run() {
      await using reached = await reach(way, memory);
      await runAttempt<string>(
        {
          door: reached,
          clock: createHastyClock(),
          log: quietLog,
          async clear() {
            calls.push('clear');
          },
          async fetch() {
            calls.push('fetch');
            return 'states';
          },
          async start() {
            calls.push('start');
            return command({ exitCode: 0, signal: null }, 'hello\n');
          },
          async collect({ restored }) {
            calls.push(`collect ${restored}`);
            return { output, artifacts: [], notices: ['collected'] };
          },
          ...host,
        },
        {
          attempt: 1,
          workspace: '/nowhere',
          notices: ['local'],
          signals: { stop: stop.signal, closing: closing.signal, halt: new AbortController().signal },
          observed: (observation) => observations.push(observation),
        },
      );
    },
  };
}

function command(ending: Ending, stdout = '', stderr = ''): RunningCommand {
  const at = new Date(5_000);
  return {
    startedAt: new Date(4_000),
    stdout: Readable.from([Buffer.from(stdout)]),
    stderr: Readable.from([Buffer.from(stderr)]),
    ended: Promise.resolve({ ending, at, peakMemoryBytes: 123 }),
  };
}

/** Fails so many times before it does what it should. */
function failing<T>(times: number, action: () => Promise<T>): () => Promise<T> {
  let left = times;
  return () => {
    left -= 1;
    return left >= 0 ? Promise.reject(new Error('away')) : action();
  };
}

describe.each(doorWays)('an attempt whose door is reached %s', (way) => {
  const trial = (host?: Partial<AttemptHost<string>>, door?: Partial<AttemptDoor>): Trial =>
    trialBy(way, host, door);

  test('prepare, start, ship, collect, finish', async () => {
    const { run, door, calls, observations } = trial();
    await run();
    const report = await door.of(1).finished.promise;
    expect(calls).toEqual(['clear', 'fetch', 'start', 'collect states']);
    expect(report).toEqual({
      ending: { exitCode: 0, signal: null },
      fault: null,
      phases: {
        preparedFrom: expect.any(Date),
        startedAt: new Date(4_000),
        endedAt: new Date(5_000),
        storedAt: expect.any(Date),
      },
      output,
      artifacts: [],
      notices: ['local', 'collected'],
      peakMemoryBytes: 123,
    });
    expect(door.text(1, 1)).toBe('hello\n');
    // That it is over is the door's to say: whoever looked here first would not find what it left.
    expect(observations).toEqual([{ kind: 'running', startedAt: new Date(4_000) }]);
  });

  test('exit code 127 names what was not found', async () => {
    const { run, door } = trial({
      start: async () => command({ exitCode: 127, signal: null }, '', 'sh: 1: torchrun: not found\n'),
    });
    await run();
    expect((await door.of(1).finished.promise).ending).toEqual({
      exitCode: 127,
      signal: null,
      commandNotFound: 'torchrun',
    });
  });

  describe('faults', () => {
    const conflict = { class: 'conflict', message: 'a and b changed x' } as const;
    const broken = (): Promise<never> => Promise.reject(new Error('broken'));
    const cases: readonly (readonly [string, Partial<AttemptHost<string>>, Partial<AttemptDoor>, object])[] =
      [
        [
          'said by the door',
          {},
          { input: () => Promise.reject(new AttemptFaultError(conflict)) },
          { fault: conflict, ending: null },
        ],
        [
          'of restoring',
          { fetch: broken },
          {},
          { fault: { class: 'restore_failed', message: 'broken' }, ending: null },
        ],
        [
          'of starting',
          { start: broken },
          {},
          { fault: { class: 'start_failed', message: 'broken' }, ending: null, output: null },
        ],
        [
          'of storing',
          { collect: broken },
          {},
          { fault: { class: 'store_failed', message: 'broken' }, ending: { exitCode: 0, signal: null } },
        ],
        [
          'of collecting, by its own name',
          {
            collect: () =>
              Promise.reject(new AttemptFaultError({ class: 'content_refused', message: 'a socket' })),
          },
          {},
          { fault: { class: 'content_refused', message: 'a socket' }, output: null },
        ],
      ];
    test.each(cases)('%s', async (_, host, door, expected) => {
      const { run, door: memory } = trial(host, door);
      await run();
      expect(await memory.of(1).finished.promise).toMatchObject(expected);
    });

    test('a log that cannot be read ends the command', async () => {
      const { run, door } = trial({
        start: async (_, signal) => ({
          ...command({ exitCode: null, signal: 'SIGTERM' }),
          stdout: new Readable({
            read() {
              this.destroy(new Error('unreadable'));
            },
          }),
          ended: new Promise((resolve) =>
            signal.addEventListener('abort', () =>
              resolve({
                ending: { exitCode: null, signal: 'SIGTERM' },
                at: new Date(0),
                peakMemoryBytes: null,
              }),
            ),
          ),
        }),
      });
      await run();
      expect(await door.of(1).finished.promise).toMatchObject({
        ending: { signal: 'SIGTERM' },
        fault: { class: 'store_failed', message: 'the log could not be stored: unreadable' },
      });
    });
  });

  test('a world that is away for a while is waited for', async () => {
    const finished: string[] = [];
    const memory = createMemoryDoor();
    const { run, calls } = trial(
      { collect: failing(4, async () => ({ output, artifacts: [] })) },
      {
        input: failing(3, () => memory.input(1)),
        started: failing(3, async () => {}),
        finish: failing(20, async (): Promise<void> => void finished.push('finished')),
      },
    );
    await run();
    expect(calls).toEqual(['clear', 'fetch', 'start']);
    expect(finished).toEqual(['finished']);
  });

  test('a restore that fails half-way begins again with an empty directory', async () => {
    const { run, calls, door } = trial({ fetch: failing(1, async () => 'second') });
    await run();
    expect(calls).toEqual(['clear', 'clear', 'start', 'collect second']);
    expect((await door.of(1).finished.promise).fault).toBeNull();
  });

  describe('an attempt that is over', () => {
    const over = (): Promise<never> => Promise.reject(new AttemptOverError('over'));
    test.each<[keyof AttemptDoor, string[]]>([
      ['input', []],
      ['started', ['clear', 'fetch']],
      ['appendLog', ['clear', 'fetch', 'start']],
      ['finish', ['clear', 'fetch', 'start', 'collect states']],
    ])('as %s says, is left alone', async (name, expected) => {
      const { run, calls, report } = trial({}, { [name]: over });
      await run();
      expect(calls).toEqual(expected);
      expect(await report()).toBeNull();
    });
  });

  test.each([
    ['stop', { ending: null, fault: null, output: null }],
    ['closing', null],
  ] as const)('%s before it runs', async (which, expected) => {
    const { run, report, calls, ...controllers } = trial({
      async fetch() {
        controllers[which].abort();
        return 'states';
      },
    });
    await run();
    expect(calls).toEqual(['clear']);
    expect((await report()) ?? {}).toMatchObject(expected ?? {});
    expect((await report()) === null).toBe(expected === null);
  });
});
