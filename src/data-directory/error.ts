/** The data directory cannot be used. The message is one line for the person at the terminal. */
export class DataDirectoryError extends Error {
  override name = 'DataDirectoryError';
}

/** What went wrong, in the words of whoever threw it. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
