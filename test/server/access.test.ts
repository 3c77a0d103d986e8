import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestAme, refusalOf, token, type TestAme } from './ame.ts';

let opened: TestAme;

beforeAll(async () => {
  opened = await openTestAme({
    env: {
      AME_HOSTS: 'build.example.com, other.example.com:8443',
      AME_PUBLIC_URL: 'https://ame.example.com:444/',
      AME_GITHUB_WEBHOOK_SECRET: 'a secret',
    },
  });
});

afterAll(() => opened.close());

type Headers = Readonly<Record<string, string>>;
const host = '127.0.0.1:8080';
const bearer = `Bearer ${token}`;

/** A request with these headers and nothing else. */
function plain(path: string, headers: Headers, method = 'GET'): Promise<Response> {
  return Promise.resolve(opened.app.request(path, { method, headers }));
}

async function codeOf(answer: Response): Promise<string> {
  return (await refusalOf(answer))[1];
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('the token', () => {
  test.each<Headers>([
    { authorization: bearer },
    { authorization: `bearer ${token}` },
    { authorization: basic(`ame:${token}`) },
    { authorization: basic(`:${token}`) },
    { cookie: `ame_token_8080=${token}` },
    { cookie: `theme=dark; ame_token_8080=${token}` },
  ])('opens as %j', async (headers) => {
    expect((await plain('/api/v1/projects', { host, ...headers })).status).toBe(200);
  });

  test.each<Headers>([
    {},
    { authorization: '' },
    { authorization: 'Bearer' },
    { authorization: `Bearer ${token.slice(1)}` },
    { authorization: `Bearer ${token}x` },
    { authorization: `Bearer ${token.toUpperCase()}` },
    { authorization: token },
    { authorization: `Token ${token}` },
    { authorization: basic(token) },
    { authorization: basic(`${token}:`) },
    { authorization: basic(`ame:${token}:`) },
    { authorization: 'Basic %%%' },
    { cookie: `ame_token_8080=${token}x` },
    { cookie: `token=${token}` },
    { cookie: `ame_token=${token}` },
    // What is offered first counts, so that a wrong one is noticed.
    { authorization: 'Bearer wrong', cookie: `ame_token_8080=${token}` },
  ])('does not open as %j', async (headers) => {
    for (const path of ['/api/v1/projects', '/openapi.json', '/', '/runs/1', '/nothing/here']) {
      const answer = await plain(path, { host, ...headers });
      expect(answer.status, path).toBe(401);
      expect(await answer.text()).not.toContain(token);
    }
  });

  test('moves from an address into a cookie, and out of the address', async () => {
    const answer = await plain(`/runs/7?tab=log&token=${token}&x=1`, { host });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/runs/7?tab=log&x=1');
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toContain(`ame_token_8080=${token};`);
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Lax/);
    expect(cookie).toMatch(/; Path=\//);
    expect((await plain('/api/v1/projects', { host, cookie: cookie.split(';')[0] ?? '' })).status).toBe(200);
  });

  test('of each server has a cookie of its own, since cookies know no ports', async () => {
    const nameAt = async (name: string): Promise<string> => {
      const answer = await plain(`/?token=${token}`, { host: name });
      return (answer.headers.get('set-cookie') ?? '').replace(/=.*/, '');
    };
    const names = ['127.0.0.1:8080', '127.0.0.1:8081', '[::1]:8081', '[::1]', 'build.example.com'];
    expect(await Promise.all(names.map(nameAt))).toEqual([
      'ame_token_8080',
      'ame_token_8081',
      'ame_token_8081',
      'ame_token',
      'ame_token',
    ]);
  });

  test.each([
    ['ame.example.com:444', true],
    ['build.example.com', true],
    ['127.0.0.1:8080', false],
    ['LOCALHOST:8080', false],
    ['[::1]:8080', false],
  ])('in a cookie goes over https alone where people come that way: %s %s', async (name, secure) => {
    const answer = await plain(`/?token=${token}`, { host: name });
    expect(/; Secure/i.test(answer.headers.get('set-cookie') ?? '')).toBe(secure);
  });

  test('in an address never leads to another server', async () => {
    for (const path of ['//evil.example.com/x', '///evil.example.com', '/\\evil.example.com']) {
      const answer = await plain(`http://${host}${path}?token=${token}`, { host });
      expect(answer.status).toBe(303);
      expect(answer.headers.get('location')).toMatch(/^\/[^/\\]/);
    }
  });

  test('in an address opens nothing that changes something, and a wrong one opens nothing', async () => {
    expect((await plain(`/api/v1/runs?token=${token}`, { host }, 'POST')).status).toBe(401);
    expect((await plain('/api/v1/runs?token=wrong', { host })).status).toBe(401);
    expect((await plain('/api/v1/runs?token=', { host })).status).toBe(401);
  });

  test('is asked for by the Git host as well', async () => {
    const path = '/git/ada/spam.git/info/refs?service=git-receive-pack';
    expect((await plain(path, { host })).status).toBe(401);
    expect((await plain(path, { host, authorization: basic('ame:wrong') })).status).toBe(401);
  });
});

describe('the name that a request was sent to', () => {
  test.each([
    '127.0.0.1',
    '127.0.0.1:8080',
    'localhost:9999',
    'LOCALHOST',
    '[::1]:8080',
    '[::1]',
    'build.example.com',
    'build.example.com:80',
    'other.example.com:8443',
    'ame.example.com:444',
    'ame.example.com',
  ])('%s is ours', async (name) => {
    expect((await plain('/api/v1/projects', { host: name, authorization: bearer })).status).toBe(200);
  });

  test.each([
    '',
    'evil.example.com',
    '127.0.0.1.evil.example.com',
    '127.0.0.1.nip.io:8080',
    'localhost.evil.example.com',
    'evil.example.com:127.0.0.1',
    'build.example.com.evil.example.com',
    'xbuild.example.com',
    'other.example.com',
    'other.example.com:8444',
    '127.0.0.1@evil.example.com',
    '127.0.0.1:8080, evil.example.com',
    '0.0.0.0:8080',
    '10.0.0.7',
    '[::ffff:127.0.0.1]',
  ])('%j is refused at every door, token or not', async (name) => {
    for (const path of ['/api/v1/projects', '/', '/git/a/b.git/info/refs?service=git-upload-pack']) {
      const answer = await plain(path, { host: name, authorization: bearer });
      expect(answer.status, path).toBe(421);
      expect(await codeOf(answer)).toBe('host-unknown');
    }
    // Probes of a cluster name the address of a pod.
    for (const path of ['/healthz', '/readyz']) expect((await plain(path, { host: name })).status).toBe(200);
  });
});

describe('a request of another site', () => {
  const cookie = `ame_token_8080=${token}`;
  const rules: readonly (readonly [method: string, headers: Headers, allowed: boolean])[] = [
    ['GET', {}, true],
    ['GET', { 'sec-fetch-site': 'same-origin', origin: `http://${host}` }, true],
    ['POST', { 'sec-fetch-site': 'same-origin', origin: `http://${host}` }, true],
    ['GET', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, true],
    // A link in a mail or on GitHub's page.
    ['GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, true],
    ['GET', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate' }, true],
    ['GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, false],
    ['GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }, false],
    ['GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'websocket' }, false],
    ['GET', { 'sec-fetch-site': 'cross-site' }, false],
    // Another port of this machine is the same site.
    ['GET', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }, false],
    ['POST', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, false],
    ['DELETE', { 'sec-fetch-site': 'same-site' }, false],
    ['POST', { origin: 'http://127.0.0.1:3000' }, false],
    ['POST', { origin: 'https://evil.example.com' }, false],
    ['POST', { origin: 'null' }, false],
    ['POST', { origin: `http://${host}.evil.example.com` }, false],
    ['POST', { origin: host }, false],
    ['GET', { origin: 'https://evil.example.com', 'sec-fetch-mode': 'navigate' }, false],
  ];
  test.each(rules)('%s with %j: allowed is %s', async (method, headers, allowed) => {
    const answer = await plain('/api/v1/parked', { host, cookie, ...headers }, method);
    expect(answer.status === 403 && (await codeOf(answer)) === 'cross-site').toBe(!allowed);
  });

  test('is told to no browser as readable', async () => {
    const answer = await plain('/api/v1/projects', { host, cookie, origin: `http://${host}` });
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

test('the webhook proves itself otherwise, and is the only door that does', async () => {
  const foreign = { host: 'hooks.example.com', origin: 'https://github.com', 'sec-fetch-site': 'cross-site' };
  const answer = await plain('/webhooks/github', foreign, 'POST');
  expect([answer.status, await codeOf(answer)]).toEqual([401, 'signature']);
  for (const [method, path] of [
    ['GET', '/webhooks/github'],
    ['PUT', '/webhooks/github'],
    ['POST', '/webhooks/github/'],
    ['POST', '/webhooks/gitlab'],
  ] as const) {
    expect((await plain(path, foreign, method)).status, `${method} ${path}`).toBe(421);
    expect((await plain(path, { host }, method)).status, `${method} ${path}`).toBe(401);
  }
});
