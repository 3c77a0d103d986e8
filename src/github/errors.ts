/**
 * GitHub does not answer now: the network, its own failure, a limit, a time-out. Nobody's fault: what was asked is
 * asked again. The answer to a write may be lost after the write was done, so whoever repeats it looks first.
 */
export class GithubAwayError extends Error {
  override name = 'GithubAwayError';
  /** When it is worth another try; null: GitHub does not say. */
  readonly retryAt: Date | null;

  constructor(message: string, options: { readonly retryAt?: Date | null; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.retryAt = options.retryAt ?? null;
  }
}

/** The repository has another name now, and a write is not sent after it. Its names are to be read again. */
export class GithubMovedError extends GithubAwayError {
  override name = 'GithubMovedError';
}

/**
 * What we ask about is not there for us: it does not exist, the installation is suspended or removed, or the
 * repository is not granted. GitHub does not tell these apart on purpose.
 */
export class GithubGoneError extends Error {
  override name = 'GithubGoneError';
}

/** GitHub understood and says no: a permission or a credential is missing, or the request is our mistake. */
export class GithubRefusedError extends Error {
  override name = 'GithubRefusedError';
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}
