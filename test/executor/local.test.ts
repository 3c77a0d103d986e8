import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { AttemptOrder, AttemptReport } from '../../src/core/attempt.ts';
import type { Executor } from '../../src/executor/executor.ts';
import { createLocalExecutor, type LocalExecutorOptions } from '../../src/executor/local/local-executor.ts';
import { watchMemory } from '../../src/executor/local/peak-memory.ts';
import { processStartTime, readBootId } from '../../src/executor/local/process-record.ts';
import { createHastyClock, createManualClock } from '../agent/manual-clock.ts';
import { attemptOrder, createMemoryDoor, linesOf, quietLog, type MemoryDoor } from '../agent/memory-door.ts';

const root = mkdtempSync(join(tmpdir(), 'ame-local-'));
const executors: Executor[] = [];

afterAll(async () => {
  await Promise.all(executors.map((executor) => executor.close()));
  await rm(root, { recursive: true, force: true });
});

/** A pipe that processes hold open; `ended` resolves with what they wrote once the last of them is gone. */
async function watchFifo(directory: string): Promise<{ path: string; ended: Promise<string> }> {
  const path = join(await mkdtemp(join(directory, 'fifo')), 'fifo');
  execFileSync('mkfifo', [path]);
  return { path, ended: text(createReadStream(path)) };
}

const onLinux = process.platform === 'linux';
if (!onLinux)
  console.log('Skipped: what needs /proc and setsid to look at processes or to escape from a group.');

type House = {
  executor: Executor;
  door: MemoryDoor;
  directory: string;
  /** Starts an attempt and waits for its report. */
  run: (order: AttemptOrder) => Promise<AttemptReport>;
  /** Resolves with the next change of an attempt. */
  changed: (attempt: number) => Promise<void>;
  /** Resolves once the executor knows nothing of an attempt any more. */
  gone: (attempt: number) => Promise<void>;
};

async function house(
  changes: Partial<LocalExecutorOptions<void>> & { door?: MemoryDoor } = {},
): Promise<House> {
  const door = changes.door ?? createMemoryDoor();
  const directory = changes.directory ?? (await mkdtemp(join(root, 'd')));
  const executor = await createLocalExecutor<void>({
    directory,
    slots: 4,
    host: 'here',
    fetch: () => Promise.resolve(),
    collect: () => Promise.resolve({ output: 'f'.repeat(64), artifacts: [] }),
    baseEnv: { PATH: process.env['PATH'] ?? '' },
    graceMs: 10_000,
    log: quietLog,
    gpus: [],
    ...changes,
    door,
  });
  executors.push(executor);
  const listeners = new Set<(attempt: number) => void>();
  executor.watch((attempt) => {
    for (const listener of listeners) listener(attempt);
  });
  const changed = (attempt: number): Promise<void> =>
    new Promise((resolve) => {
      const listener = (id: number): void => {
        if (id !== attempt) return;
        listeners.delete(listener);
        resolve();
      };
      listeners.add(listener);
    });
  return {
    changed,
    async gone(attempt) {
      for (;;) {
        const next = changed(attempt);
        const seen = await executor.observe([{ id: attempt, host: 'here' }]);
        if (seen.get(attempt)?.kind === 'absent') return;
        await next;
      }
    },
    executor,
    door,
    directory,
    async run(order) {
      await executor.start(order);
      return door.of(order.id).finished.promise;
    },
  };
}

