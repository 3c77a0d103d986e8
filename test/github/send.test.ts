import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import {
  asApp,
  asInstallation,
  asRepository,
  graphql,
  type Answer,
  type AskOptions,
} from '../../src/github/connect.ts';
import type { Github, GithubRequest } from '../../src/github/connection.ts';
import {
  GithubAwayError,
  GithubGoneError,
  GithubMovedError,
  GithubRefusedError,
} from '../../src/github/errors.ts';
import { connectScripted, createScriptedHost, pets, type Scripted } from './scripted-host.ts';

const repository = { id: 42, name: 'pets' };
const good: Scripted = { status: 200, body: repository };

async function readPets(
  github: Github,
  options: AskOptions = {},
): Promise<Answer<'GET /repos/{owner}/{repo}'>> {
  const params = { owner: 'acme', repo: 'pets' };
  return await asRepository(github, pets, { metadata: 'read' }, 'GET /repos/{owner}/{repo}', params, options);
}

async function createCheck(github: Github): Promise<unknown> {
  const params = { owner: 'acme', repo: 'pets', name: 'ame', head_sha: 'a'.repeat(40) };
  return await asRepository(
    github,
    pets,
    { checks: 'write' },
    'POST /repos/{owner}/{repo}/check-runs',
    params,
  );
}

async function faultOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => null,
    (error: unknown) => error,
  );
}

const message = (text: string): { readonly message: string } => ({ message: text });
const breakOff = (_: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"id":', () => response.destroy());
};
const hangUp = (request: IncomingMessage): void => {
  request.socket.destroy();
};

type Class = typeof GithubAwayError | typeof GithubGoneError | typeof GithubRefusedError;

describe('which error an answer is', () => {
  const cases: readonly (readonly [string, Scripted, Class, RegExp])[] = [
    ['500', { status: 500, body: 'oops' }, GithubAwayError, /gives no reason \(500\)/],
    [
      '502 in HTML',
      { status: 502, headers: { 'content-type': 'text/html' }, body: '<h1>' },
      GithubAwayError,
      /502/,
    ],
    ['503', { status: 503, body: message('down for maintenance') }, GithubAwayError, /maintenance/],
    ['408', { status: 408, body: message('slow') }, GithubAwayError, /slow/],
    ['429', { status: 429, body: message('slow down') }, GithubAwayError, /slow down/],
    ['secondary limit', { status: 403, body: message('secondary rate limit') }, GithubAwayError, /secondary/],
    ['a body that broke off', breakOff, GithubAwayError, /no answer/],
    ['a closed connection', hangUp, GithubAwayError, /no answer/],
    [
      'a page of a proxy',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' },
      GithubAwayError,
      /no JSON/,
    ],
    ['cut JSON', { status: 200, body: '{"id":' }, GithubAwayError, /no JSON/],
    ['nothing', { status: 200 }, GithubAwayError, /no JSON/],
    ['404', { status: 404, body: message('Not Found') }, GithubGoneError, /GET \/repos.*Not Found/],
    ['410', { status: 410, body: message('Gone') }, GithubGoneError, /Gone/],
    ['451', { status: 451, body: message('DMCA') }, GithubGoneError, /DMCA/],
    [
      'suspended',
      { status: 403, body: message('This installation has been suspended') },
      GithubGoneError,
      /suspended/,
    ],
    ['blocked', { status: 403, body: message('Repository access blocked') }, GithubGoneError, /blocked/],
    ['empty', { status: 409, body: message('Git Repository is empty.') }, GithubGoneError, /empty/],
    ['409', { status: 409, body: message('Conflict') }, GithubRefusedError, /Conflict/],
    ['400', { status: 400, body: message('Problems parsing JSON') }, GithubRefusedError, /parsing/],
    [
      'a missing permission',
      {
        status: 403,
        headers: { 'x-accepted-github-permissions': 'checks=write' },
        body: message('Resource not accessible by integration'),
      },
      GithubRefusedError,
      /needs the permission checks: write/,
    ],
    [
      '422 with details',
      { status: 422, body: { message: 'Invalid request', errors: [{ field: 'head_sha', code: 'invalid' }] } },
      GithubRefusedError,
      /Invalid request: .*head_sha/,
    ],
  ];
  test.each(cases)('%s', async (_, answer, expected, text) => {
    await using host = await createScriptedHost();
    host.answers = [answer];
    const error = await faultOf(readPets(connectScripted(host)));
    expect(error).toBeInstanceOf(expected);
    expect(String(error)).toMatch(text);
    expect(host.asked).toHaveLength(1);
  });

  test('a refusal carries its status', async () => {
    await using host = await createScriptedHost();
    host.answers = [{ status: 422, body: message('no') }];
    expect(await faultOf(createCheck(connectScripted(host)))).toMatchObject({ status: 422 });
  });

  test('a host that is not there is away', async () => {
    const host = await createScriptedHost();
    await host[Symbol.asyncDispose]();
    const error = await faultOf(readPets(connectScripted(host)));
    expect(error).toBeInstanceOf(GithubAwayError);
    expect(String(error)).toContain('ECONNREFUSED');
  });

  test('Retry-After of a failure is when to come back, and stops nothing else', async () => {
    await using host = await createScriptedHost();
    host.answers = [{ status: 503, headers: { 'retry-after': '20' }, body: message('later') }, good];
    const now = new Date();
    const github = connectScripted(host, { clock: () => now });
    expect(await faultOf(readPets(github))).toMatchObject({ retryAt: new Date(now.getTime() + 20_000) });
    expect((await readPets(github)).data.id).toBe(42);
  });

  test('no message repeats a credential', async () => {
    await using host = await createScriptedHost();
    for (const answer of [good, hangUp, { status: 422, body: message('no') }] satisfies Scripted[]) {
      host.answers = [answer];
      const error = await faultOf(readPets(connectScripted(host)));
      const shown = error instanceof Error ? `${error.stack} ${JSON.stringify(error)}` : '';
      expect(shown).not.toMatch(/token-\d|Bearer|PRIVATE/);
    }
  });
});

