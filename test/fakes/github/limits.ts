import { refusal, type Answer } from './answer.ts';
import type { Bucket, Limits, World } from './world.ts';

/** Of an installation, an hour. */
export const hourlyLimit = 5_000;
const hour = 3_600_000;

export type RateLimit = {
  readonly remaining?: number;
  readonly resetAt?: Date;
  /** Seconds, sent as `retry-after` with answers that are over the limit. */
  readonly retryAfter?: number;
  /** Held back for haste: every call is refused for `retryAfter` seconds, a minute where unsaid, without `x-ratelimit` saying so. */
  readonly secondary?: boolean;
  /** 403, or 429. */
  readonly status?: 403 | 429;
};

export type Resource = 'core' | 'graphql';

export function limitsOf(world: World, installation: number): Limits {
  const known = world.limits.get(installation);
  const limits: Limits = known ?? {
    core: fresh(world),
    graphql: fresh(world),
    secondary: null,
    retryAfter: null,
  };
  world.limits.set(installation, limits);
  for (const bucket of [limits.core, limits.graphql])
    if (world.now() >= bucket.resetAt) Object.assign(bucket, fresh(world));
  return limits;
}

/** Sets what an installation has left; `null`: as usual again. */
export function setRateLimit(world: World, installation: number, set: RateLimit | null): void {
  world.limits.delete(installation);
  if (set === null) return;
  const limits = limitsOf(world, installation);
  for (const bucket of [limits.core, limits.graphql]) {
    if (set.remaining !== undefined) bucket.remaining = set.remaining;
    if (set.resetAt) bucket.resetAt = set.resetAt;
  }
  limits.retryAfter = set.retryAfter ?? null;
  if (set.secondary)
    limits.secondary = {
      status: set.status ?? 403,
      retryAfter: set.retryAfter ?? null,
      until: new Date(world.now().getTime() + (set.retryAfter ?? 60) * 1_000),
    };
}

/** An answer where the call may not be made; else null, and nothing is counted yet. */
export function overLimit(world: World, installation: number, resource: Resource): Answer | null {
  const limits = limitsOf(world, installation);
  const { secondary } = limits;
  if (secondary && (secondary.until === null || world.now() < secondary.until)) {
    const headers = secondary.retryAfter === null ? {} : { 'retry-after': String(secondary.retryAfter) };
    const message =
      'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
    return { ...refusal(secondary.status, message), headers };
  }
  const bucket = limits[resource];
  if (bucket.remaining > 0) return null;
  const message = `API rate limit exceeded for installation ID ${installation}.`;
  const headers = limits.retryAfter === null ? {} : { 'retry-after': String(limits.retryAfter) };
  // GraphQL says it in an answer that looks like success.
  if (resource === 'graphql')
    return { status: 200, headers, body: { errors: [{ type: 'RATE_LIMITED', message }] } };
  return { ...refusal(403, message), headers };
}

export function count(world: World, installation: number, resource: Resource): void {
  const bucket = limitsOf(world, installation)[resource];
  bucket.remaining = Math.max(0, bucket.remaining - 1);
}

export function limitHeaders(
  world: World,
  installation: number,
  resource: Resource,
): Readonly<Record<string, string>> {
  const bucket = limitsOf(world, installation)[resource];
  return {
    'x-ratelimit-limit': String(hourlyLimit),
    'x-ratelimit-remaining': String(bucket.remaining),
    'x-ratelimit-used': String(Math.max(0, hourlyLimit - bucket.remaining)),
    'x-ratelimit-reset': String(Math.ceil(bucket.resetAt.getTime() / 1_000)),
    'x-ratelimit-resource': resource,
  };
}

export function bucketShape(bucket: Bucket): object {
  return {
    limit: hourlyLimit,
    remaining: bucket.remaining,
    used: Math.max(0, hourlyLimit - bucket.remaining),
    reset: Math.ceil(bucket.resetAt.getTime() / 1_000),
  };
}

function fresh(world: World): Bucket {
  return { remaining: hourlyLimit, resetAt: new Date(world.now().getTime() + hour) };
}
