import type { BadRequest } from './bad-request.ts';

const routes: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/api/v1/runs'],
  ['POST', '/api/v1/runs'],
  ['GET', '/api/v1/runs/1'],
  ['POST', '/api/v1/runs/1/cancel'],
  ['POST', '/api/v1/runs/1/retry'],
  ['GET', '/api/v1/runs/1/artifacts'],
  ['GET', '/api/v1/runs/1/decisions'],
  ['GET', '/api/v1/artifacts/1/content'],
  ['GET', '/api/v1/attempts/1/log'],
  ['GET', '/api/v1/attempts/1/log/events'],
  ['GET', '/api/v1/deliveries'],
  ['GET', '/api/v1/deliveries/x'],
  ['GET', `/api/v1/commits/${'c0ffee'.padEnd(40, '0')}`],
  ['GET', '/api/v1/parked'],
  ['POST', '/api/v1/parked/runs/1/release'],
  ['GET', '/api/v1/projects'],
  ['GET', '/api/v1/projects/spam/problems'],
  ['GET', '/api/v1/projects/spam/secrets'],
  ['PUT', '/api/v1/projects/spam/secrets/KEY'],
  ['DELETE', '/api/v1/projects/spam/secrets/KEY'],
  ['GET', '/api/v1/github'],
  ['GET', '/api/v1/github/check'],
  ['GET', '/openapi.json'],
];