describe('a command', () => {
  test.each([
    ['true', { exitCode: 0, signal: null }],
    ['exit 42', { exitCode: 42, signal: null }],
    ['false\necho not reached', { exitCode: 1, signal: null }],
    ['kill -SEGV $$', { exitCode: null, signal: 'SIGSEGV' }],
    [
      'echo before; no_such_command --x; echo after',
      { exitCode: 127, signal: null, commandNotFound: 'no_such_command' },
    ],
    ['./missing.sh', { exitCode: 127, signal: null, commandNotFound: './missing.sh' }],
    ['if', { exitCode: 2, signal: null }],
    ['-x', { exitCode: 127, signal: null, commandNotFound: '-x' }],
    ['test ! -t 0; if read -r line; then exit 9; fi; exit 3', { exitCode: 3, signal: null }],
  ])('%s', async (script, ending) => {
    const { run, door } = await house();
    const report = await run(attemptOrder(1, script));
    expect(report).toMatchObject({ ending, fault: null, output: 'f'.repeat(64) });
    expect(door.text(1, 1)).not.toContain('not reached');
  });

  test('stdout and stderr are told apart, each in order, and can be opened by their names', async () => {
    const { run, door } = await house();
    const script =
      'for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done; echo named >/dev/stderr; echo also >/dev/stdout';
    await run(attemptOrder(1, script));
    expect(door.text(1, 1)).toBe('out 1\nout 2\nout 3\nout 4\nout 5\nalso\n');
    expect(door.text(1, 2)).toBe('err 1\nerr 2\nerr 3\nerr 4\nerr 5\nnamed\n');
  });

  test.runIf(onLinux)(
    'stdin is empty, the leash is out of reach, no signal is ignored, the group is its own',
    async () => {
      const { run, door } = await house();
      await run(
        attemptOrder(
          1,
          'readlink /proc/$$/fd/* || true; grep SigIgn /proc/$$/status; cut -d" " -f5 /proc/$$/stat; echo $$',
        ),
      );
      const lines = door.text(1, 1).trim().split('\n');
      expect(lines[0]).toBe('/dev/null');
      expect(lines.filter((line) => line.startsWith('socket:'))).toEqual([]);
      expect(lines.at(-3)).toBe('SigIgn:\t0000000000000000');
      expect(lines.at(-2)).toBe(lines.at(-1));
    },
  );

  test('a script too long for an argument', async () => {
    const { run, door } = await house();
    await run(attemptOrder(1, `${'# '.padEnd(200 * 1024, 'x')}\necho done`));
    expect(door.text(1, 1)).toBe('done\n');
  });

  test('an environment that the system refuses', async () => {
    const { run } = await house();
    const report = await run(
      attemptOrder(1, 'true', { env: [{ name: 'HUGE', value: 'x'.repeat(3 * 1024 * 1024) }] }),
    );
    expect(report).toMatchObject({ ending: null, fault: { class: 'start_failed' } });
  });

  test.runIf(onLinux)('what it leaves in the background ends with it', async () => {
    const { run, door } = await house();
    const report = await run(
      attemptOrder(1, 'sleep 1000 & echo $!; setsid sleep 1000 & sleep 1000 & echo $!'),
    );
    expect(report.ending).toEqual({ exitCode: 0, signal: null });
    for (const id of door.text(1, 1).trim().split('\n'))
      await expect(stat(`/proc/${id}/exe`)).rejects.toThrow('ENOENT');
  });

  test.runIf(onLinux)(
    'something that hides and holds the outputs open does not hold up the end',
    async () => {
      const { run, door } = await house({ clock: createHastyClock() });
      const report = await run(attemptOrder(1, 'env -i setsid sleep 1000 & echo $!'));
      expect(report.ending).toEqual({ exitCode: 0, signal: null });
      process.kill(Number(door.text(1, 1)), 'SIGKILL');
    },
  );

  test('large outputs come whole', async () => {
    const { run, door } = await house();
    await run(attemptOrder(1, 'seq 1 200000; seq 1 200000 >&2'));
    const expected = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join('');
    expect(door.text(1, 1) === expected).toBe(true);
    expect(door.text(1, 2) === expected).toBe(true);
    expect(linesOf(door.of(1).chunks)).toHaveLength(400_000);
  });
});

test.runIf(onLinux)('the environment is what was promised and nothing else', async () => {
  const door = createMemoryDoor({ secrets: [{ name: 'TOKEN', value: 'hunter22' }] });
  const { run, directory, gone } = await house({
    door,
    baseEnv: { PATH: process.env['PATH'] ?? '', HTTPS_PROXY: 'http://127.0.0.1:1' },
  });
  const script = 'cat /proc/$$/environ | tr "\\0" "\\n" | sort; pwd';
  await run(attemptOrder(3, script, { env: [{ name: 'STAGE', value: 'a b\nc' }], number: 2 }));
  const own = join(directory, '3');
  const lines = door.text(3, 1).split('\n');
  expect(lines.filter((line) => !/^(AME_MARK=\w{32}|PWD=.*|OLDPWD=.*|SHLVL=.*|_=.*|)$/.test(line))).toEqual(
    [
      'AME_ATTEMPT=2',
      `AME_COMMIT=${'c'.repeat(40)}`,
      'AME_PROJECT=spam',
      'AME_REF=refs/heads/main',
      'AME_RUN=7',
      'AME_TASK=train',
      `HOME=${own}/home`,
      'HTTPS_PROXY=http://127.0.0.1:1',
      'LANG=C.UTF-8',
      `PATH=${process.env['PATH']}`,
      'PYTHONUNBUFFERED=1',
      'STAGE=a b',
      `TMPDIR=${own}/tmp`,
      'TOKEN=***',
      'c',
    ].concat(`${own}/workspace`),
  );
  await gone(3);
  expect(readdirSync(directory).filter((name) => name !== 'outputs')).toEqual([]);
});

