import type { Classification } from './outcome/classes.ts';
import type { EnvVariable, Resources, SecretVariable } from './project.ts';
import type { AskedResources } from './resources.ts';
import type { Digest } from './snapshot.ts';

/** Everything an executor needs to start one attempt. Names of the outside world are made from `id`. */
export type AttemptOrder = {
  readonly id: number;
  readonly run: { readonly id: number; readonly number: number };
  readonly project: string;
  readonly projectId: number;
  readonly task: string;
  /** From 1 within the task of the run. */
  readonly number: number;
  readonly commit: string;
  readonly ref: string;
  readonly script: string;
  readonly env: readonly EnvVariable[];
  /** By name in the task's environment and by name in the project; none for code that is given none. */
  readonly secrets: readonly SecretVariable[];
  /** As the file says them. */
  readonly resources: Resources;
  /** What this attempt is given: the file's word, the administrator's where it has none, what earlier attempts taught. */
  readonly asked: AskedResources;
  readonly image: string | null;
  /** How long the command may run, seconds. */
  readonly timeout: number;
  /** At most what the workspace holds before the command starts. */
  readonly inheritedBytes: number;
};

/** How a process ended. A shell reports a signal as 128 + its number, so both read the same. */
export type Ending = {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** What the shell could not find, where the exit code is 127 and stderr names it. */
  readonly commandNotFound?: string | null;
  /** The kernel ended something of it for want of memory, not always the command itself. */
  readonly outOfMemory?: boolean;
};

export const faultClasses = [
  'conflict',
  'secret_missing',
  'content_refused',
  'restore_failed',
  'store_failed',
  'storage_full',
  'start_failed',
] as const;

/** Why an attempt could not run or could not be stored, although nothing of the user's ended badly. */
export type Fault = {
  readonly class: (typeof faultClasses)[number];
  readonly message: string;
};

/** What an executor sees of an attempt: what is, never what happened. */
export type Observation =
  | { readonly kind: 'absent' }
  /** `why` it still waits, in a sentence, where that is known. `exists`: something of it is there outside, to be missed. */
  | { readonly kind: 'pending'; readonly why?: string; readonly exists?: true }
  /** `taken`: it is being taken away, and this is what that will have been. */
  | { readonly kind: 'running'; readonly startedAt: Date; readonly taken?: Classification }
  /** `word`: what the executor says about it, for a report that leaves open what ended the command. */
  | { readonly kind: 'ended'; readonly report: AttemptReport; readonly word?: Classification }
  /** It is over, and nobody was there to report: what the executor can say about it. */
  | { readonly kind: 'over'; readonly ending: Classification };

/** Times of an attempt's phases. */
export type Phases = {
  readonly preparedFrom: Date | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly storedAt: Date | null;
};

/** The agent's word that an attempt is over, with everything it left already stored. */
export type AttemptReport = {
  readonly ending: Ending | null;
  readonly fault: Fault | null;
  readonly phases: Phases;
  /** The workspace as the task left it; `null` when it never came to be. */
  readonly output: Digest | null;
  readonly artifacts: readonly Artifact[];
  /** Said once a run to the user, such as which resources were not enforced. */
  readonly notices: readonly string[];
  readonly peakMemoryBytes: number | null;
  /** Of one core, in seconds. */
  readonly cpuSeconds?: number | null;
  /**
   * What ended the command before it would have ended by itself, where the agent did that on its own: its host took
   * it away (`taken`), or its time was over while nobody could be asked (`timeout`).
   */
  readonly interrupted?: 'taken' | 'timeout' | null;
  /** All files of `output` together, and those of them that are new or changed. */
  readonly outputBytes?: { readonly all: number; readonly changed: number } | null;
};

/** One file that a person gets back. `path` is text for people; bytes that are not UTF-8 are escaped. */
export type Artifact = {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
  readonly mode: number;
};

/** What an attempt starts from. */
export type AttemptInput = {
  /** What the command is: lines for `sh -e`. */
  readonly script: string;
  /** The merged workspace: the commit and everything the predecessors left. */
  readonly root: Digest;
  /** Values by environment variable; also what the masker hides. */
  readonly secrets: readonly EnvVariable[];
  /** Globs of what a person gets back; `null`: every new or changed file. */
  readonly artifacts: readonly string[] | null;
};

/** Lines of a log as they are stored and sent: at most 256 KiB of bytes, with the stream and time of each line. */
export type LogChunk = {
  /** From 0, without gaps. */
  readonly seq: number;
  readonly firstLine: number;
  /** Of the first byte, from the start of the attempt's log. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** One entry a line, in order: 1 stdout, 2 stderr, 0 AME itself; milliseconds since 1970; length in bytes with its newline. */
  readonly lines: readonly (readonly [stream: 0 | 1 | 2, at: number, bytes: number])[];
};

/**
 * What the agent may ask of AME on behalf of one attempt. In-process for the local executor, over HTTP for
 * a pod. Every call is refused with `AttemptOverError` once the attempt has ended.
 */
export type AttemptDoor = {
  /** Throws `AttemptFaultError` where predecessors conflict or a secret is missing. */
  input(attempt: number): Promise<AttemptInput>;
  /** Throws `BlobMissingError`. With `from` the content begins at this byte. */
  readBlob(attempt: number, digest: Digest, from?: number): Promise<ReadableStream<Uint8Array>>;
  /** Which of these the attempt's repository still has to be given. */
  missingBlobs(attempt: number, digests: readonly Digest[]): Promise<ReadonlySet<Digest>>;
  /** Throws `BlobMismatchError`. `again` gives the same content from its beginning, where the way may break off. */
  writeBlob(
    attempt: number,
    digest: Digest,
    content: ReadableStream<Uint8Array>,
    again?: () => ReadableStream<Uint8Array>,
  ): Promise<void>;
  started(attempt: number, at: Date): Promise<void>;
  appendLog(attempt: number, chunk: LogChunk): Promise<void>;
  finish(attempt: number, report: AttemptReport): Promise<void>;
  /** Not there where content comes through the door alone. */
  readonly signed?: SignedDoor;
};

/** A request that stores one blob in AME's store; whoever has it needs no key, for some minutes. */
export type SignedWrite = {
  readonly url: string;
  /** To be sent as they are. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names the upload when it is confirmed. */
  readonly upload: string;
  /** Whether the store itself refuses other bytes than the digest's; else AME reads them again when they are confirmed. */
  readonly checked: boolean;
};

/**
 * The way past the door, straight to the store of content, for several blobs at a time. What an answer does not name
 * goes through the door; `null`: there is no such way.
 */
export type SignedDoor = {
  /** Addresses that give the content for some minutes. */
  reads(attempt: number, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, string> | null>;
  writes(attempt: number, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, SignedWrite> | null>;
  /** Believes what was put there, after it is verified; answers with what was not as it should be. */
  confirm(
    attempt: number,
    uploads: readonly { readonly digest: Digest; readonly upload: string }[],
  ): Promise<ReadonlySet<Digest>>;
};

export class AttemptOverError extends Error {
  override name = 'AttemptOverError';
}

export class AttemptFaultError extends Error {
  override name = 'AttemptFaultError';
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}
