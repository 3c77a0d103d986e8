import type { AttemptInput, AttemptReport, Fault, LogChunk, SignedWrite } from './attempt.ts';
import { logLimits } from './log-lines.ts';
import type { Digest } from './snapshot.ts';

/** The agent's door as it goes over HTTP: what both of its ends say in the same way. */

/** What the door takes at most; more is refused with 413. */
export const doorLimits = {
  /** Digests of one question. */
  digests: 1_000,
  /** Blobs of one question about ways past the door: each answer is signed. */
  signed: 200,
  /** Bytes of one chunk of a log with its lines: 8 Ki of them take some 25 bytes each. */
  logBody: logLimits.chunk + 64 * logLimits.lines,
  /** Bytes of any other JSON but a report. */
  json: 256 * 1024,
  /** Bytes of a report: some 250 for each artifact. */
  report: 64 * 1024 ** 2,
  /** Bytes of one blob. */
  blob: 1024 ** 4,
};

export type DoorLimits = typeof doorLimits;

/** Where everything about one attempt is asked. */
export function doorPath(attempt: number): string {
  return `/agent/v1/attempts/${attempt}`;
}

/** What a refusal means, whatever its words are. */
export type DoorRefusal =
  | 'attempt-over'
  | 'attempt-fault'
  | 'blob-missing'
  | 'blob-mismatch'
  | 'token-needed'
  | 'token-foreign'
  | 'not-valid'
  | 'not-found'
  | 'too-large'
  | 'too-slow'
  /** The answer is being worked out, for however long that takes. */
  | 'being-prepared'
  | 'database-away'
  | 'store-away'
  | 'internal';

/** The body of every refusal; `fault` where the code is `attempt-fault`. */
export type DoorRefusalBody = {
  readonly error: { readonly code: DoorRefusal; readonly message: string };
  readonly fault?: Fault;
};

export type InputAnswer = AttemptInput;
export type MissingQuestion = { readonly digests: readonly Digest[] };
export type MissingAnswer = { readonly missing: readonly Digest[] };
export type SignedQuestion = MissingQuestion;
/** `null` where there is no way past the door. */
export type SignedReadsAnswer = {
  readonly reads: readonly { readonly digest: Digest; readonly url: string }[] | null;
};
export type SignedWritesAnswer = {
  readonly writes: readonly (SignedWrite & { readonly digest: Digest })[] | null;
};
export type ConfirmQuestion = {
  readonly uploads: readonly { readonly digest: Digest; readonly upload: string }[];
};
export type ConfirmAnswer = { readonly refused: readonly Digest[] };
/** An ISO time. */
export type StartedWord = { readonly at: string };
/** A report with its times as ISO texts. */
export type ReportWord = Omit<AttemptReport, 'phases'> & {
  readonly phases: { readonly [Phase in keyof AttemptReport['phases']]: string | null };
};

/** A report as JSON carries it. */
export function reportWord(report: AttemptReport): ReportWord {
  const time = (at: Date | null): string | null => at && at.toISOString();
  const { preparedFrom, startedAt, endedAt, storedAt } = report.phases;
  return {
    ...report,
    phases: {
      preparedFrom: time(preparedFrom),
      startedAt: time(startedAt),
      endedAt: time(endedAt),
      storedAt: time(storedAt),
    },
  };
}

/** A chunk but for its number, which the path names: a line of JSON that says where its lines are, then its bytes. */
export function encodeLogChunk({ firstLine, offset, lines, bytes }: LogChunk): Uint8Array<ArrayBuffer> {
  return Buffer.concat([Buffer.from(`${JSON.stringify({ firstLine, offset, lines })}\n`), bytes]);
}

/** The chunk of this number; null where these bytes are none, or where its figures do not fit each other. */
export function decodeLogChunk(seq: number, body: Uint8Array): LogChunk | null {
  const newline = body.indexOf(10);
  if (newline < 0 || !isCount(seq)) return null;
  const bytes = body.subarray(newline + 1);
  if (bytes.length > logLimits.chunk) return null;
  const head = parseJson(new TextDecoder().decode(body.subarray(0, newline)));
  if (typeof head !== 'object' || head === null) return null;
  if (!('firstLine' in head && 'offset' in head && 'lines' in head)) return null;
  const { firstLine, offset, lines } = head;
  if (!isCount(firstLine) || !isCount(offset) || !Array.isArray(lines)) return null;
  // The note of a cut log comes after its last byte.
  if (offset > logLimits.total + logLimits.chunk || lines.length > logLimits.lines) return null;
  const read: LogChunk['lines'][number][] = [];
  let length = 0;
  for (const line of lines) {
    const one = readLine(line);
    if (one === null) return null;
    read.push(one);
    length += one[2];
  }
  return length === bytes.length ? { seq, firstLine, offset, bytes, lines: read } : null;
}

function readLine(line: unknown): LogChunk['lines'][number] | null {
  if (!Array.isArray(line) || line.length !== 3) return null;
  const [stream, at, bytes]: readonly unknown[] = line;
  if (stream !== 0 && stream !== 1 && stream !== 2) return null;
  return isCount(at) && isCount(bytes) ? [stream, at, bytes] : null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