describe('stop', () => {
  test('TERM reaches the whole group, and children have the grace to end although the shell is gone', async () => {
    const { executor, run, door } = await house();
    const child = `sh -c 'trap "sleep 0.2; echo saved; exit 0" TERM; echo up; sleep 1000 & wait'`;
    const report = run(attemptOrder(1, `${child}\necho not reached`));
    await door.printed(1, 'up');
    await executor.stop(1);
    expect((await report).ending).toEqual({ exitCode: null, signal: 'SIGTERM' });
    expect(door.text(1, 1)).toContain('saved\n');
    expect(door.text(1, 1)).not.toContain('not reached');
  });

  test.runIf(onLinux)('TERM also reaches what has left the group, and everyone once', async () => {
    const { executor, run, door, directory } = await house();
    const saved = join(directory, 'saved');
    const away = `import os, signal, sys
def save(*_):
    open("${saved}", "a").write("saved")
    print("saved", flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, save)
print("up", flush=True)
signal.pause()`;
    await writeFile(join(directory, 'away.py'), away);
    const script = `python3 -c 'import subprocess, sys
subprocess.Popen([sys.executable, "${join(directory, 'away.py')}"], start_new_session=True)'
sh -c 'trap "echo here" TERM; echo up; sleep 1000 & wait; sleep 0.2; exit 0'`;
    const report = run(attemptOrder(1, script));
    await door.printed(1, 'up\nup');
    await executor.stop(1);
    await report;
    expect(await readFile(saved, 'utf8')).toBe('saved');
    expect(door.text(1, 1).split('\n').sort()).toEqual(['', 'here', 'saved', 'up', 'up']);
  });

  test.runIf(onLinux)('KILL after the grace, also to what has left the group', async () => {
    const { executor, run, door, directory } = await house({ graceMs: 100 });
    const fifo = await watchFifo(directory);
    const hold = `trap "" TERM; echo up; exec sleep 1000 >>${fifo.path} 2>&1`;
    const report = run(attemptOrder(1, `trap "" TERM\nsetsid sh -c '${hold}' &\n(${hold}) &\nwait`));
    await door.printed(1, 'up\nup');
    await executor.stop(1);
    expect((await report).ending).toEqual({ exitCode: null, signal: 'SIGKILL' });
    await fifo.ended;
  });

  test('an attempt without a slot ends at once; an unknown one is ignored', async () => {
    const { executor, run, door } = await house({ slots: 1 });
    const first = run(attemptOrder(1, 'echo up; sleep 1000'));
    const second = run(attemptOrder(2, 'echo never'));
    await door.printed(1, 'up');
    await executor.stop(2);
    await executor.stop(99);
    expect(await second).toMatchObject({ ending: null, fault: null, output: null });
    await executor.stop(1);
    expect((await first).ending).toEqual({ exitCode: null, signal: 'SIGTERM' });
  });

  test('during the preparation', async () => {
    const fetching = Promise.withResolvers<void>();
    const { executor, run } = await house({
      fetch: ({ signal }) => {
        fetching.resolve();
        return new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        );
      },
    });
    const report = run(attemptOrder(1, 'echo never'));
    await fetching.promise;
    await executor.stop(1);
    expect(await report).toMatchObject({ ending: null, fault: null, output: null });
  });

  test('an attempt that is over is ended and forgotten', async () => {
    const { executor, door, gone, directory } = await house();
    const fifo = await watchFifo(directory);
    await executor.start(
      attemptOrder(1, `exec 9>${fifo.path}; echo up; while :; do echo more; sleep 0.05; done`),
    );
    await door.printed(1, 'up');
    door.of(1).over = true;
    await gone(1);
    expect(await fifo.ended).toBe('');
  });
});

