import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../agent/clock.ts';
import { runAttempt, type CollectWorkspace, type FetchWorkspace } from '../../agent/run-attempt.ts';
import type { AttemptDoor, AttemptInput, AttemptOrder, Observation } from '../../core/attempt.ts';
import type { Log } from '../../log.ts';
import type { Executor } from '../executor.ts';
import { taskEnvironment } from './environment.ts';
import { findGpus } from './gpus.ts';
import { endLeftovers } from './leftovers.ts';
import { localNotices } from './notices.ts';
import { createOutputs } from './outputs.ts';
import { preparePythonShim } from './python-shim.ts';
import { removeDirectory } from './remove-directory.ts';
import { createSlots } from './slots.ts';
import { startCommand } from './start-command.ts';

export type LocalExecutorOptions<Restored> = {
  /** Where attempts live while they run; nobody else's. */
  readonly directory: string;
  /** Attempts at once. */
  readonly slots: number;
  /** The name under which attempts of this machine are stored. */
  readonly host: string;
  readonly door: AttemptDoor;
  readonly fetch: FetchWorkspace<Restored>;
  readonly collect: CollectWorkspace<Restored>;
  /** PATH and what the administrator lists: all that tasks get of the server's environment. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** Between TERM and KILL, milliseconds. */
  readonly graceMs: number;
  readonly log: Log;
  /** Ids for CUDA_VISIBLE_DEVICES; without it the driver is asked. */
  readonly gpus?: readonly string[];
  readonly clock?: Clock;
};

/** How long after it was given its slot an attempt may have to give it back: what is lost by that at most. */
const putBackWithinMs = 1_000;

type Entry = {
  readonly order: AttemptOrder;
  readonly stop: AbortController;
  /** Sends the attempt back to those that wait, as if it had never had a slot; `null` once it was used. */
  putBack: AbortController | null;
  /** When it was given its slot; `null` while it waits, and once its command starts or its end is told. */
  preparingSince: number | null;
  observation: Observation;
  done: Promise<void>;
};

/**
 * Runs attempts as processes of this machine, with the server's rights. First ends what an earlier server left
 * in the directory, which therefore must not be in use by another one.
 */