/** Requests of the API that ask for what is not theirs, and such as no client sends. */
export function apiRequests(token: string): readonly BadRequest[] {
  const bearer = { authorization: `Bearer ${token}` };
  const api = (name: string, status: number, path: string, more: Partial<BadRequest> = {}): BadRequest => ({
    door: 'api',
    name,
    status,
    path,
    ...more,
    headers: { ...bearer, ...more.headers },
  });
  const json = (name: string, status: number, path: string, body: string, method = 'POST'): BadRequest =>
    api(name, status, path, { method, body, headers: { 'content-type': 'application/json' } });
  const tokens: Readonly<Record<string, string>> = {
    'an empty bearer': 'Bearer ',
    'another token': 'Bearer another-token',
    'the beginning of the token': `Bearer ${token.slice(0, -1)}`,
    'more than the token': `Bearer ${token}x`,
    'the token in capitals': `Bearer ${token.toUpperCase()}`,
    'the token under another scheme': `Digest ${token}`,
    'the token without a scheme': token,
    'another password': `Basic ${Buffer.from('ame:wrong').toString('base64')}`,
    'the token as the user': `Basic ${Buffer.from(`${token}:`).toString('base64')}`,
    'Basic that is no base64': 'Basic %%%',
  };
  const ids = [
    'x',
    '-1',
    '0',
    '1.5',
    '1e3',
    '0x1',
    '99999999999999999999',
    '%00',
    '1%00',
    '..%2f1',
    '%2e%2e',
    "1'--",
    '１',
  ];
  return [
    ...routes.map(([method, path]) => ({
      door: 'api',
      name: `no token: ${method} ${path}`,
      status: 401,
      method,
      path,
    })),
    ...Object.entries(tokens).map(([name, authorization]) =>
      api(name, 401, '/api/v1/runs', { headers: { authorization } }),
    ),
    ...routes
      .filter(([method]) => method !== 'GET')
      .map(([method, path]) =>
        api(`from another site: ${method} ${path}`, 403, path, {
          method,
          headers: { origin: 'https://evil.example' },
        }),
      ),
    ...ids.map((id) =>
      api(
        `a run called ${id}`,
        id === '%2e%2e' ? 404 : 422,
        `/api/v1/runs/${encodeURI(id).replaceAll('%25', '%')}`,
      ),
    ),
    api('a run that is not there', 404, '/api/v1/runs/424242'),
    api('an artifact that is not there', 404, '/api/v1/artifacts/424242/content'),
    api('a log that is not there', 404, '/api/v1/attempts/424242/log'),
    api('events of a log that is not there', 404, '/api/v1/attempts/424242/log/events'),
    api('a commit that is none', 422, '/api/v1/commits/HEAD'),
    api('a commit that is an option', 422, '/api/v1/commits/--all'),
    api('a queue that is a table', 422, '/api/v1/parked/secrets/1/release', { method: 'POST', body: '' }),
    api('a queue called __proto__', 422, '/api/v1/parked/__proto__/1/release', { method: 'POST', body: '' }),
    api('a project with a NUL', 404, '/api/v1/projects/a%00b/problems'),
    api('a project called __proto__', 404, '/api/v1/projects/__proto__/problems'),
    api('a project that is a path', 404, '/api/v1/projects/..%2f..%2fetc/secrets'),
    api('a page of a million', 422, '/api/v1/runs?limit=1000000'),
    api('a cursor that is none', 422, '/api/v1/runs?cursor=1;drop'),
    api('a state that is none', 422, '/api/v1/runs?state=__proto__'),
    api('a ref that is a NUL', 422, '/api/v1/runs?ref=%00'),
    api('out of the API', 404, '/api/v1/../../../../etc/passwd'),
    api('out of the API, in disguise', 404, '/api/v1/%2e%2e/%2e%2e/etc/passwd'),
    api('another version', 404, '/api/v2/runs'),
    json('broken JSON', 400, '/api/v1/runs', '{"project":'),
    json('a list', 422, '/api/v1/runs', '[]'),
    json('nothing', 400, '/api/v1/runs', ''),
    json('null', 422, '/api/v1/runs', 'null'),
    json('only __proto__', 422, '/api/v1/runs', '{"__proto__":{"project":"spam"}}'),
    json('a number for a name', 422, '/api/v1/runs', '{"project":1}'),
    json('a project that is not there', 404, '/api/v1/runs', '{"project":"nobody"}'),
    json(
      'a ref that is an option',
      404,
      '/api/v1/runs',
      '{"project":"spam","ref":"--upload-pack=touch /tmp/x"}',
    ),
    json('a ref with a line end', 404, '/api/v1/runs', '{"project":"spam","ref":"main\\nHEAD"}'),
    json('a ref with a NUL', 422, '/api/v1/runs', '{"project":"spam","ref":"main\\u0000"}'),
    json('a task with a NUL', 422, '/api/v1/runs', '{"project":"spam","task":"a\\u0000"}'),
    api('a body that is a form', 415, '/api/v1/runs', { method: 'POST', body: 'project=spam' }),
    api('a body without its length', 411, '/api/v1/runs', {
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
    }),
    api('a body of 2 MiB', 413, '/api/v1/runs', {
      method: 'POST',
      body: Buffer.alloc(2 * 1024 * 1024, 0x20),
    }),
    json('a secret that is too short', 422, '/api/v1/projects/spam/secrets/KEY', '{"value":"short"}', 'PUT'),
    json(
      'a secret with a NUL',
      422,
      '/api/v1/projects/spam/secrets/KEY',
      '{"value":"a long secret\\u0000"}',
      'PUT',
    ),
    json(
      'a secret of another form',
      422,
      '/api/v1/projects/spam/secrets/KEY',
      '{"value":["a long secret"]}',
      'PUT',
    ),
    json(
      'a secret whose name is a path',
      422,
      '/api/v1/projects/spam/secrets/..%2fKEY',
      '{"value":"a long secret"}',
      'PUT',
    ),
    json(
      'a secret called LD_PRELOAD=',
      422,
      '/api/v1/projects/spam/secrets/LD_PRELOAD%3D',
      '{"value":"a long secret"}',
      'PUT',
    ),
    json('cancel what is not there', 404, '/api/v1/runs/424242/cancel', ''),
    json('retry what is not there', 404, '/api/v1/runs/424242/retry', ''),
  ];
}