test('observe: pending, running until the report is stored, absent, and nothing about other hosts', async () => {
  const accepted = Promise.withResolvers<void>();
  const reported = Promise.withResolvers<void>();
  const finish = (): Promise<void> => {
    reported.resolve();
    return accepted.promise;
  };
  const door = createMemoryDoor({}, { finish });
  const { executor, gone, changed } = await house({ door, slots: 1 });
  const look = async (id: number): Promise<unknown> =>
    (await executor.observe([{ id, host: 'here' }])).get(id);
  const running = changed(1);
  await executor.start(attemptOrder(1, 'read -r line </dev/null || true'));
  await executor.start(attemptOrder(1, 'echo a repeated start is no second one'));
  await executor.start(attemptOrder(2, 'true'));
  expect(await look(2)).toEqual({ kind: 'pending' });
  await running;
  expect(await look(1)).toEqual({ kind: 'running', startedAt: expect.any(Date) });
  await reported.promise;
  expect(await look(1)).toMatchObject({ kind: 'running' });
  expect(await executor.observe([{ id: 1, host: 'elsewhere' }])).toEqual(new Map());
  const both = Promise.all([gone(1), gone(2)]);
  accepted.resolve();
  await both;
  expect(await look(1)).toEqual({ kind: 'absent' });
});

test('as many at once as there are slots, the oldest run first', async () => {
  const order: number[] = [];
  const door = createMemoryDoor({}, { started: async (attempt) => void order.push(attempt) });
  const { executor, run } = await house({ door, slots: 1 });
  const first = run(attemptOrder(50, 'echo up; sleep 1000'));
  await door.printed(50, 'up');
  const later = [
    run(attemptOrder(4, 'true', { run: { id: 9, number: 1 } })),
    run(attemptOrder(3, 'true', { run: { id: 8, number: 1 } })),
    run(attemptOrder(6, 'true', { run: { id: 2, number: 1 } })),
    run(attemptOrder(5, 'true', { run: { id: 2, number: 1 } })),
  ];
  await executor.stop(50);
  await Promise.all([first, ...later]);
  expect(order).toEqual([50, 5, 6, 3, 4]);
});

describe('orders that come in any sequence before anything has begun', () => {
  const of = (id: number): AttemptOrder => attemptOrder(id, 'true', { run: { id, number: 1 } });

  test.each([1, 2])('the oldest runs are first, with %i slots', async (slots) => {
    const order: number[] = [];
    const door = createMemoryDoor({}, { started: async (attempt) => void order.push(attempt) });
    const { run } = await house({ door, slots });
    const ids = [105, 101, 107, 100, 103, 106, 102, 104];
    const reports = await Promise.all(ids.map((id) => run(of(id))));
    expect(reports.map(({ ending, fault }) => [ending?.exitCode, fault])).toEqual(ids.map(() => [0, null]));
    const sorted = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);
    expect(sorted(order.slice(0, slots))).toEqual([100, 101].slice(0, slots));
    expect(slots === 1 ? order : sorted(order)).toEqual(sorted(ids));
  });

  test('what is put back has left its workspace before it comes again', async () => {
    const written = Promise.withResolvers<void>();
    const fetched: string[] = [];
    const { run, executor, door } = await house({
      slots: 1,
      fetch: async ({ attempt, directory }) => {
        fetched.push(`${attempt} begins`);
        if (attempt !== 9 || fetched.length > 1) return;
        void executor.start(of(8));
        await written.promise;
        await writeFile(join(directory, 'late'), '').catch(() => null);
        fetched.push('9 is late');
      },
    });
    const report = run(attemptOrder(9, 'ls', { run: { id: 9, number: 1 } }));
    const early = door.of(8).finished.promise;
    await executor.observe([]);
    written.resolve();
    await Promise.all([report, early]);
    expect(fetched).toEqual(['9 begins', '9 is late', '8 begins', '9 begins']);
    expect(door.text(9, 1)).toBe('');
  });

  test('one that is put back can be stopped, and one that has long been preparing keeps its slot', async () => {
    const clock = createManualClock();
    const order: number[] = [];
    const prepared = Promise.withResolvers<void>();
    const door = createMemoryDoor(
      {},
      {
        async input(attempt) {
          if (attempt !== 7) await prepared.promise;
          return { script: '', root: '0'.repeat(64), secrets: [], artifacts: null };
        },
        started: async (attempt) => void order.push(attempt),
      },
    );
    const { run, executor } = await house({ door, slots: 1, clock });
    const newest = run(of(9));
    const newer = run(of(8));
    await executor.stop(9);
    expect(await newest).toMatchObject({ ending: null, fault: null });
    clock.advance(1_000);
    const oldest = run(of(7));
    prepared.resolve();
    await Promise.all([newer, oldest]);
    expect(order).toEqual([8, 7]);
  });
});

