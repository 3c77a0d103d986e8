// The small form of it: the agent's bundle is a third as large.
import * as z from 'zod/mini';
import { AttemptFaultError, AttemptOverError, type Fault, faultClasses } from '../core/attempt.ts';
import { BlobMismatchError, BlobMissingError } from '../core/blob.ts';

/** Nobody answered, or somebody who may answer otherwise in a while. */
export class DoorAwayError extends Error {
  override name = 'DoorAwayError';
  /** Milliseconds that were asked for. */
  readonly retryAfterMs: number;
  /** AME answers, and works on what was asked for: it is slow, and not away. */
  readonly isUnderWay: boolean;
  constructor(
    message: string,
    options: ErrorOptions & { readonly retryAfterMs?: number; readonly isUnderWay?: boolean } = {},
  ) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs ?? 0;
    this.isUnderWay = options.isUnderWay ?? false;
  }
}

const refusalShape = z.object({
  error: z.object({ code: z.string(), message: z.string() }),
  fault: z.exactOptional(
    z.object({
      class: z.enum(faultClasses),
      message: z.string(),
    }),
  ),
});

/** Longer pauses than these are not taken from anyone, milliseconds. */
const longestAskedMs = 60_000;

/**
 * What an answer other than a good one means: the error that the door itself threw, `DoorAwayError` where asking
 * again may help, else an `AttemptFaultError` of this class, with which nothing is tried again. Reads the answer.
 */
export async function errorOf(response: Response, faultClass: Fault['class']): Promise<Error> {
  const { status } = response;
  const refusal = parseRefusal(await response.text());
  const { code, message } = refusal?.error ?? { code: '', message: '' };
  if (code === 'attempt-over') return new AttemptOverError(message);
  if (code === 'attempt-fault' && refusal?.fault) return new AttemptFaultError(refusal.fault);
  if (code === 'blob-missing') return new BlobMissingError(message);
  if (code === 'blob-mismatch') return new BlobMismatchError(message);
  const said = `AME answered with ${status}${message === '' ? '' : `: ${message}`}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return new DoorAwayError(said, {
      retryAfterMs: retryAfterOf(response),
      isUnderWay: code === 'being-prepared',
    });
  // The token is for the server that was named, and for no other.
  const redirected = status >= 300 && status < 400;
  const why = redirected ? `${said}, which leads elsewhere: the agent follows nobody` : said;
  return new AttemptFaultError({ class: faultClass, message: why });
}

/** Dates are for caches: AME and what may stand before it send seconds. */
function retryAfterOf(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1_000, longestAskedMs) : 0;
}

function parseRefusal(text: string): z.infer<typeof refusalShape> | null {
  try {
    return refusalShape.parse(JSON.parse(text));
  } catch {
    return null; // Somebody between us answered, in a form of their own.
  }
}
