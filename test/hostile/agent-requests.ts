import type { BadRequest } from './bad-request.ts';

const digest = 'a'.repeat(64);

/** Requests at the agent's door by pods that want more than is theirs. `token` is that of `attempt`. */
export function agentRequests(
  attempt: number,
  tokens: {
    readonly own: string;
    readonly other: string;
    readonly foreignKey: string;
    readonly server: string;
  },
): readonly BadRequest[] {
  const agent = (name: string, status: number, path: string, more: Partial<BadRequest> = {}): BadRequest => ({
    door: 'agent',
    name,
    status,
    path: path.startsWith('/') ? path : `/agent/v1/attempts/${attempt}/${path}`,
    ...more,
    headers: { host: 'ame.ame.svc:8080', authorization: `Bearer ${tokens.own}`, ...more.headers },
  });
  const put = (
    name: string,
    status: number,
    path: string,
    body: string | Uint8Array,
    method = 'PUT',
  ): BadRequest => agent(name, status, path, { method, body });
  const paths = [
    ['GET', 'input'],
    ['GET', `blobs/${digest}`],
    ['PUT', `blobs/${digest}`],
    ['POST', 'missing'],
    ['POST', 'signed/reads'],
    ['POST', 'signed/writes'],
    ['POST', 'signed/confirmed'],
    ['PUT', 'started'],
    ['PUT', 'log/0'],
    ['PUT', 'report'],
  ] as const;
  return [
    ...paths.flatMap(([method, path]) => [
      agent(`no token: ${method} ${path}`, 401, path, { method, headers: { authorization: '' } }),
      agent(`the token of another attempt: ${method} ${path}`, 403, path, {
        method,
        headers: { authorization: `Bearer ${tokens.other}` },
      }),
    ]),
    agent('a token of another key', 401, 'input', {
      headers: { authorization: `Bearer ${tokens.foreignKey}` },
    }),
    agent("the server's own token", 401, 'input', { headers: { authorization: `Bearer ${tokens.server}` } }),
    agent('the token with another number', 401, 'input', {
      headers: { authorization: `Bearer ${tokens.own.replace(/^\d+/, '424242')}` },
    }),
    ...[
      `0${attempt}`,
      `${attempt}.0`,
      `${attempt}%20`,
      '__proto__',
      '..',
      '424242',
      `${attempt}%2f..%2f1`,
    ].map((id) => agent(`as the attempt ${id}`, id === '..' ? 404 : 403, `/agent/v1/attempts/${id}/input`)),
    ...[
      '..%2f..%2fsecret-key',
      'A'.repeat(64),
      'a'.repeat(63),
      '%00',
      `${digest}%00`,
      'sha256:' + digest,
    ].map((name) => agent(`content called ${name}`, 400, `blobs/${name}`)),
    agent('content of somebody else', 404, `blobs/${digest}`),
    agent('content from nowhere', 400, `blobs/${digest}?from=-1`),
    put('content under another digest', 422, `blobs/${digest}`, 'not that'),
    put('a chunk of a log that is none', 400, 'log/0', 'x'),
    put('a chunk without a number', 400, 'log/x', 'x'),
    put('a chunk before the first', 400, 'log/-1', 'x'),
    put('a report that is none', 400, 'report', '{}'),
    put('a report that is no JSON', 400, 'report', '{'),
    put('a report that is a list', 400, 'report', '[]'),
    put('a report of prototypes', 400, 'report', '{"__proto__":{"exitCode":0}}'),
    put('a start without a time', 400, 'started', '{"at":"soon"}'),
    put('a question that is none', 400, 'missing', '{"digests":"all"}', 'POST'),
    put('a question for paths', 400, 'missing', '{"digests":["../../secret-key"]}', 'POST'),
    agent('nothing', 404, 'everything'),
    agent('another method', 404, 'input', { method: 'DELETE' }),
  ];
}
