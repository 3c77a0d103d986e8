import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * What an agent that is not in this process proves itself with: `<attempt id>.<HMAC>`. Nothing is stored: the mac
 * is made from this AME's own key, and a token says no more than its attempt, which the door refuses once it has
 * ended. Another key (and so a lost one) ends all tokens.
 */
export function attemptToken(ownKey: Uint8Array, attempt: number): string {
  return `${attempt}.${macOf(ownKey, String(attempt)).toString('base64url')}`;
}

/** The attempt that a token was made for; null where it was not made with this key. Takes the same time for any mac. */
export function verifyAttemptToken(ownKey: Uint8Array, token: string): number | null {
  const [, attempt, mac] = /^([1-9]\d{0,14})\.([\w-]{43})$/.exec(token) ?? [];
  if (attempt === undefined || mac === undefined) return null;
  const offered = Buffer.from(mac, 'base64url');
  const right = macOf(ownKey, attempt);
  // The last of 43 characters has two bits over: only one of its four spellings is ours.
  const same = timingSafeEqual(offered, right) && mac === right.toString('base64url');
  return same ? Number(attempt) : null;
}

/** The label keeps what is said with this key here apart from whatever else it is used for. */
function macOf(ownKey: Uint8Array, attempt: string): Buffer {
  return createHmac('sha256', ownKey).update(`ame attempt token 1\n${attempt}`).digest();
}
