import pino from 'pino';

/**
 * The server's own log: one JSON object a line, with the same field names everywhere: `delivery`, `run`,
 * `attempt`, `check`, `repository`, `loop`, `error`. What users' tasks print never comes here.
 */
export type Log = pino.Logger;

export function createLog(level: string, destination?: pino.DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ['token', 'authorization', 'password', '*.token', '*.authorization', '*.password'],
        censor: '[redacted]',
      },
      // pino's own serialiser prints every property of an error; one of pg's carries the whole client.
      serializers: { error: describeError },
    },
    destination,
  );
}

/** An error and its causes as text, without the extra properties that libraries hang on them. */
export function describeError(error: unknown): string {
  const parts = causesOf(error).map((at, depth) => (depth === 0 ? traceOf(at) : headOf(at)));
  return withoutPasswords(parts.join('\ncaused by '));
}

/** The same in short, for a row that people read: no trace, and bounded. */
export function briefError(error: unknown): string {
  const causes = causesOf(error);
  // That a query failed says nothing beside the reason.
  const said = causes.filter((at, depth) => queryOf(at) === null || depth === causes.length - 1);
  return withoutPasswords(said.map(headOf).join('; ')).slice(0, longestBrief);
}

const mostCauses = 5;
const longestBrief = 2_000;

function causesOf(error: unknown): readonly unknown[] {
  const causes = [error];
  while (causes.length < mostCauses) {
    const last = causes.at(-1);
    if (!(last instanceof Error) || last.cause === undefined || last.cause === null) break;
    causes.push(last.cause);
  }
  return causes;
}

function headOf(at: unknown): string {
  return at instanceof Error ? `${at.name}: ${messageOf(at)}` : textOf(at);
}

function traceOf(at: unknown): string {
  if (!(at instanceof Error)) return textOf(at);
  if (at.message === '') return headOf(at);
  const stack = at.stack ?? '';
  const end = stack.indexOf(at.message);
  return end < 0 ? headOf(at) : stack.slice(0, end) + messageOf(at) + stack.slice(end + at.message.length);
}

function messageOf(error: Error): string {
  const query = queryOf(error);
  if (query !== null) return `Failed query: ${query}`;
  // Of several addresses that refuse only the code remains.
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}

/** The statement of a failed query. Its message goes on with every value: bodies, plans, what tasks print. */
function queryOf(at: unknown): string | null {
  if (!(at instanceof Error) || !('query' in at) || !('params' in at)) return null;
  return typeof at.query === 'string' ? at.query : null;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return typeof value;
  }
}

/** Addresses may carry a password or a token: postgres://user:secret@host, http://host/?token=secret. */
function withoutPasswords(text: string): string {
  return text
    .replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):\S+@/gi, '$1:[redacted]@')
    .replaceAll(/([?&]token=)[^\s&#]+/gi, '$1[redacted]');
}
