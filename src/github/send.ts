import type { Github, GithubRequest, Call } from './connection.ts';
import { GithubAwayError, GithubGoneError, GithubMovedError, GithubRefusedError } from './errors.ts';
import { dropAnswer, findAnswer, keepAnswer, type KeptAnswer } from './kept-answers.ts';
import { blockedUntil, noteAnswer } from './limits.ts';
import { messageOf, refusal } from './refusal.ts';

type Wire = { readonly method: string; readonly url: string; readonly [parameter: string]: unknown };

export type Performed<T> = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number | undefined>>;
  readonly data: T;
};

const mostHops = 3;
/** Far above the 7 MB of the longest tree, and above a blob of 40 MB in base64. */
const mostBytes = 64 * 1024 * 1024;

/**
 * One call: Octokit makes the address and the body and reads the JSON, `exchange` does all that goes over the wire.
 * `url` is a path with places for parameters, or an address of ours. Throws the errors of errors.ts.
 */
export async function perform<T>(github: Github, wire: Wire, call: Call): Promise<Performed<T>> {
  try {
    const answer = await github.octokit.request<T>({
      ...wire,
      headers: {
        'x-github-api-version': '2022-11-28',
        ...(call.authorization === null ? {} : { authorization: call.authorization }),
      },
      request: {
        fetch: async (url: string, init: RequestInit) => await exchange(github, call, url, init),
      },
    });
    // Also where the JSON cannot be read, Octokit answers with a text: a page of a proxy stands before GitHub.
    if (typeof answer.data !== 'string' || (answer.data === '' && answer.status > 201)) return answer;
    throw new GithubAwayError(`${call.route}: the answer is no JSON`);
  } catch (error) {
    // Octokit wraps what its fetch throws.
    if (error instanceof Error && isOurs(error.cause)) throw error.cause;
    throw error;
  }
}

function isOurs(error: unknown): boolean {
  return (
    error instanceof GithubAwayError ||
    error instanceof GithubGoneError ||
    error instanceof GithubRefusedError
  );
}

export function isUnauthorized(error: unknown): boolean {
  return error instanceof GithubRefusedError && error.status === 401;
}

export function throwBlocked(route: string, until: Date): never {
  throw new GithubAwayError(`${route}: not asked, for GitHub's limit holds until ${until.toISOString()}`, {
    retryAt: until,
  });
}

type Received = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
};

async function exchange(github: Github, call: Call, url: string, init: RequestInit): Promise<Response> {
  const resource = call.route === 'POST /graphql' ? 'graphql' : 'core';
  const until = blockedUntil(github.limits, call.limit, resource, github.clock());
  if (until) throwBlocked(call.route, until);
  const key = `${call.scope} ${url}`;
  const conditional = call.conditional === true && init.method === 'GET';
  const kept = conditional ? findAnswer(github.kept, key) : null;
  const headers = new Headers(init.headers);
  if (kept) headers.set('if-none-match', kept.etag);
  const received = await followed(github, call, url, { ...init, headers });
  if (received.status === 304 && kept) return answerOf(kept);
  const message = received.status < 400 ? '' : messageOf(received.body);
  const retryAt = noteAnswer(
    github.limits,
    call.limit,
    resource,
    { status: received.status, header: (name) => received.headers.get(name), message },
    github.clock(),
  );
  if (retryAt) {
    github.log?.warn(
      { installation: call.installationId, route: call.route, retryAt },
      'limit of GitHub reached',
    );
    throw new GithubAwayError(`${call.route}: ${message || 'too many requests'}`, { retryAt });
  }
  if (received.status >= 300) {
    if (conditional) dropAnswer(github.kept, key);
    throw refusal(call, received, message, github.clock());
  }
  if (conditional) keep(github, key, received);
  return new Response(received.body.byteLength === 0 ? null : received.body, {
    status: received.status,
    headers: received.headers,
  });
}

function keep(github: Github, key: string, { status, headers, body }: Received): void {
  const etag = headers.get('etag');
  if (etag === null || status !== 200) return dropAnswer(github.kept, key);
  const contentType = headers.get('content-type') ?? '';
  keepAnswer(github.kept, key, { etag, contentType, link: headers.get('link'), body });
}

function answerOf({ etag, contentType, link, body }: KeptAnswer): Response {
  const headers = { etag, 'content-type': contentType, ...(link === null ? {} : { link }) };
  return new Response(body, { status: 200, headers });
}

/**
 * Sends, and goes after a renamed repository: only for reading, and only where the new address is below the API's
 * own, so that the token never leaves. That the repository is still the same one is kept by the token itself.
 */
async function followed(github: Github, call: Call, first: string, init: RequestInit): Promise<Received> {
  let url = first;
  for (let hops = 0; ; hops += 1) {
    const received = await receive(github, call, url, init);
    if (![301, 302, 307, 308].includes(received.status)) return received;
    const location = received.headers.get('location') ?? '';
    const target = location === '' ? null : URL.parse(location, url);
    if (target === null || !target.href.startsWith(`${github.apiUrl}/`)) {
      throw new GithubRefusedError(`${call.route}: leads away from ${github.apiUrl}`, received.status);
    }
    if (init.method !== 'GET')
      throw new GithubMovedError(`${call.route}: the repository has another name now`);
    if (hops >= mostHops) throw new GithubAwayError(`${call.route}: too many redirections`);
    url = target.href;
  }
}

async function receive(github: Github, call: Call, url: string, init: RequestInit): Promise<Received> {
  let status = 0;
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: github.timeout() });
    const body = await readBody(response);
    status = response.status;
    return { status, headers: response.headers, body };
  } catch (error) {
    if (error instanceof GithubRefusedError) throw error;
    throw new GithubAwayError(`${call.route}: no answer from GitHub (${reasonOf(error)})`, { cause: error });
  } finally {
    const { installationId, route } = call;
    count(github, { installationId, route, status, cached: status === 304 });
  }
}

/** Whole or not at all: Octokit takes a body that broke off for an empty one. */
async function readBody(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > mostBytes) throw new GithubRefusedError('GitHub answers with more than 64 MiB', 413);
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'it took too long';
  const cause = error.cause instanceof Error ? error.cause : error;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

function count(github: Github, request: GithubRequest): void {
  const key = request.installationId ?? '';
  const before = github.counts.get(key) ?? { requests: 0, notModified: 0, tokens: 0 };
  const isToken = request.route.endsWith('/access_tokens');
  github.counts.set(key, {
    requests: before.requests + (isToken ? 0 : 1),
    notModified: before.notModified + (request.cached ? 1 : 0),
    tokens: before.tokens + (isToken ? 1 : 0),
  });
  github.onRequest(request);
}
