import type { Readable } from 'node:stream';
import {
  AttemptFaultError,
  AttemptOverError,
  type Artifact,
  type AttemptDoor,
  type AttemptInput,
  type AttemptReport,
  type Ending,
  type Fault,
  type Observation,
} from '../core/attempt.ts';
import { commandNotFound } from '../core/command-not-found.ts';
import { createMasker } from '../core/mask.ts';
import type { Digest } from '../core/snapshot.ts';
import type { Log } from '../log.ts';
import type { Clock } from './clock.ts';
import { keepTrying } from './keep-trying.ts';
import { shipLog, type Shipped } from './ship.ts';

/** How long a door or store that is away may hold up an attempt before it counts as a fault. */
const patienceMs = 10 * 60_000;

/** A command that was started, however the host does that. */
export type RunningCommand = {
  readonly startedAt: Date;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves once the command and all that it started are gone. */
  readonly ended: Promise<{
    readonly ending: Ending;
    readonly at: Date;
    readonly peakMemoryBytes: number | null;
  }>;
};

/** Puts a snapshot into an empty directory; what it answers with is handed to `CollectWorkspace` (file states, say). */
export type FetchWorkspace<Restored> = (request: {
  readonly door: AttemptDoor;
  readonly attempt: number;
  readonly root: Digest;
  readonly directory: string;
  readonly signal: AbortSignal;
}) => Promise<Restored>;

/** Stores what a command left; safe to repeat. */
export type CollectWorkspace<Restored> = (request: {
  readonly door: AttemptDoor;
  readonly attempt: number;
  readonly root: Digest;
  readonly restored: Restored;
  readonly directory: string;
  /** Globs of what a person gets back; `null`: every new or changed file. */
  readonly artifacts: readonly string[] | null;
  readonly signal: AbortSignal;
}) => Promise<{
  readonly output: Digest;
  readonly artifacts: readonly Artifact[];
  readonly notices?: readonly string[];
}>;

export type AttemptHost<Restored> = {
  readonly door: AttemptDoor;
  readonly fetch: FetchWorkspace<Restored>;
  readonly collect: CollectWorkspace<Restored>;
  /** Makes the workspace an empty directory. */
  readonly clear: () => Promise<void>;
  /** Starts the command; ends it and all that it started, gently first, once the signal aborts. */
  readonly start: (input: AttemptInput, signal: AbortSignal) => Promise<RunningCommand>;
  readonly clock: Clock;
  readonly log: Log;
};

export type AttemptSignals = {
  /** The attempt shall end: before the command runs at once, then by ending the command; what it left is kept. */
  readonly stop: AbortSignal;
  /** The host is closing: the command is ended, and the attempt is left without a report, as lost. */
  readonly closing: AbortSignal;
  /** Nothing is waited for any more. */
  readonly halt: AbortSignal;
};

export type AttemptRequest = {
  readonly attempt: number;
  readonly workspace: string;
  readonly notices: readonly string[];
  readonly signals: AttemptSignals;
  /** Told of every change of what is true. */
  readonly observed: (observation: Observation) => void;
};

/** The host is closing, and the attempt goes without a report. */
class AbandonedError extends Error {
  override name = 'AbandonedError';
}

/** What is known of an attempt while it goes on; ends as its report. */
type Draft = { -readonly [Key in keyof AttemptReport]: AttemptReport[Key] };

/**
 * One attempt from its input to its report: prepare, run, ship the log, collect, finish. Resolves when the
 * door has accepted the report, when it said that the attempt is over, or when the host closes.
 */
export async function runAttempt<Restored>(
  host: AttemptHost<Restored>,
  request: AttemptRequest,
): Promise<void> {
  const { clock, log, door } = host;
  const { attempt, signals } = request;
  const onFailure = (error: unknown): void =>
    log.warn({ attempt, error }, 'attempt is waiting for the world');
  try {
    const report = await perform(host, request, onFailure);
    await keepTrying(() => door.finish(attempt, report), { clock, signal: signals.halt, onFailure });
  } catch (error) {
    if (error instanceof AttemptOverError || error instanceof AbandonedError || signals.halt.aborted) return;
    throw error;
  }
}

