import type { BadRequest } from './bad-request.ts';

/** What pages of other sites make a browser send, and what nobody's browser does. */
export function pageRequests(port: number, token: string): readonly BadRequest[] {
  const cookie = `ame_token_${port}=${token}`;
  const page = (name: string, status: number, path: string, more: Partial<BadRequest> = {}): BadRequest => ({
    door: 'page',
    name,
    status,
    path,
    ...more,
  });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const hosts = [
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    `127.0.0.1@evil.example`,
    '127.1',
    '0.0.0.0',
    '[::]',
    '2130706433',
    '',
  ];
  return [
    ...['/', '/runs/1', `/commits/${'c0ffee'.padEnd(40, '0')}`, '/nothing'].map((path) =>
      page(`no token: ${path}`, 401, path),
    ),
    page('another cookie', 401, '/', { headers: { cookie: `ame_token_${port}=x` } }),
    page('the cookie of another port', 401, '/', { headers: { cookie: `ame_token_1=${token}` } }),
    page('another token in the address', 401, '/?token=wrong'),
    page('the token in the address of a POST', 401, `/api/v1/runs?token=${token}`, { method: 'POST' }),
    ...hosts.map((host) =>
      page(`reached as ${host}`, host.includes('@') ? 400 : 421, '/', { headers: { host, cookie } }),
    ),
    ...[
      'https://evil.example',
      'null',
      `http://127.0.0.1:${port + 1}`,
      `https://127.0.0.1:${port}.evil.example`,
    ].map((origin) =>
      page(`from ${origin}`, 403, '/api/v1/runs', { method: 'POST', headers: { origin, cookie } }),
    ),
    ...['cross-site', 'same-site'].flatMap((site) => [
      page(`a form ${site}`, 403, '/setup', {
        method: 'POST',
        body: 'token=x',
        headers: { ...form, cookie, 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate' },
      }),
      page(`a script ${site}`, 403, '/', {
        headers: { cookie, 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' },
      }),
      page(`a picture ${site}`, 403, '/api/v1/runs', {
        headers: { cookie, 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' },
      }),
    ]),
    page('metrics with the cookie', 401, '/metrics', { headers: { cookie } }),
    page('metrics without anything', 401, '/metrics'),
    page('another token at /setup', 401, '/setup', { method: 'POST', body: 'token=wrong', headers: form }),
    page('no token at /setup', 401, '/setup', { method: 'POST', body: '', headers: form }),
    page('a form that is too long', 413, '/setup', {
      method: 'POST',
      body: 'x'.repeat(20_000),
      headers: form,
    }),
    page('no form', 413, '/setup', {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    }),
    page('an App without a session', 401, '/setup/app', {
      method: 'POST',
      body: 'public_url=https://x',
      headers: form,
    }),
    page('an App with the cookie of the pages alone', 401, '/setup/app', {
      method: 'POST',
      body: '',
      headers: { ...form, cookie },
    }),
    page('back from GitHub without having gone', 400, '/setup/done?code=abc&state=def'),
    page('back from GitHub with a code that is none', 400, '/setup/done?code=../../x&state=def'),
    page(
      'back from GitHub with the state of somebody else',
      400,
      `/setup/done?code=abc&state=${'0'.repeat(64)}`,
      {
        headers: { cookie: 'ame_setup=x' },
      },
    ),
    // It says where to go on and nothing else, to whoever comes; but not to what only looks like it.
    page('installed, by POST', 401, '/setup/installed', { method: 'POST', body: '', headers: form }),
    page('installed, as evil.example', 421, '/setup/installed', { headers: { host: 'evil.example' } }),
    page('installed, from the script of another site', 403, '/setup/installed', {
      headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    }),
    page('behind installed', 401, '/setup/installed/..%2f..%2fapi'),
    page('a run called __proto__', 404, '/runs/__proto__', { headers: { cookie } }),
    page('a run that is a path', 404, '/runs/..%2f..%2fetc', { headers: { cookie } }),
    page('a run that is markup', 404, '/runs/%3Cscript%3E', { headers: { cookie, accept: 'text/html' } }),
    page('a commit that is markup', 404, '/commits/%3Cscript%3E', {
      headers: { cookie, accept: 'text/html' },
    }),
    page('a file of the server', 404, '/../../../../etc/passwd', { headers: { cookie } }),
    page('a file in disguise', 404, '/%2e%2e/%2e%2e/etc/passwd', { headers: { cookie } }),
    page('two slashes', 404, '//evil.example/', { headers: { cookie } }),
  ];
}
