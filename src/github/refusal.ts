import { GithubAwayError, GithubGoneError, GithubRefusedError } from './errors.ts';
import type { Call } from './connection.ts';

type Refused = { readonly status: number; readonly headers: Headers };

const longestMessage = 500;

/** What GitHub says in a body of an error, in one line; the empty text where it says nothing readable. */
export function messageOf(body: Uint8Array): string {
  let answer: unknown;
  try {
    answer = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return '';
  }
  if (typeof answer !== 'object' || answer === null || !('message' in answer)) return '';
  const details = 'errors' in answer ? `: ${JSON.stringify(answer.errors)}` : '';
  return `${String(answer.message)}${details}`.replaceAll(/\s+/g, ' ').slice(0, longestMessage);
}

/** Which of the errors an answer is that is no success. Limits are told before. */
export function refusal(call: Call, { status, headers }: Refused, said: string, now: Date): Error {
  const message = `${call.route}: ${said || 'GitHub gives no reason'} (${status})`;
  if (status >= 500 || status === 408) {
    return new GithubAwayError(message, { retryAt: retryAtOf(headers, now) });
  }
  if (isGone(status, said)) return new GithubGoneError(message);
  const needed = headers.get('x-accepted-github-permissions');
  if (status === 403 && needed !== null) {
    return new GithubRefusedError(
      `${message}. It needs the permission ${needed.replaceAll('=', ': ')}`,
      status,
    );
  }
  const skew = status === 401 && call.authorization?.startsWith('Bearer ') ? clockSkew(headers, now) : null;
  return new GithubRefusedError(skew === null ? message : `${message}. ${skew}`, status);
}

function isGone(status: number, said: string): boolean {
  if (status === 404 || status === 410 || status === 451) return true;
  // A repository without any commit answers so for all of its refs, trees and commits.
  if (status === 409) return /repository is empty/i.test(said);
  return status === 403 && /suspended|access blocked|has been disabled|account is blocked/i.test(said);
}

function retryAtOf(headers: Headers, now: Date): Date | null {
  const text = headers.get('retry-after')?.trim() ?? '';
  return /^\d{1,6}$/.test(text) ? new Date(now.getTime() + Number(text) * 1000) : null;
}

/** How far this server's clock is from GitHub's, in words; null: not more than a minute, which does no harm. */
function clockSkew(headers: Headers, now: Date): string | null {
  const seconds = secondsAhead(headers.get('date'), now);
  if (seconds === null || Math.abs(seconds) <= 60) return null;
  const direction = seconds > 0 ? 'ahead of' : 'behind';
  return `This server's clock is ${Math.abs(seconds)} s ${direction} GitHub's: set it right`;
}

/** Whole seconds that `now` is ahead of a Date header; null where there is none. */
export function secondsAhead(date: string | number | null | undefined, now: Date): number | null {
  const theirs = Date.parse(String(date ?? ''));
  return Number.isNaN(theirs) ? null : Math.round((now.getTime() - theirs) / 1000);
}
