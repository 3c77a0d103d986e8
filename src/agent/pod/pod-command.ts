import { once } from 'node:events';
import type { AttemptReport } from '../../core/attempt.ts';
import type { Clock } from '../clock.ts';
import { AbandonedError, type RunningCommand } from '../run-attempt.ts';
import { EntryGoneError, type EntryTalk } from './entry-talk.ts';
import type { Pipes } from './pipes.ts';
import { watchUse } from './watch-use.ts';

/** How long the agent's own hook is waited for when the other one was there first, milliseconds. */
const hookMs = 10_000;
/** A word that is not answered is said again after this many milliseconds, then after twice that, up to the most. */
const sayAgainMs = 200;
const sayAgainAtMostMs = 5_000;
/** What is left of a command after KILL is killed once more this often: it may have been forking. */
const killAgainMs = 1_000;

export type PodCommandOptions = {
  readonly pipes: Pick<Pipes, 'out' | 'err'>;
  readonly talk: EntryTalk;
  /** When an earlier agent started it; null: it has not begun. */
  readonly startedAt: Date | null;
  readonly timeoutMs: number;
  /** Between TERM and KILL. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** Ends the command: TERM to all that it started, then KILL. */
  readonly signal: AbortSignal;
  /** Aborts when the pod is being taken away. */
  readonly taken: AbortSignal;
};

/**
 * Lets the entry begin, or goes on with a command that an earlier agent began. Resolves once the command runs, and
 * `ended` with what the entry says when nobody is left who could forge it. Throws `AbandonedError` where the entry
 * is gone without having said how the command ended, which only the cluster can tell then.
 */
export async function startPodCommand(options: PodCommandOptions): Promise<RunningCommand> {
  const { pipes, talk, clock, signal } = options;
  // Everything that is said to the entry after its command has ended it answers with the command's end.
  const begun = await talk
    .ask({
      word: 'go',
      pick: (word) => (word.kind === 'started' || word.kind === 'exit' ? word : null),
      firstMs: sayAgainMs,
      mostMs: sayAgainAtMostMs,
      signal,
    })
    .catch(abandonWhenGone);
  const startedAt = options.startedAt ?? new Date(clock.now());
  return {
    startedAt,
    stdout: pipes.out,
    stderr: pipes.err,
    ended: waitForEnd(options, startedAt, begun.kind === 'exit').catch(abandonWhenGone),
  };
}

/** Without an entry nobody here knows how the command ended. */
export function abandonWhenGone(error: unknown): never {
  if (error instanceof EntryGoneError)
    throw new AbandonedError('the container of the command ended without a word', { cause: error });
  throw error;
}

async function waitForEnd(
  options: PodCommandOptions,
  startedAt: Date,
  isOver: boolean,
): Promise<Awaited<RunningCommand['ended']>> {
  const { pipes, talk, clock } = options;
  const use = watchUse(talk, clock);
  const end = isOver ? null : endInTime(options, startedAt);
  let at: Date | null = null;
  const unlisten = talk.listen((word) => {
    if (word.kind !== 'exit') return;
    at ??= new Date(clock.now());
    // Whether this is true is not asked yet. While a command runs its entry passes over the word.
    talk.say('close');
  });
  try {
    await Promise.all([closed(pipes.out), closed(pipes.err)]);
    // Both can end only after the command and all that it started: the entry holds them.
    const nonce = Math.trunc(clock.now()).toString(36) + startedAt.getTime().toString(36);
    const exit = await talk.ask({
      word: `ask ${nonce}`,
      pick: (word) => (word.kind === 'exit' && word.nonce === nonce ? word : null),
      firstMs: sayAgainMs,
      mostMs: sayAgainAtMostMs,
    });
    return {
      ending: { exitCode: exit.code, signal: null, outOfMemory: (exit.use.outOfMemory ?? 0) > 0 },
      at: at ?? new Date(clock.now()),
      peakMemoryBytes: use.peak(),
      cpuSeconds: exit.use.cpuSeconds,
      interrupted: (await end?.interrupted()) ?? null,
    };
  } finally {
    unlisten();
    end?.cancel();
    use.end();
  }
}

async function closed(stream: Pipes['out']): Promise<void> {
  if (!stream.closed) await once(stream, 'close');
}

/** Ends the command when it shall: asked to by the signal, or because its time is over and nobody may be there to ask. */
function endInTime(options: PodCommandOptions, startedAt: Date) {
  const { talk, clock, signal, graceMs } = options;
  let interrupted: AttemptReport['interrupted'] = null;
  let asked = false;
  /** Or so it was said; who says so itself is asked to end all the same. */
  let over = false;
  let cancelKill = (): void => {};
  /** Somebody next door says that the pod is being taken away; our own hook knows. */
  let announced = false;
  const unlisten = talk.listen((word) => {
    announced ||= word.kind === 'taken' && !over;
    over ||= word.kind === 'exit';
  });

  function ask(why: AttemptReport['interrupted']): void {
    if (asked) return;
    asked = true;
    interrupted = over ? null : why;
    talk.say('term');
    const kill = (): void => {
      talk.say('kill');
      cancelKill = clock.after(killAgainMs, kill);
    };
    cancelKill = clock.after(graceMs, kill);
  }

  const stop = (): void => ask(options.taken.aborted ? 'taken' : null);
  const left = startedAt.getTime() + options.timeoutMs - clock.now();
  const cancelDeadline = clock.after(Math.max(0, Math.min(left, 2 ** 31 - 1)), () => ask('timeout'));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return {
    async interrupted(): Promise<AttemptReport['interrupted']> {
      if (interrupted !== null || !announced) return interrupted;
      return (await comesSoon(options.taken, clock)) ? 'taken' : null;
    },
    cancel() {
      unlisten();
      cancelKill();
      cancelDeadline();
      signal.removeEventListener('abort', stop);
    },
  };
}

/** Whether the signal aborts before long. */
async function comesSoon(signal: AbortSignal, clock: Clock): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(hookMs, resolve);
  signal.addEventListener('abort', () => resolve(), { once: true });
  if (!signal.aborted) await promise;
  cancel();
  return signal.aborted;
}
