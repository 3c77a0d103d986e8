import { ExecutorAwayError } from '../executor.ts';

export type RefusalKind = 'missing' | 'conflict' | 'forbidden' | 'invalid' | 'expired';

/** The API server answers and will not do it; asking again changes nothing by itself. */
export class ClusterRefusal extends Error {
  override name = 'ClusterRefusal';
  readonly kind: RefusalKind;
  readonly status: number;

  constructor(kind: RefusalKind, status: number, message: string) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

const kinds: Readonly<Record<number, RefusalKind>> = {
  400: 'invalid',
  403: 'forbidden',
  404: 'missing',
  409: 'conflict',
  410: 'expired',
  413: 'invalid',
  422: 'invalid',
};

export type FailedAnswer = {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
};

/** What an answer that is no success means: a refusal, or a world that is away. */
export function errorOf(answer: FailedAnswer, now: number): ClusterRefusal | ExecutorAwayError {
  const said = messageOf(answer.body);
  const kind = kinds[answer.status];
  // A conflict may only say that the server gave up on a change that came in between: it asks to be asked again.
  if (kind !== undefined && answer.retryAfter === undefined)
    return new ClusterRefusal(kind, answer.status, said || `the API server answered ${answer.status}`);
  const seconds = Number(answer.retryAfter ?? '');
  const wait = Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, longestWaitSeconds) : null;
  return new ExecutorAwayError(`the API server answered ${answer.status}${said && `: ${said}`}`, {
    retryAt: wait === null ? null : new Date(now + wait * 1_000),
  });
}

const longestWaitSeconds = 600;
const longestMessage = 1_000;

/** The words of a `Status`, or the answer itself where something before the API server gave it. */
function messageOf(body: string): string {
  const status = parse(body);
  const message =
    typeof status === 'object' && status !== null && 'message' in status ? status.message : undefined;
  return (typeof message === 'string' ? message : body).trim().slice(0, longestMessage);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/** Whether this is the refusal of that kind. */
export function isRefused(error: unknown, kind: RefusalKind): error is ClusterRefusal {
  return error instanceof ClusterRefusal && error.kind === kind;
}
