/**
 * What GitHub said about its limits, by installation: one that is blocked stops nobody else. The hourly limit
 * counts each resource (core, graphql) by itself; the secondary one, which cannot be asked for, stops them all.
 * https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
export type Limits = Map<string, Limit>;

type Limit = {
  readonly resources: Map<string, Resource>;
  /** Until when the secondary limit holds. */
  blockedUntil: Date | null;
  /** Secondary limits in a row that came without a time; the pause doubles with each. */
  unexplained: number;
};

type Resource = { readonly remaining: number; readonly resetAt: Date };

/** For metrics: what is left of each resource, and until when calls are held back. */
export type LimitState = {
  readonly installationId: string;
  readonly resource: string;
  readonly remaining: number;
  readonly resetAt: Date;
  readonly blockedUntil: Date | null;
};

/** What of an answer tells about limits; header names in lower case. */
export type LimitAnswer = {
  readonly status: number;
  readonly header: (name: string) => string | null;
  /** GitHub's message where it refused, else the empty text. */
  readonly message: string;
};

const leastPauseMs = 60_000;
const mostPauseMs = 3_600_000;

export function createLimits(): Limits {
  return new Map();
}

/** Until when calls of this key and resource wait; null: they may go. */
export function blockedUntil(limits: Limits, key: string, resource: string, now: Date): Date | null {
  const limit = limits.get(key);
  if (!limit) return null;
  const primary = limit.resources.get(resource);
  const times = [limit.blockedUntil, primary && primary.remaining <= 0 ? primary.resetAt : null];
  return times.reduce<Date | null>((latest, time) => {
    return time !== null && time > now && (latest === null || time > latest) ? time : latest;
  }, null);
}

/** Takes note of an answer. Answers with the time to wait for where it was refused by a limit, else with null. */
export function noteAnswer(
  limits: Limits,
  key: string,
  resource: string,
  answer: LimitAnswer,
  now: Date,
): Date | null {
  const limit = limits.get(key) ?? { resources: new Map(), blockedUntil: null, unexplained: 0 };
  limits.set(key, limit);
  const primary = readPrimary(answer);
  const named = answer.header('x-ratelimit-resource') ?? resource;
  if (primary) limit.resources.set(named, primary);
  const retryAfter = readRetryAfter(answer, now);
  if (!isLimited(answer, primary)) {
    if (answer.status < 400) limit.unexplained = 0;
    return null;
  }
  const secondary = /secondary rate|abuse detection/i.test(answer.message);
  if (retryAfter !== null) limit.blockedUntil = retryAfter;
  // A time that is over already would mean to ask again at once, and to be refused at once.
  else if (!secondary && primary?.remaining === 0 && primary.resetAt > now) return primary.resetAt;
  else limit.blockedUntil = new Date(now.getTime() + pauseMs(limit.unexplained++));
  return limit.blockedUntil;
}

/** What is known of every installation's limits; the App's own are under the empty text. */
export function limitStates(limits: Limits, now: Date): readonly LimitState[] {
  const known = [...limits].filter(([key]) => !key.startsWith(tokenKey('')));
  return known.flatMap(([installationId, { resources }]) =>
    [...resources].map(([resource, { remaining, resetAt }]) => ({
      installationId,
      resource,
      remaining,
      resetAt,
      blockedUntil: blockedUntil(limits, installationId, resource, now),
    })),
  );
}

/** Exchanges of tokens are limited apart from the installation's own calls. */
export function tokenKey(installationId: string): string {
  return `token ${installationId}`;
}

function isLimited({ status, header, message }: LimitAnswer, primary: Resource | null): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  return (
    header('retry-after') !== null || primary?.remaining === 0 || /rate limit|abuse detection/i.test(message)
  );
}

function readPrimary({ header }: LimitAnswer): Resource | null {
  const remaining = Number(header('x-ratelimit-remaining') ?? Number.NaN);
  const reset = Number(header('x-ratelimit-reset') ?? Number.NaN);
  if (!Number.isFinite(remaining) || !Number.isFinite(reset)) return null;
  return { remaining, resetAt: new Date(reset * 1000) };
}

function readRetryAfter({ header }: LimitAnswer, now: Date): Date | null {
  const text = header('retry-after')?.trim() ?? '';
  if (!/^\d{1,6}$/.test(text)) return null;
  return new Date(now.getTime() + Math.max(1, Number(text)) * 1000);
}

function pauseMs(before: number): number {
  return Math.min(leastPauseMs * 2 ** before, mostPauseMs);
}