test('GPUs are handed out; what asks for more than there is runs with a notice', async () => {
  const withGpus = (gpus: number | null): Partial<AttemptOrder> => ({
    resources: { cpu: null, memory: null, storage: null, gpus, vram: null },
  });
  const { executor, run, door } = await house({ gpus: ['0', '1'] });
  const script = 'echo "has:$CUDA_VISIBLE_DEVICES"; sleep 1000';
  const reports = [run(attemptOrder(1, script, withGpus(1))), run(attemptOrder(2, script, withGpus(1)))];
  await Promise.all([door.printed(1, 'has:0\n'), door.printed(2, 'has:1\n')]);
  reports.push(run(attemptOrder(3, script, withGpus(4))), run(attemptOrder(4, script, withGpus(null))));
  await door.printed(4, 'has:\n');
  expect(door.of(3).chunks).toEqual([]);
  await Promise.all([executor.stop(1), executor.stop(2)]);
  await door.printed(3, 'has:0,1\n');
  await Promise.all([executor.stop(3), executor.stop(4)]);
  const [one, , three] = await Promise.all(reports);
  expect(one?.notices).toEqual([]);
  expect(three?.notices).toEqual([expect.stringContaining('only 2 GPUs')]);
});

test('resources and images are recorded with notices', async () => {
  const { run } = await house();
  const resources = {
    cpu: '2',
    memory: { start: '8Gi', ceiling: null },
    storage: null,
    gpus: 1,
    vram: '24Gi',
  };
  const { notices } = await run(
    attemptOrder(1, 'test -z "${CUDA_VISIBLE_DEVICES+set}"', { resources, image: 'a/b:1' }),
  );
  expect(notices).toEqual([
    expect.stringContaining('not enforced'),
    expect.stringContaining('images'),
    expect.stringContaining('no GPU'),
  ]);
});

test('python is python3 where there is no other', async () => {
  const bin = await mkdtemp(join(root, 'bin'));
  await writeFile(join(bin, 'python3'), '#!/bin/sh\necho "three $*"\n', { mode: 0o755 });
  await symlink('/bin/sh', join(bin, 'sh'));
  const { run, door } = await house({ baseEnv: { PATH: bin } });
  await run(attemptOrder(1, 'python a "b c"'));
  expect(door.text(1, 1)).toBe('three a b c\n');
});

test('close ends everything without a report, so that it counts as lost', async () => {
  const { executor, door, directory } = await house({ slots: 1 });
  const fifo = await watchFifo(directory);
  const finished: number[] = [];
  for (const id of [1, 2]) void door.of(id).finished.promise.then(() => finished.push(id));
  await executor.start(
    attemptOrder(1, `trap 'echo bye' TERM; exec 9>${fifo.path}; echo up; sleep 1000 & wait; exit 1`),
  );
  await executor.start(attemptOrder(2, 'true'));
  await door.printed(1, 'up');
  await executor.close();
  await fifo.ended;
  expect(door.text(1, 1)).toBe('up\nbye\n');
  expect(finished).toEqual([]);
  await expect(executor.start(attemptOrder(3, 'true'))).rejects.toThrow('closing');
});

