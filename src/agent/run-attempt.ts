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
import { shipLog, type Shipped, type ShipOptions } from './ship.ts';

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
    readonly cpuSeconds?: number | null;
    readonly interrupted?: AttemptReport['interrupted'];
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
  readonly outputBytes?: NonNullable<AttemptReport['outputBytes']>;
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
  /** Waited for before the door is told that the attempt starts; without it `start` comes at once. */
  readonly ready?: (signal: AbortSignal) => Promise<void>;
  /** Another way for the log than `shipLog`, such as one that outlives this process. */
  readonly ship?: (options: ShipOptions) => Promise<Shipped>;
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
  /** When an earlier process began with it. */
  readonly preparedFrom?: Date;
  /** What to say of an attempt that was stopped before its command ran. */
  readonly interrupted?: () => AttemptReport['interrupted'];
  readonly signals: AttemptSignals;
  /** Told of every change of what is true. */
  readonly observed: (observation: Observation) => void;
};

/** The attempt goes without a report: the host is closing, or nobody here saw how the command ended. */
export class AbandonedError extends Error {
  override name = 'AbandonedError';
}

/** What is known of an attempt while it goes on; ends as its report. */
type Draft = { -readonly [Key in keyof AttemptReport]: AttemptReport[Key] };

/** The door has the report; the door said that the attempt is over; nobody reported. */
export type AttemptTold = 'reported' | 'over' | 'abandoned';

/**
 * One attempt from its input to its report: prepare, run, ship the log, collect, finish. Resolves when the
 * door has accepted the report, when it said that the attempt is over, or when the host closes.
 */
export async function runAttempt<Restored>(
  host: AttemptHost<Restored>,
  request: AttemptRequest,
): Promise<AttemptTold> {
  const { clock, log, door } = host;
  const { attempt, signals } = request;
  const onFailure = (error: unknown): void =>
    log.warn({ attempt, error }, 'attempt is waiting for the world');
  try {
    const report = await perform(host, request, onFailure);
    await keepTrying(() => door.finish(attempt, report), { clock, signal: signals.halt, onFailure });
    return 'reported';
  } catch (error) {
    if (error instanceof AttemptOverError) return 'over';
    if (error instanceof AbandonedError || signals.halt.aborted) return 'abandoned';
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
    phases: {
      preparedFrom: request.preparedFrom ?? new Date(clock.now()),
      startedAt: null,
      endedAt: null,
      storedAt: null,
    },
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
    await host.ready?.(preparing);
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
    if (collected.outputBytes !== undefined) draft.outputBytes = collected.outputBytes;
    draft.artifacts = collected.artifacts;
    draft.notices = [...draft.notices, ...(collected.notices ?? [])];
    draft.phases = { ...draft.phases, storedAt: new Date(clock.now()) };
  } catch (error) {
    if (error instanceof AttemptOverError || error instanceof AbandonedError) throw error;
    if (signals.closing.aborted || signals.halt.aborted)
      throw new AbandonedError('the host is closing', { cause: error });
    // Stopped before the command ran: it ended without an ending, and that is nobody's fault.
    if (!(signals.stop.aborted && draft.phases.startedAt === null)) draft.fault = faultOf(error, faultClass);
    else if (request.interrupted) {
      draft.interrupted = request.interrupted() ?? null;
      // There is nothing to store: from here on only who took it away has something to say.
      draft.phases = { ...draft.phases, storedAt: new Date(clock.now()) };
    }
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

  const shipping = (host.ship ?? shipLog)({
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
  const { ending: plain, at, peakMemoryBytes, cpuSeconds, interrupted } = await command.ended;
  draft.phases = { ...draft.phases, endedAt: at };
  draft.peakMemoryBytes = peakMemoryBytes;
  if (cpuSeconds !== undefined) draft.cpuSeconds = cpuSeconds;
  if (interrupted !== undefined) draft.interrupted = interrupted;
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
  const masker = createMasker(secrets);
  const mask = (text: string): string => {
    // Its end brings it back to its beginning.
    return Buffer.concat([masker.push(Buffer.from(text)), masker.end()]).toString('utf8');
  };
  const { fault, notices, artifacts } = report;
  const paths = apart(artifacts.map(({ path }) => mask(path)));
  return {
    ...report,
    fault: fault && { ...fault, message: mask(fault.message) },
    notices: notices.map(mask),
    artifacts: artifacts.map((artifact, at) => ({ ...artifact, path: paths[at] ?? artifact.path })),
  };
}

/** Paths of which several became the same once something in them was hidden, with a number behind all but the first. */
function apart(paths: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return paths.map((path) => {
    let name = path;
    for (let number = 2; taken.has(name); number += 1) name = `${path} (${number})`;
    taken.add(name);
    return name;
  });
}

function faultOf(error: unknown, faultClass: Fault['class']): Fault {
  return error instanceof AttemptFaultError ? error.fault : { class: faultClass, message: textOf(error) };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
