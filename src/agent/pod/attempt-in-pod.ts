import { AttemptFaultError, AttemptOverError, type AttemptInput, type Fault } from '../../core/attempt.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../clock.ts';
import { patienceMs } from '../door-calls.ts';
import { DoorAwayError } from '../door-refusal.ts';
import { createHttpDoor, type HttpDoorOptions } from '../http-door.ts';
import { runAttempt } from '../run-attempt.ts';
import type { EntryTalk } from './entry-talk.ts';
import type { LastWord } from './last-word.ts';
import type { Pipes } from './pipes.ts';
import type { PodPlaces } from './places.ts';
import { podHost } from './pod-host.ts';
import { openProgress } from './resume.ts';

export type PodAttemptOptions = {
  readonly attempt: number;
  /** Of the agent's door. */
  readonly url: string;
  readonly token: string;
  readonly timeoutMs: number;
  readonly graceMs: number;
  /** How long a command that has ended may hold its machine until all is stored. */
  readonly storeMs: number;
  /** How long the door's first answer is waited for. */
  readonly reachMs: number;
  readonly places: PodPlaces;
  readonly pipes: Pipes;
  readonly talk: EntryTalk;
  /** Aborts when the pod is being taken away. */
  readonly taken: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * One attempt in its pod, from the beginning or from where an earlier agent was when it died. Answers with why it ends
 * where the door may not know it, null where all is said.
 */
export async function attemptInPod(options: PodAttemptOptions): Promise<LastWord | null> {
  const { attempt, url, token, clock, log, taken } = options;
  const progress = await openProgress(options.places.state, { preparedFrom: new Date(clock.now()) });
  if (progress.now().isReported) return null;
  let failure: unknown = null;
  const onFailure = (error: unknown): void => {
    failure = error;
    log.warn({ attempt, error }, 'the agent is waiting for the world');
  };
  // A door that was reached is waited for as long as anything may hold the machine.
  const patience = Math.max(patienceMs, options.storeMs);
  const reached: HttpDoorOptions = { url, attempt, token, clock, onFailure, patience };
  /** Milliseconds that a command which ended then may still hold its machine. */
  const left = (endedAt: Date): number => Math.max(0, endedAt.getTime() + options.storeMs - clock.now());
  const { startedAt, endedAt } = progress.now();
  const first = await firstInput({
    ...reached,
    signal: taken,
    ...(startedAt === null && { patience: options.reachMs }),
    ...(endedAt !== null && { patience: left(endedAt) }),
  });
  if (first instanceof DoorAwayError)
    return startedAt === null || endedAt === null
      ? unreachable(url, first)
      : notStored(options.storeMs, first);
  if (first instanceof AttemptOverError) return { code: 'attempt-over', sentence: first.message };

  const halt = new AbortController();
  const bound: { cancel: (() => void) | null } = { cancel: null };
  const host = podHost(options, {
    progress,
    door: createHttpDoor({ ...reached, signal: halt.signal }),
    input: first instanceof Error ? null : first,
    async ended(at) {
      const since = progress.now().endedAt ?? at;
      bound.cancel ??= clock.after(left(since), () => halt.abort(new Error('it took too long')));
      // A full disk: whoever takes over counts from when it sees the end.
      if (progress.now().endedAt === null) await progress.save({ endedAt: since }).catch(() => {});
      return since;
    },
  });
  try {
    const told = await runAttempt(host, {
      attempt,
      workspace: options.places.workspace,
      notices: [],
      preparedFrom: progress.now().preparedFrom,
      interrupted: () => (taken.aborted ? 'taken' : null),
      signals: { stop: taken, closing: new AbortController().signal, halt: halt.signal },
      observed: () => {},
    });
    // Where nobody knows how it ended, what it printed until then is there all the same.
    await host.shipped();
    if (told === 'reported') await progress.save({ isReported: true });
    if (told === 'over') return { code: 'attempt-over', sentence: 'AME has ended this attempt before.' };
    if (told === 'reported') return wordOfFault(host.fault());
    if (!halt.signal.aborted)
      return { code: 'task-died', sentence: 'The container of the command ended without a word.' };
    return progress.now().startedAt === null && failure instanceof DoorAwayError
      ? unreachable(url, failure)
      : notStored(options.storeMs, failure);
  } catch (error) {
    if (error instanceof DoorAwayError) return unreachable(url, error);
    if (error instanceof AttemptFaultError) return { code: 'refused', sentence: error.message };
    throw error;
  } finally {
    bound.cancel?.();
  }
}

/** What the door says first, or how it fails. A pod that is taken away meanwhile only reports that. */
async function firstInput(options: HttpDoorOptions): Promise<AttemptInput | Error> {
  try {
    return await createHttpDoor(options).input(options.attempt);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function unreachable(url: string, error: DoorAwayError): LastWord {
  return {
    code: 'door-unreachable',
    sentence: `The agent cannot reach AME at ${url}: ${error.message}. Set AME_AGENT_URL to an address of AME that pods reach.`,
  };
}

/** The machine is let go. Its door was reached before the command began: how pods reach it is set right. */
function notStored(storeMs: number, failure: unknown): LastWord {
  const seconds = Math.round(storeMs / 1_000);
  const sentence = `What it left was not stored within ${seconds} s of its end, and its machine is let go: ${textOf(failure)}`;
  return { code: 'store-failed', sentence };
}

function wordOfFault(fault: Fault | null): LastWord | null {
  if (fault === null) return null;
  const codes = {
    restore_failed: 'restore-failed',
    store_failed: 'store-failed',
    start_failed: 'start-failed',
  } as const;
  const known = Object.entries(codes).find(([name]) => name === fault.class);
  return { code: known?.[1] ?? 'failed', sentence: fault.message };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : 'nobody said why';
}
