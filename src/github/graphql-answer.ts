import { z } from 'zod';
import type { Github, Call } from './connection.ts';
import { GithubAwayError, GithubGoneError, GithubRefusedError } from './errors.ts';
import { blockedUntil } from './limits.ts';

const envelope = z.object({
  data: z.unknown().optional(),
  errors: z.array(z.object({ message: z.string(), type: z.string().optional() })).optional(),
});

/** The `data` of a GraphQL answer. It comes with status 200 also where it failed, so its errors are read here. */
export function readGraphqlAnswer(github: Github, call: Call, body: unknown): unknown {
  const answer = envelope.safeParse(body);
  if (!answer.success) throw new GithubAwayError(`${call.route}: GitHub's answer is no GraphQL answer`);
  const { data, errors = [] } = answer.data;
  const [first] = errors;
  if (!first) return data;
  const message = `${call.route}: ${errors
    .map((error) => error.message)
    .join('; ')
    .slice(0, 500)}`;
  const types = new Set(errors.map((error) => error.type));
  if (types.has('RATE_LIMITED')) {
    const now = github.clock();
    const retryAt =
      blockedUntil(github.limits, call.limit, 'graphql', now) ?? new Date(now.getTime() + 60_000);
    throw new GithubAwayError(message, { retryAt });
  }
  if (types.has('NOT_FOUND')) throw new GithubGoneError(message);
  if (types.has('FORBIDDEN') || types.has('INSUFFICIENT_SCOPES')) throw new GithubRefusedError(message, 403);
  // Time-outs and failures of GitHub's own carry no type; a query that it does not understand carries no data.
  if (/something went wrong|timeout|timed out/i.test(first.message)) throw new GithubAwayError(message);
  throw new GithubRefusedError(message, 422);
}
