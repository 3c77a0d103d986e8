import type { Github, GithubRepository, Token, Tokens } from './connection.ts';
import { GithubGoneError, GithubRefusedError } from './errors.ts';
import { hostNumber } from './host-number.ts';
import { appJwt } from './jwt.ts';
import { blockedUntil, tokenKey } from './limits.ts';
import type { Permissions } from './permissions.ts';
import { perform, throwBlocked } from './send.ts';

/** What a token is good for; `hostId` null: for every repository of the installation. */
export type TokenScope = {
  readonly installationId: string;
  readonly hostId: string | null;
  readonly permissions: Permissions;
};

/** A token lives for an hour. It is not used in its last minutes: a fetch that starts with it must also end with it. */
const spareMs = 5 * 60_000;
/** Above this many, the ones that are over are thrown away before another is kept. */
const sweptAbove = 1_000;

const route = 'POST /app/installations/{installation_id}/access_tokens';

export function createTokens(): Tokens {
  return { ready: new Map(), asked: new Map() };
}

/** Names a scope: equal for equal scopes, in whatever order the permissions were written. */
export function scopeName({ installationId, hostId, permissions }: TokenScope): string {
  const names = Object.entries(permissions)
    .map(([name, level]) => `${name}:${level}`)
    .sort();
  return [installationId, hostId ?? '*', ...names].join(' ');
}

/**
 * A token for this scope: a kept one, or the one that an exchange under way brings, or a new one. Lives five more
 * minutes at least. Throws the errors of errors.ts: `GithubGoneError` where installation or repository are not ours.
 */
export async function tokenFor(github: Github, scope: TokenScope): Promise<string> {
  const { ready, asked } = github.tokens;
  const name = scopeName(scope);
  const kept = ready.get(name);
  if (kept && kept.renewAt > github.clock()) return kept.text;
  const underWay = asked.get(name);
  if (underWay) return (await underWay).text;
  const exchange = exchangeToken(github, scope);
  asked.set(name, exchange);
  try {
    const token = await exchange;
    if (ready.size >= sweptAbove) sweep(ready, github.clock());
    ready.set(name, token);
    return token.text;
  } finally {
    asked.delete(name);
  }
}

/** A token of one repository, for what is not asked through the API: to fetch by git with `contents: read`. */
export async function repositoryToken(
  github: Github,
  { installationId, hostId }: GithubRepository,
  permissions: Permissions,
): Promise<string> {
  return await tokenFor(github, { installationId, hostId, permissions });
}

/** Forgets a token that was refused, unless another one took its place already. */
export function dropToken(github: Github, scope: TokenScope, text: string): void {
  const name = scopeName(scope);
  if (github.tokens.ready.get(name)?.text === text) github.tokens.ready.delete(name);
}

/** Forgets every token of an installation, as when it was suspended or its permissions changed. */
export function dropTokens(github: Github, installationId: string): void {
  for (const name of github.tokens.ready.keys()) {
    if (name.startsWith(`${installationId} `)) github.tokens.ready.delete(name);
  }
}

async function exchangeToken(github: Github, scope: TokenScope): Promise<Token> {
  const { installationId, hostId, permissions } = scope;
  // An installation that may not ask needs no token either.
  const until = blockedUntil(github.limits, installationId, 'core', github.clock());
  if (until) throwBlocked(route, until);
  const [method, url] = ['POST', `/app/installations/${hostNumber(installationId)}/access_tokens`];
  const body = {
    permissions,
    ...(hostId === null ? {} : { repository_ids: [hostNumber(hostId)] }),
  };
  try {
    const { data } = await perform<{ readonly token: string; readonly expires_at: string }>(
      github,
      { method, url, ...body },
      {
        installationId,
        // Apart from both: the limits of the App's own calls, and those of the installation's.
        limit: tokenKey(installationId),
        scope: 'app',
        authorization: `Bearer ${appJwt(github)}`,
        route,
      },
    );
    return { text: data.token, renewAt: new Date(Date.parse(data.expires_at) - spareMs) };
  } catch (error) {
    throw explained(error, scope);
  }
}

/** GitHub answers 422 both for a repository that is not granted and for a permission that is not. */
function explained(error: unknown, { installationId, hostId, permissions }: TokenScope): unknown {
  if (!(error instanceof GithubRefusedError) || error.status !== 422) return error;
  if (/permission/i.test(error.message)) {
    const asked = Object.entries(permissions).map(([name, level]) => `${name}: ${level}`);
    return new GithubRefusedError(
      `Installation ${installationId} does not grant all of ${asked.join(', ')}. ${error.message}`,
      error.status,
    );
  }
  return new GithubGoneError(
    `Installation ${installationId} does not grant repository ${hostId}. ${error.message}`,
  );
}

function sweep(ready: Map<string, Token>, now: Date): void {
  for (const [name, token] of ready) if (token.renewAt <= now) ready.delete(name);
}