describe('time', () => {
  test('a slow answer is ended by its signal, also after a write', async () => {
    await using host = await createScriptedHost();
    const asked = Promise.withResolvers<void>();
    host.answers = [() => asked.resolve()];
    const over = new AbortController();
    const requests: GithubRequest[] = [];
    const github = connectScripted(host, {
      timeout: () => over.signal,
      onRequest: (one) => requests.push(one),
    });
    const fault = faultOf(createCheck(github));
    await asked.promise;
    over.abort(new DOMException('The operation timed out', 'TimeoutError'));
    expect(String(await fault)).toContain('it took too long');
    expect(await fault).toBeInstanceOf(GithubAwayError);
    expect(requests.at(-1)).toMatchObject({ installationId: '7', status: 0, cached: false });
  });

  test('a body that does not come is ended likewise', async () => {
    await using host = await createScriptedHost();
    const begun = Promise.withResolvers<void>();
    host.answers = [
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{', () => begun.resolve());
      },
    ];
    const over = new AbortController();
    const fault = faultOf(readPets(connectScripted(host, { timeout: () => over.signal })));
    await begun.promise;
    over.abort();
    expect(await fault).toBeInstanceOf(GithubAwayError);
  });
});

describe('tokens', () => {
  test('are asked for one repository with exactly the permissions, and shared', async () => {
    await using host = await createScriptedHost();
    host.answers = [good];
    const github = connectScripted(host);
    await Promise.all([readPets(github), readPets(github), readPets(github)]);
    await readPets(github);
    expect(host.exchanges.map(({ path, body }) => [path, JSON.parse(body)])).toEqual([
      ['/app/installations/7/access_tokens', { permissions: { metadata: 'read' }, repository_ids: [42] }],
    ]);
    expect(new Set(host.asked.map(({ headers }) => headers.authorization))).toEqual(
      new Set(['token token-1']),
    );
    await createCheck(github);
    expect(JSON.parse(host.exchanges[1]?.body ?? '')).toEqual({
      permissions: { checks: 'write' },
      repository_ids: [42],
    });
    await asInstallation(github, '7', 'GET /installation/repositories', {});
    expect(JSON.parse(host.exchanges[2]?.body ?? '')).toEqual({ permissions: { metadata: 'read' } });
    expect(github.counts.get('7')).toEqual({ requests: 6, notModified: 0, tokens: 3 });
  });

  test('are renewed five minutes before their end', async () => {
    await using host = await createScriptedHost();
    host.answers = [good];
    let now = new Date('2026-03-01T12:00:00Z');
    host.tokensExpireAt = new Date('2026-03-01T13:00:00Z');
    const github = connectScripted(host, { clock: () => now });
    await readPets(github);
    now = new Date('2026-03-01T12:54:59Z');
    await readPets(github);
    expect(host.exchanges).toHaveLength(1);
    now = new Date('2026-03-01T12:55:00Z');
    await readPets(github);
    expect(host.exchanges).toHaveLength(2);
  });

  test('one that is refused is asked for anew, once', async () => {
    await using host = await createScriptedHost();
    host.answers = [{ status: 401, body: message('Bad credentials') }, good];
    const github = connectScripted(host);
    expect((await readPets(github)).data.id).toBe(42);
    expect(host.asked.map(({ headers }) => headers.authorization)).toEqual([
      'token token-1',
      'token token-2',
    ]);
    host.answers = [{ status: 401, body: message('Bad credentials') }];
    expect(await faultOf(readPets(github))).toMatchObject({ name: 'GithubRefusedError', status: 401 });
    expect(host.asked).toHaveLength(4);
  });
});

