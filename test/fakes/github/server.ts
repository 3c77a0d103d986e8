import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { access } from './access.ts';
import { Refused, refusal, refuse, notFound, type Answer } from './answer.ts';
import { appOperations } from './app-operations.ts';
import { findRepository, fullName, type Ask, type Operate } from './ask.ts';
import { checkOperations } from './check-operations.ts';
import { contentOperations } from './content-operations.ts';
import type { Operation } from './description.ts';
import { takeFaults } from './faults.ts';
import { answerGit, gitOperation } from './git-door.ts';
import { answerGraphql, type Graphql } from './graphql.ts';
import { count, limitHeaders, overLimit, type Resource } from './limits.ts';
import { pullOperations } from './pull-operations.ts';
import { authenticate, covers, type Auth } from './tokens.ts';
import type { FakeRequest, World } from './world.ts';

/** What answers each operation of the description. */
export const operate: Readonly<Record<string, Operate>> = {
  ...appOperations,
  ...contentOperations,
  ...checkOperations,
  ...pullOperations,
};

/** Serves pages' git and the API of the world; both stand at one address, as on GitHub Enterprise Server. */
export function createFakeServer(world: World, graphql: Graphql): Server {
  return createServer((incoming, outgoing) => {
    answerOne(world, graphql, incoming, outgoing).catch((error: unknown) => {
      // A fault of the fake itself must be seen, not taken for a bad day of GitHub.
      world.violations.push(
        `the fake failed: ${error instanceof Error ? (error.stack ?? error.message) : ''}`,
      );
      outgoing.destroy();
    });
  });
}

async function answerOne(
  world: World,
  graphql: Graphql,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
  const raw = Buffer.concat(chunks);
  const method = incoming.method ?? 'GET';
  const url = new URL(incoming.url ?? '/', world.webUrl);
  const git = gitOperation(method, url);
  const path = git ? url.pathname : apiPath(world, url.pathname);
  const operation = git || path === null ? null : world.description.find(method, path);
  const isGraphql =
    method === 'POST' && !git && url.pathname === (world.enterprise ? '/api/graphql' : '/graphql');
  const request: FakeRequest = {
    method,
    path: `${path ?? url.pathname}${url.search}`,
    operationId: git ?? (isGraphql ? 'graphql' : (operation?.id ?? null)),
    installation: null,
    status: 0,
    notModified: false,
    tokenExchange: operation?.id === 'apps/create-installation-access-token',
    body: git ? undefined : parseBody(raw),
  };
  world.requests.push(request);
  const faults = takeFaults(world, request);
  for (const fault of faults) if (fault.kind === 'wait') await fault.until;
  const failure = faults.find((fault) => fault.kind === 'fail');
  const lost = faults.some((fault) => fault.kind === 'lose');
  if (failure) {
    request.status = failure.status;
    return send(world, outgoing, { ...failure }, failure.headers);
  }
  if (git) {
    request.status = await answerGit(world, git, incoming, raw, outgoing, lost);
    return;
  }
  const resource: Resource = isGraphql ? 'graphql' : 'core';
  const counted = { installation: null as number | null, auth: { kind: 'none' } as Auth, over: false };
  const answer = await refusals(world, async () => {
    if (incoming.headers['user-agent'] === undefined)
      refuse(
        403,
        'Request forbidden by administrative rules. Please make sure your request has a User-Agent header',
      );
    counted.auth = authenticate(world, incoming.headers.authorization);
    if (counted.auth.kind === 'installation') {
      counted.installation = counted.auth.token.installation.id;
      request.installation = counted.installation;
      const over =
        operation?.id === 'rate-limit/get' ? null : overLimit(world, counted.installation, resource);
      counted.over = over !== null;
      if (over) return over;
    }
    if (isGraphql) return answerGraphql(world, graphql, counted.auth, request.body);
    if (path === null || !operation) {
      world.violations.push(`${method} ${url.pathname} is not in the description`);
      notFound();
    }
    const ask = {
      world,
      auth: counted.auth,
      params: operation.params,
      query: url.searchParams,
      body: request.body,
      accept: incoming.headers.accept ?? '',
    };
    return answerRest(operation, ask, path, url.search);
  });
  const final = operation ? withEtag(world, counted.auth, method, incoming, answer) : answer;
  request.status = final.status;
  request.notModified = final.status === 304;
  const { installation } = counted;
  // What is not modified or over the limit is free, and so is asking how much is left.
  const free = counted.over || final.status === 304 || operation?.id === 'rate-limit/get';
  if (installation !== null && !free) count(world, installation, resource);
  if (lost) {
    outgoing.destroy();
    return;
  }
  const limits = installation === null ? {} : limitHeaders(world, installation, resource);
  send(world, outgoing, final, { ...limits, ...final.headers });
}

/** The path below the API's base, `/repositories/<id>` told by its name; null where it is no path of the API. */
function apiPath(world: World, pathname: string): string | null {
  const below = world.enterprise
    ? pathname.startsWith('/api/v3/')
      ? pathname.slice('/api/v3'.length)
      : null
    : pathname;
  const byId = below === null ? null : /^\/repositories\/(\d+)(\/.*)?$/.exec(below);
  if (!byId) return below;
  const repository = world.repositories.find((one) => one.id === Number(byId[1]) && !one.deleted);
  return repository ? `/repos/${fullName(repository)}${byId[2] ?? ''}` : below;
}

