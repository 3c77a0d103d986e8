import type { Call, Github, GithubApp, GithubLog, GithubRepository, GithubRequest } from './connection.ts';
import { Octokit } from '@octokit/rest';
import type { Endpoints } from '@octokit/types';
import { readGraphqlAnswer } from './graphql-answer.ts';
import { appJwt } from './jwt.ts';
import { createKeptAnswers } from './kept-answers.ts';
import { createLimits } from './limits.ts';
import type { Permissions } from './permissions.ts';
import { isUnauthorized, perform } from './send.ts';
import { createTokens, dropToken, scopeName, tokenFor, type TokenScope } from './token.ts';

export type GithubOptions = {
  readonly app: GithubApp;
  /** Such as https://api.github.com or https://github.example.com/api/v3. */
  readonly apiUrl: string;
  readonly webUrl: string;
  readonly log?: GithubLog;
  readonly clock?: () => Date;
  readonly timeout?: () => AbortSignal;
  readonly onRequest?: (request: GithubRequest) => void;
};

export type Route = keyof Endpoints;

export type Answer<R extends Route> = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number | undefined>>;
  readonly data: Endpoints[R]['response']['data'];
};

export type AskOptions = {
  /** Keeps the answer to a GET by its ETag: unchanged, it costs nothing of the hourly limit. */
  readonly conditional?: boolean;
};

const timeoutMs = 10_000;

/** Makes the record that every call takes. Asks nothing: a wrong key or address is told by the first call. */
export function connectGithub(options: GithubOptions): Github {
  const apiUrl = options.apiUrl.replace(/\/+$/, '');
  return {
    app: options.app,
    apiUrl,
    webUrl: options.webUrl.replace(/\/+$/, ''),
    octokit: new Octokit({ baseUrl: apiUrl, userAgent: 'ame', log: silent }),
    clock: options.clock ?? (() => new Date()),
    timeout: options.timeout ?? (() => AbortSignal.timeout(timeoutMs)),
    log: options.log ?? null,
    onRequest: options.onRequest ?? (() => {}),
    jwt: { signed: null },
    tokens: createTokens(),
    limits: createLimits(),
    kept: createKeptAnswers(),
    counts: new Map(),
  };
}

const nothing = (): void => {};

/** The library prints every failed request by itself; here its caller says what failed. */
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Asks as the App itself. Throws the three errors of errors.ts. */
export async function asApp<R extends Route>(
  github: Github,
  route: R,
  params: Endpoints[R]['parameters'],
  options: AskOptions = {},
): Promise<Answer<R>> {
  return await ask(github, route, params, { ...appCall(github, route), ...options });
}

/** How the App itself asks. */
export function appCall(github: Github, route: string): Call {
  const authorization = `Bearer ${appJwt(github)}`;
  return { installationId: null, limit: '', scope: 'app', authorization, route };
}

/** Asks for all that an installation grants, with no more than `metadata: read`: to list its repositories. */
export async function asInstallation<R extends Route>(
  github: Github,
  installationId: string,
  route: R,
  params: Endpoints[R]['parameters'],
  options: AskOptions = {},
): Promise<Answer<R>> {
  const scope = { installationId, hostId: null, permissions: { metadata: 'read' } } as const;
  return await withToken(github, scope, route, options, (call) => ask(github, route, params, call));
}

/** Asks with a token that is good for this one repository and exactly these permissions. */
export async function asRepository<R extends Route>(
  github: Github,
  repository: GithubRepository,
  permissions: Permissions,
  route: R,
  params: Endpoints[R]['parameters'],
  options: AskOptions = {},
): Promise<Answer<R>> {
  const scope = { installationId: repository.installationId, hostId: repository.hostId, permissions };
  return await withToken(github, scope, route, options, (call) => ask(github, route, params, call));
}

/** Asks the GraphQL door, with such a token, and answers with its `data` as it came: the caller reads it by a schema. */
export async function graphql(
  github: Github,
  repository: GithubRepository,
  permissions: Permissions,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const scope = { installationId: repository.installationId, hostId: repository.hostId, permissions };
  // GitHub Enterprise Server has it beside the REST door, not below it.
  const url = github.apiUrl.replace(/\/api\/v3$/, '/api') + '/graphql';
  return await withToken(github, scope, 'POST /graphql', {}, async (call) => {
    const answer = await perform<unknown>(github, { method: 'POST', url, query, variables }, call);
    return readGraphqlAnswer(github, call, answer.data);
  });
}

/** Answers of 401 mean that the token was revoked before its time: one more try with another one. */
async function withToken<T>(
  github: Github,
  scope: TokenScope,
  route: string,
  options: AskOptions,
  use: (call: Call) => Promise<T>,
): Promise<T> {
  const { installationId } = scope;
  const once = async (token: string): Promise<T> =>
    await use({
      installationId,
      limit: installationId,
      scope: scopeName(scope),
      authorization: `token ${token}`,
      route,
      ...options,
    });
  const token = await tokenFor(github, scope);
  try {
    return await once(token);
  } catch (error) {
    if (!isUnauthorized(error)) throw error;
    dropToken(github, scope, token);
  }
  return await once(await tokenFor(github, scope));
}

async function ask<R extends Route>(
  github: Github,
  route: R,
  params: Endpoints[R]['parameters'],
  call: Call,
): Promise<Answer<R>> {
  const [method = '', url = ''] = route.split(' ');
  return await perform<Endpoints[R]['response']['data']>(github, { ...params, method, url }, call);
}