export async function createLocalExecutor<Restored>(
  options: LocalExecutorOptions<Restored>,
): Promise<Executor> {
  const { directory, door, log, graceMs, host, clock = systemClock } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await endLeftovers(directory, log);
  const path = options.baseEnv['PATH'] ?? '';
  const shimDirectory = await preparePythonShim(join(directory, 'bin'), path);
  const openOutputs = await createOutputs(join(directory, 'outputs'));
  const gpus = options.gpus ?? (await findGpus(path));
  const entries = new Map<number, Entry>();
  const wakes: ((attempt: number) => void)[] = [];
  const closing = new AbortController();
  const halt = new AbortController();
  const slots = createSlots({ slots: options.slots, gpus });

  function observed(entry: Entry, observation: Observation): void {
    entry.observation = observation;
    wakeAll(entry.order.id);
  }

  function wakeAll(attempt: number): void {
    for (const wake of wakes) wake(attempt);
  }

  /** Starts as many of the waiting attempts as there is room for. */
  function fill(): void {
    for (let taken = slots.take(); taken !== null; taken = slots.take()) {
      const entry = entries.get(taken.order.id);
      if (entry !== undefined) launch(entry, taken.gpus);
    }
  }

  function launch(entry: Entry, own: readonly string[]): void {
    const attempt = entry.order.id;
    entry.preparingSince = clock.now();
    entry.done = run(entry, own)
      .catch((error: unknown) => log.error({ attempt, error }, 'attempt failed'))
      .then(() => {
        const isPutBack = entry.putBack?.signal.aborted === true && entry.preparingSince !== null;
        if (isPutBack) entry.putBack = null;
        entry.preparingSince = null;
        slots.free(attempt);
        if (isPutBack && !closing.signal.aborted) {
          if (entry.stop.signal.aborted) launch(entry, []);
          else slots.wait(entry.order);
        } else {
          entries.delete(attempt);
          wakeAll(attempt);
        }
        fill();
      });
  }

  /**
   * Runs are looked at several at once, so that after a restart the orders of those that waited come in any sequence
   * (measured: the sixth of sixteen first). Whoever came too early makes room as long as nothing of it has begun, once.
   */
  function makeRoomFor(order: AttemptOrder): void {
    const since = clock.now() - putBackWithinMs;
    const [newest] = [...entries.values()]
      .filter((entry) => (entry.preparingSince ?? -Infinity) > since && entry.order.run.id > order.run.id)
      .filter((entry) => entry.putBack?.signal.aborted === false && !entry.stop.signal.aborted)
      .sort((a, b) => b.order.run.id - a.order.run.id || b.order.id - a.order.id);
    newest?.putBack?.abort();
  }

  /** The door for one attempt: from its first word there on that it starts or ends, it keeps its slot. */
  function doorOf(entry: Entry): AttemptDoor {
    return {
      ...door,
      started(attempt, at) {
        entry.preparingSince = null;
        return door.started(attempt, at);
      },
      finish(attempt, report) {
        entry.preparingSince = null;
        return door.finish(attempt, report);
      },
    };
  }

  async function run(entry: Entry, own: readonly string[]): Promise<void> {
    const { order, stop } = entry;
    const putBack = entry.putBack?.signal ?? new AbortController().signal;
    let prepared: Promise<unknown> = Promise.resolve();
    /** Whoever is put back comes again into the same directory, so nothing of this time may still be writing there. */
    const prepare = <T>(work: () => Promise<T>): Promise<T> => {
      putBack.throwIfAborted();
      const done = work();
      prepared = done.catch(() => null);
      return done;
    };
    const attemptDirectory = join(directory, String(order.id));
    const workspace = join(attemptDirectory, 'workspace');
    const home = join(attemptDirectory, 'home');
    const tmp = join(attemptDirectory, 'tmp');
    const environment = (input: AttemptInput, mark: string): Record<string, string> =>
      taskEnvironment({
        order,
        secrets: input.secrets,
        baseEnv: options.baseEnv,
        shimDirectory,
        home,
        tmp,
        gpus: gpus.length === 0 ? null : own,
        mark,
      });
    try {
      await runAttempt(
        {
          door: doorOf(entry),
          fetch: async (request) => prepare(() => options.fetch(request)),
          collect: options.collect,
          clock,
          log,
          clear: async () =>
            prepare(async () => {
              await removeDirectory(attemptDirectory);
              await mkdir(attemptDirectory, { recursive: true, mode: 0o700 });
              for (const each of [workspace, home, tmp]) await mkdir(each, { mode: 0o700 });
            }),
          start: (input, signal) =>
            startCommand({
              directory: attemptDirectory,
              workspace,
              openOutputs,
              script: order.script,
              env: (mark) => environment(input, mark),
              graceMs,
              clock,
              signal,
            }),
        },
        {
          attempt: order.id,
          workspace,
          notices: localNotices(order, gpus.length),
          signals: {
            stop: stop.signal,
            closing: AbortSignal.any([closing.signal, putBack]),
            halt: halt.signal,
          },
          observed: (observation) => observed(entry, observation),
        },
      );
    } finally {
      if (putBack.aborted) await prepared;
      await removeDirectory(attemptDirectory).catch((error: unknown) =>
        log.warn({ attempt: order.id, error }, 'workspace not removed'),
      );
    }
  }

  return {
    name: 'local',
    async start(order) {
      if (closing.signal.aborted) throw new Error('the local executor is closing');
      if (entries.has(order.id)) return;
      entries.set(order.id, {
        order,
        stop: new AbortController(),
        putBack: new AbortController(),
        preparingSince: null,
        observation: { kind: 'pending' },
        done: Promise.resolve(),
      });
      slots.wait(order);
      fill();
      if (slots.waits(order.id)) makeRoomFor(order);
    },
    async observe(attempts) {
      const ours = attempts.filter((attempt) => attempt.host === null || attempt.host === host);
      return new Map(ours.map(({ id }) => [id, entries.get(id)?.observation ?? { kind: 'absent' }]));
    },
    async stop(attempt) {
      const entry = entries.get(attempt);
      entry?.stop.abort();
      // One that waits needs no slot to end: it is over at once, and says so.
      if (entry !== undefined && slots.leave(attempt)) launch(entry, []);
    },
    watch(wake) {
      wakes.push(wake);
    },
    async close() {
      closing.abort();
      for (const attempt of slots.clear()) entries.delete(attempt);
      const done = Promise.all([...entries.values()].map((entry) => entry.done));
      // What was printed last and what has been stored may still find their way; then it is enough.
      const cancel = clock.after(graceMs + 2_000, () => halt.abort());
      await done;
      cancel();
    },
  };
}
