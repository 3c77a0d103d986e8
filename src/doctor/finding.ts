/** One thing that must be right for AME to work; `remedy` is null where it is. */
export type Finding = {
  readonly what:
    | 'database'
    | 'storage'
    | 'key'
    | 'github'
    | 'clock'
    | 'cluster'
    | 'rights'
    | 'security'
    | 'manifest'
    | 'pod'
    | 'image'
    | 'door';
  readonly ok: boolean;
  /** A sentence without a full stop. */
  readonly message: string;
  readonly remedy: string | null;
};

export function right(what: Finding['what'], message: string): Finding {
  return { what, ok: true, message, remedy: null };
}

export function wrong(what: Finding['what'], message: string, remedy: string): Finding {
  return { what, ok: false, message, remedy };
}

/** The words of an error with those of its causes, on one line. */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return wordsOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `: ${wordsOf(error.cause)}`;
  // What a refused connection says of itself is empty but for its code.
  const own = error.message || ('code' in error ? String(error.code) : error.name);
  return `${own}${cause}`.replaceAll(/\s+/g, ' ').trim();
}
