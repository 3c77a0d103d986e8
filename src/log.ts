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
  const parts: string[] = [];
  for (
    let at: unknown = error;
    at !== undefined && at !== null && parts.length < 5;
    at = at instanceof Error ? at.cause : null
  ) {
    parts.push(
      at instanceof Error
        ? parts.length === 0
          ? (at.stack ?? at.message)
          : `${at.name}: ${at.message}`
        : typeof at === 'string'
          ? at
          : JSON.stringify(at),
    );
  }
  // Addresses may carry a password: postgres://user:secret@host.
  return parts.join('\ncaused by ').replaceAll(/(\b[a-z+]+:\/\/[^\s:/@]*):[^\s@/]+@/g, '$1:[redacted]@');
}