describe('limits', () => {
  test('a blocked installation is not asked for, and comes back in time', async () => {
    await using host = await createScriptedHost();
    let now = new Date('2026-03-01T12:00:00Z');
    host.tokensExpireAt = new Date('2026-03-01T13:00:00Z');
    host.answers = [
      { status: 403, headers: { 'retry-after': '30' }, body: message('secondary rate limit') },
      good,
    ];
    const github = connectScripted(host, { clock: () => now });
    const retryAt = new Date('2026-03-01T12:00:30Z');
    expect(await faultOf(readPets(github))).toMatchObject({ retryAt });
    expect(await faultOf(createCheck(github))).toMatchObject({ name: 'GithubAwayError', retryAt });
    expect([host.asked.length, host.exchanges.length]).toEqual([1, 1]);
    const other = { ...pets, installationId: '8' };
    const route = 'GET /repos/{owner}/{repo}';
    await asRepository(github, other, { metadata: 'read' }, route, { owner: 'acme', repo: 'pets' });
    now = retryAt;
    expect((await readPets(github)).data.id).toBe(42);
  });
});

describe('conditional requests', () => {
  test('304 answers with what was kept, and with its links', async () => {
    await using host = await createScriptedHost();
    const link = '<http://127.0.0.1/x?page=2>; rel="next"';
    host.answers = [
      { ...good, headers: { etag: 'W/"1"', link } },
      { status: 304, headers: { etag: 'W/"1"' } },
    ];
    const requests: GithubRequest[] = [];
    const github = connectScripted(host, { onRequest: (one) => requests.push(one) });
    const first = await readPets(github, { conditional: true });
    const second = await readPets(github, { conditional: true });
    expect(second.data).toEqual(first.data);
    expect(second.headers.link).toBe(link);
    expect(host.asked.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, 'W/"1"']);
    expect(requests.map(({ status, cached }) => [status, cached])).toEqual([
      [201, false],
      [200, false],
      [304, true],
    ]);
    expect(github.counts.get('7')).toEqual({ requests: 2, notModified: 1, tokens: 1 });
  });

  test('what one scope was told is not asked about by another, nor by a call that did not want it', async () => {
    await using host = await createScriptedHost();
    host.answers = [{ ...good, headers: { etag: '"1"' } }];
    const github = connectScripted(host);
    const route = 'GET /repos/{owner}/{repo}';
    const params = { owner: 'acme', repo: 'pets' };
    await readPets(github, { conditional: true });
    await readPets(github);
    await asRepository(github, pets, { contents: 'read' }, route, params, { conditional: true });
    await asRepository(github, { ...pets, installationId: '8' }, { metadata: 'read' }, route, params, {
      conditional: true,
    });
    expect(host.asked.map(({ headers }) => headers['if-none-match'])).toEqual(Array(4).fill(undefined));
  });

  test('a refusal makes the kept answer forgotten', async () => {
    await using host = await createScriptedHost();
    host.answers = [{ ...good, headers: { etag: '"1"' } }, { status: 404, body: message('Not Found') }, good];
    const github = connectScripted(host);
    await readPets(github, { conditional: true });
    expect(await faultOf(readPets(github, { conditional: true }))).toBeInstanceOf(GithubGoneError);
    await readPets(github, { conditional: true });
    expect(host.asked.at(-1)?.headers['if-none-match']).toBeUndefined();
  });
});