async function answerRest(operation: Operation, ask: Ask, path: string, search: string): Promise<Answer> {
  const { world } = ask;
  const { description } = world;
  const allowed = access[operation.id];
  const run = operate[operation.id];
  if (!allowed || !run) throw new Error(`the fake does not know ${operation.id}`);
  if (allowed.as === 'app' && ask.auth.kind !== 'app') refuse(401, 'A JSON web token could not be decoded');
  if (allowed.as === 'installation' && ask.auth.kind !== 'installation') {
    if (ask.auth.kind === 'none') notFound();
    refuse(403, 'Resource not accessible by integration');
  }
  const moved = redirect(ask, operation, path, search);
  if (moved) return moved;
  if (ask.auth.kind === 'installation' && allowed.permission) {
    const [name, level] = allowed.permission;
    if (!covers(ask.auth.token.permissions, name, level))
      throw new Refused({
        ...refusal(403, 'Resource not accessible by integration'),
        headers: { 'x-accepted-github-permissions': `${name}=${level}` },
      });
  }
  if (ask.body === brokenJson) refuse(400, 'Problems parsing JSON');
  const wrong = [...description.request(operation, ask.body), ...description.query(operation, ask.query)];
  if (wrong.length > 0) {
    world.violations.push(`${operation.id}, request: ${wrong.join('; ')}`);
    refuse(422, `Invalid request.\n\n${wrong.join('\n')}`);
  }
  const answer = await run(ask);
  if (!Buffer.isBuffer(answer.body)) {
    const faults = description.response(operation, answer.status, asSent(answer.body));
    if (faults.length > 0) world.violations.push(`${operation.id}, answer: ${faults.join('; ')}`);
  }
  return answer;
}

/** 404 for what the token does not see, and the way to a repository that has another name now. */
function redirect(ask: Ask, operation: Operation, path: string, search: string): Answer | null {
  const { owner, repo } = ask.params;
  if (owner === undefined || repo === undefined || ask.auth.kind !== 'installation') return null;
  const found = findRepository(ask.world, ask.auth.token, owner, repo);
  if (!found) notFound();
  if (!found.moved) return null;
  const rest = path
    .split('/')
    .slice(4)
    .map((part) => `/${part}`)
    .join('');
  const location = `${ask.world.url}/repositories/${found.repository.id}${rest}${search}`;
  return {
    status: operation.method === 'get' ? 301 : 307,
    headers: { location },
    body: { message: 'Moved Permanently', url: location, documentation_url: 'https://docs.github.com/rest' },
  };
}

async function refusals(world: World, answer: () => Promise<Answer>): Promise<Answer> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof Refused) return error.answer;
    world.violations.push(`the fake failed: ${error instanceof Error ? (error.stack ?? error.message) : ''}`);
    return refusal(500, 'Server Error');
  }
}

function withEtag(
  world: World,
  auth: Auth,
  method: string,
  incoming: IncomingMessage,
  answer: Answer,
): Answer {
  if (method !== 'GET' || answer.status !== 200) return answer;
  const hash = createHash('sha256').update(bytesOf(answer.body));
  if (world.etagPerToken && auth.kind === 'installation') hash.update(auth.token.value);
  const etag = `W/"${hash.digest('hex')}"`;
  const headers = { ...answer.headers, etag, 'cache-control': 'private, max-age=60, s-maxage=60' };
  return incoming.headers['if-none-match'] === etag
    ? { status: 304, headers: { etag } }
    : { ...answer, headers };
}

/** Stands for a body that is no JSON. */
const brokenJson = 'no JSON';

const enterpriseVersion = '3.19.0';

function parseBody(raw: Buffer): unknown {
  if (raw.length === 0) return undefined;
  try {
    return JSON.parse(raw.toString('utf8')) as unknown;
  } catch {
    return brokenJson;
  }
}

/** What the other side will read: fields that are undefined do not travel. */
function asSent(body: unknown): unknown {
  return body === undefined ? undefined : (JSON.parse(JSON.stringify(body)) as unknown);
}

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(body === undefined ? '' : JSON.stringify(body));
}

function send(
  world: World,
  outgoing: ServerResponse,
  answer: { readonly status: number; readonly body?: unknown },
  headers: Readonly<Record<string, string>>,
): void {
  const bytes = typeof answer.body === 'string' ? Buffer.from(answer.body) : bytesOf(answer.body);
  outgoing.writeHead(answer.status, {
    date: world.now().toUTCString(),
    server: 'github.com',
    ...(world.enterprise ? { 'x-github-enterprise-version': enterpriseVersion } : {}),
    'x-github-request-id': 'FA4E:0001',
    'x-github-media-type': 'github.v3; format=json',
    ...(bytes.length > 0 ? { 'content-type': 'application/json; charset=utf-8' } : {}),
    ...headers,
  });
  outgoing.end(bytes);
}
