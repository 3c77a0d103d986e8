/** The embedded Postgres cannot be had or started. The message is one line for the person at the terminal. */
export class EmbeddedPostgresError extends Error {
  override name = 'EmbeddedPostgresError';
}

/** One line for a program that the system would not even start. */
export function cannotRun(program: string, error: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `${program} cannot be run on this machine (${reason(error)}). Set DATABASE_URL to a Postgres 15 or newer.`,
  );
}

/** What went wrong, in the words of whoever threw it. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