describe('redirections', () => {
  const moved = (location: string, status = 301): Scripted => ({
    status,
    headers: { location },
    body: message('Moved'),
  });

  test('reading goes after a rename on the same host', async () => {
    await using host = await createScriptedHost();
    host.answers = [moved(`${host.url}/repositories/42`), good];
    expect((await readPets(connectScripted(host))).data.id).toBe(42);
    expect(host.asked.map(({ path }) => path)).toEqual(['/repos/acme/pets', '/repositories/42']);
  });

  test('no token goes to another host, nor beside the API', async () => {
    await using host = await createScriptedHost();
    await using other = await createScriptedHost();
    for (const location of [`${other.url}/repositories/42`, `${host.url}/beside`, '//', '']) {
      host.answers = [moved(location)];
      const github = connectScripted(host, { apiUrl: `${host.url}/api/v3` });
      expect(await faultOf(readPets(github))).toBeInstanceOf(GithubRefusedError);
    }
    expect(other.asked).toEqual([]);
  });

  test('a write is not sent after it', async () => {
    await using host = await createScriptedHost();
    host.answers = [moved(`${host.url}/repositories/42/check-runs`, 307)];
    expect(await faultOf(createCheck(connectScripted(host)))).toBeInstanceOf(GithubMovedError);
    expect(host.asked).toHaveLength(1);
  });

  test('a circle ends', async () => {
    await using host = await createScriptedHost();
    host.answers = [moved(`${host.url}/repositories/42`)];
    expect(await faultOf(readPets(connectScripted(host)))).toBeInstanceOf(GithubAwayError);
    expect(host.asked).toHaveLength(4);
  });
});