async function perform<Restored>(
  host: AttemptHost<Restored>,
  request: AttemptRequest,
  onFailure: (error: unknown) => void,
): Promise<AttemptReport> {
  const { clock, door } = host;
  const { attempt, workspace, signals } = request;
  const preparing = AbortSignal.any([signals.stop, signals.closing, signals.halt]);
  const draft: Draft = {
    ending: null,
    fault: null,
    phases: { preparedFrom: new Date(clock.now()), startedAt: null, endedAt: null, storedAt: null },
    output: null,
    artifacts: [],
    notices: request.notices,
    peakMemoryBytes: null,
  };
  /** What to call a failure from here on. */
  let faultClass: Fault['class'] = 'restore_failed';
  let secrets: readonly string[] = [];
  const patiently = <T>(signal: AbortSignal, action: () => Promise<T>): Promise<T> =>
    keepTrying(action, { clock, signal, milliseconds: patienceMs, onFailure });

  try {
    const input = await patiently(preparing, () => door.input(attempt));
    secrets = input.secrets.map(({ value }) => value);
    const restored = await patiently(preparing, async () => {
      await host.clear();
      return host.fetch({ door, attempt, root: input.root, directory: workspace, signal: preparing });
    });
    faultClass = 'start_failed';
    await patiently(preparing, () => door.started(attempt, new Date(clock.now())));
    const ended = await runCommand(host, request, input, draft, onFailure);
    draft.ending = ended;
    if (signals.closing.aborted) throw new AbandonedError('the host is closing');

    faultClass = 'store_failed';
    const collected = await patiently(signals.halt, () =>
      host.collect({
        door,
        attempt,
        root: input.root,
        restored,
        directory: workspace,
        artifacts: input.artifacts,
        signal: signals.halt,
      }),
    );
    draft.output = collected.output;
    draft.artifacts = collected.artifacts;
    draft.notices = [...draft.notices, ...(collected.notices ?? [])];
    draft.phases = { ...draft.phases, storedAt: new Date(clock.now()) };
  } catch (error) {
    if (error instanceof AttemptOverError || error instanceof AbandonedError) throw error;
    if (signals.closing.aborted || signals.halt.aborted)
      throw new AbandonedError('the host is closing', { cause: error });
    // Stopped before the command ran: it ended without an ending, and that is nobody's fault.
    if (!(signals.stop.aborted && draft.phases.startedAt === null)) draft.fault = faultOf(error, faultClass);
  }
  return withoutSecrets(draft, secrets);
}

/** Runs the command until it and its log have ended; writes down what becomes known on the way. */
async function runCommand<Restored>(
  host: AttemptHost<Restored>,
  request: AttemptRequest,
  input: AttemptInput,
  draft: Draft,
  onFailure: (error: unknown) => void,
): Promise<Ending> {
  const { attempt, signals } = request;
  const { clock, door } = host;
  const logLost = new AbortController();
  const ending = AbortSignal.any([signals.stop, signals.closing, signals.halt, logLost.signal]);
  ending.throwIfAborted();
  const command = await host.start(input, ending);
  draft.phases = { ...draft.phases, startedAt: command.startedAt };
  request.observed({ kind: 'running', startedAt: command.startedAt });

  const shipping = shipLog({
    stdout: command.stdout,
    stderr: command.stderr,
    secrets: input.secrets.map((secret) => secret.value),
    append: (chunk) => door.appendLog(attempt, chunk),
    signal: signals.halt,
    clock,
    onFailure,
  }).catch((error: unknown): Shipped => {
    // Without a log nobody would see what the command does: it ends, and the reason is thrown below.
    logLost.abort(error);
    return { stderrTail: new Uint8Array(0) };
  });
  const { ending: plain, at, peakMemoryBytes } = await command.ended;
  draft.phases = { ...draft.phases, endedAt: at };
  draft.peakMemoryBytes = peakMemoryBytes;
  const { stderrTail } = await shipping;
  const missing = plain.exitCode === 127 ? commandNotFound(new TextDecoder().decode(stderrTail)) : null;
  draft.ending = missing === null ? plain : { ...plain, commandNotFound: missing };
  if (logLost.signal.aborted) {
    throw logLost.signal.reason instanceof AttemptOverError
      ? logLost.signal.reason
      : new AttemptFaultError({
          class: 'store_failed',
          message: `the log could not be stored: ${textOf(logLost.signal.reason)}`,
        });
  }
  return draft.ending;
}

/** Names of files may hold a secret as well as any output, and a report's words are shown where logs are. */
function withoutSecrets(report: AttemptReport, secrets: readonly string[]): AttemptReport {
  const mask = (text: string): string => {
    const masker = createMasker(secrets);
    return Buffer.concat([masker.push(Buffer.from(text)), masker.end()]).toString('utf8');
  };
  const { fault, notices } = report;
  return {
    ...report,
    fault: fault && { ...fault, message: mask(fault.message) },
    notices: notices.map(mask),
  };
}

function faultOf(error: unknown, faultClass: Fault['class']): Fault {
  return error instanceof AttemptFaultError ? error.fault : { class: faultClass, message: textOf(error) };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