test.runIf(onLinux)('memory is that of all processes together', async () => {
  const mark = randomBytes(16).toString('hex');
  const both = [1, 2].map(() =>
    spawn('sleep', ['1000'], { env: { ...process.env, AME_MARK: mark }, stdio: 'ignore' }),
  );
  await Promise.all(both.map((child) => once(child, 'spawn')));
  const clock = createManualClock();
  const memory = watchMemory({ group: 0, mark }, clock);
  expect(memory.peak()).toBeNull();
  const sampled = clock.armed(2_000);
  clock.advance(250);
  await sampled;
  expect(memory.peak()).toBeGreaterThan(64 * 1024);
  memory.end();
  for (const child of both) child.kill();
});

test.runIf(onLinux)(
  'attempts share a look at the processes, but never one from before they began',
  async () => {
    const clock = createManualClock();
    for (let at = 0; at < 2; at += 1) {
      const mark = randomBytes(16).toString('hex');
      const env = { ...process.env, AME_MARK: mark };
      const child = spawn('sleep', ['1000'], { env, stdio: 'ignore' });
      await once(child, 'spawn');
      const memory = watchMemory({ group: 0, mark }, clock);
      const sampled = clock.armed(2_000);
      clock.advance(250);
      await sampled;
      expect(memory.peak()).toBeGreaterThan(64 * 1024);
      memory.end();
      child.kill();
    }
  },
);

describe('a server killed with SIGKILL', () => {
  /** A server of its own with one attempt, killed as soon as that has printed. */
  async function killedServer(directory: string, script: string, graceMs: number): Promise<void> {
    const program = fileURLToPath(new URL('local-server.ts', import.meta.url));
    const server = spawn(process.execPath, [program, directory, script, String(graceMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(server, 'exit');
    await once(server.stdout, 'data');
    server.kill('SIGKILL');
    await exited;
  }

  /** Opens the pipe as stdout and stderr of a shell, and leaves word that it did. */
  const hold = (fifo: { path: string }): string => `exec >>${fifo.path} 2>&1; : >${fifo.path}.held`;
  const whenHeld = (...fifos: { path: string }[]): string =>
    `until ${fifos.map((fifo) => `[ -e ${fifo.path}.held ]`).join(' && ')}; do sleep 0.01; done; echo up; wait`;

  test.runIf(onLinux)('leaves no child behind: TERM, and KILL after the grace', async () => {
    const directory = await mkdtemp(join(root, 'd'));
    const [gentle, stubborn, escaped] = [
      await watchFifo(directory),
      await watchFifo(directory),
      await watchFifo(directory),
    ];
    const script = [
      `(trap 'echo bye; exit' TERM; ${hold(gentle)}; sleep 1000 & wait) &`,
      `(trap '' TERM; ${hold(stubborn)}; exec sleep 1000) &`,
      `setsid sh -c 'trap "" TERM; ${hold(escaped)}; exec sleep 1000' &`,
      whenHeld(gentle, stubborn, escaped),
    ].join('\n');
    await killedServer(directory, script, 1);
    expect((await Promise.all([gentle.ended, stubborn.ended, escaped.ended]))[0]).toBe('bye\n');
  });

  test.runIf(onLinux)('what lives on is ended by the next one, and nothing else is', async () => {
    const directory = await mkdtemp(join(root, 'd'));
    const [stubborn, escaped] = [await watchFifo(directory), await watchFifo(directory)];
    const script = [
      `(trap '' TERM; ${hold(stubborn)}; exec sleep 1000) &`,
      `setsid sh -c 'trap "" TERM; ${hold(escaped)}; exec sleep 1000' &`,
      whenHeld(stubborn, escaped),
    ].join('\n');
    await killedServer(directory, script, 3_600_000);

    const innocent = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true });
    await once(innocent, 'spawn');
    const pid = innocent.pid ?? 0;
    const own = {
      pid,
      mark: 'none',
      startedAt: (await processStartTime(pid)) ?? '',
      bootId: await readBootId(),
    };
    for (const [name, record] of Object.entries({
      101: { ...own, startedAt: '1' },
      102: { ...own, bootId: 'earlier' },
      103: 'torn',
    })) {
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, 'process.json'), JSON.stringify(record));
    }

    await house({ directory });
    await Promise.all([stubborn.ended, escaped.ended]);
    expect(readdirSync(directory).filter((name) => /^\d/.test(name))).toEqual([]);
    expect(innocent.kill('SIGTERM')).toBe(true);
    expect(await once(innocent, 'exit')).toEqual([null, 'SIGTERM']);
  });
});