describe('GraphQL', () => {
  const ask = async (github: Github): Promise<unknown> =>
    await graphql(github, pets, { contents: 'read' }, 'query ($n: Int) { x }', { n: 1 });

  test('asks beside the REST door of an Enterprise Server, and with its variables', async () => {
    await using host = await createScriptedHost();
    host.answers = [{ status: 200, body: { data: { x: 1 } } }];
    expect(await ask(connectScripted(host))).toEqual({ x: 1 });
    await ask(connectScripted(host, { apiUrl: `${host.url}/api/v3` }));
    expect(host.asked.map(({ path }) => path)).toEqual(['/graphql', '/api/graphql']);
    expect(JSON.parse(host.asked[0]?.body ?? '')).toEqual({
      query: 'query ($n: Int) { x }',
      variables: { n: 1 },
    });
  });

  const errors = (type: string | undefined, text: string): Scripted => ({
    status: 200,
    body: { data: null, errors: [{ ...(type === undefined ? {} : { type }), message: text }] },
  });
  test.each<readonly [string, Scripted, Class]>([
    ['RATE_LIMITED', errors('RATE_LIMITED', 'API rate limit exceeded'), GithubAwayError],
    ['NOT_FOUND', errors('NOT_FOUND', 'Could not resolve to a Repository'), GithubGoneError],
    ['FORBIDDEN', errors('FORBIDDEN', 'Resource not accessible by integration'), GithubRefusedError],
    ['a failure', errors(undefined, 'Something went wrong while executing your query.'), GithubAwayError],
    ['a wrong query', errors(undefined, "Field 'x' doesn't exist"), GithubRefusedError],
    ['no GraphQL', { status: 200, body: [1] }, GithubAwayError],
  ])('%s', async (_, answer, expected) => {
    await using host = await createScriptedHost();
    host.answers = [answer];
    expect(await faultOf(ask(connectScripted(host)))).toBeInstanceOf(expected);
  });

  test('its limit holds for itself alone', async () => {
    await using host = await createScriptedHost();
    const now = new Date('2026-03-01T12:00:00Z');
    const resetAt = new Date('2026-03-01T12:10:00Z');
    host.tokensExpireAt = new Date('2026-03-01T13:00:00Z');
    const headers = {
      'x-ratelimit-remaining': '0',
      'x-ratelimit-resource': 'graphql',
      'x-ratelimit-reset': String(resetAt.getTime() / 1000),
    };
    const limited = {
      status: 200,
      headers,
      body: { errors: [{ type: 'RATE_LIMITED', message: 'no more' }] },
    };
    host.answers = [limited, good];
    const github = connectScripted(host, { clock: () => now });
    expect(await faultOf(ask(github))).toMatchObject({ retryAt: resetAt });
    expect(await faultOf(ask(github))).toMatchObject({ retryAt: resetAt });
    expect((await readPets(github)).data.id).toBe(42);
    expect(host.asked).toHaveLength(2);
  });
});

describe('the App itself', () => {
  test('a refusal by a clock that is off says by how much', async () => {
    await using host = await createScriptedHost();
    const now = new Date('2026-03-01T12:00:00Z');
    const refused = (date: string): Scripted => ({
      status: 401,
      headers: { date },
      body: message("'Issued at' claim ('iat') must be an Integer representing the time"),
    });
    host.answers = [
      refused('Sun, 01 Mar 2026 11:55:00 GMT'),
      refused('Sun, 01 Mar 2026 12:02:00 GMT'),
      refused('Sun, 01 Mar 2026 12:00:30 GMT'),
    ];
    const github = connectScripted(host, { clock: () => now });
    const said = [];
    for (let index = 0; index < 3; index += 1)
      said.push(String(await faultOf(asApp(github, 'GET /app', {}))));
    expect(said[0]).toContain("This server's clock is 300 s ahead of GitHub's");
    expect(said[1]).toContain("This server's clock is 120 s behind GitHub's");
    expect(said[2]).not.toContain('clock');
  });

  test.each(['', 'no key', '-----BEGIN RSA PRIVATE KEY-----'])(
    'the key %j is told without a call',
    async (key) => {
      await using host = await createScriptedHost();
      const github = connectScripted(host, { app: { id: '1', privateKey: key } });
      const error = await faultOf(asApp(github, 'GET /app', {}));
      expect(error).toBeInstanceOf(GithubRefusedError);
      expect(String(error)).not.toContain('BEGIN');
      expect(host.asked).toEqual([]);
    },
  );

  test('its credential is signed anew after five minutes, and where the clock is set back', async () => {
    await using host = await createScriptedHost();
    host.answers = [good];
    let now = new Date('2026-03-01T12:00:00Z');
    const github = connectScripted(host, { clock: () => now });
    for (const time of ['12:00:00', '12:04:59', '12:05:00', '11:00:00']) {
      now = new Date(`2026-03-01T${time}Z`);
      await asApp(github, 'GET /app', {});
    }
    const [first, second, third, fourth] = host.asked.map(({ headers }) => headers.authorization);
    expect(second).toBe(first);
    expect(new Set([first, third, fourth]).size).toBe(3);
  });
});

test('connections that were closed in between do no harm', async () => {
  await using host = await createScriptedHost();
  host.answers = [
    (request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(repository), () => request.socket.destroy());
    },
  ];
  const github = connectScripted(host);
  for (let index = 0; index < 3; index += 1) expect((await readPets(github)).data.id).toBe(42);
});
