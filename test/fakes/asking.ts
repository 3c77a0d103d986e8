import { createSign } from 'node:crypto';
import type { FakeGithub } from './github.ts';
import type { FakeInstallation, Permissions } from './github/world.ts';

export type Answered = {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed; `null` where there is none. */
  readonly body: unknown;
};

/** A JSON web token of the App, with the claims that are given in place of good ones. */
export function jwtOf(github: FakeGithub, claims: object = {}): string {
  const now = Math.floor(github.world.now().getTime() / 1_000);
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const payload = { iat: now - 30, exp: now + 300, iss: github.app.id, ...claims };
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(payload)}`;
  return `${signed}.${createSign('sha256').update(signed).sign(github.app.privateKey, 'base64url')}`;
}

/** One request, `POST /graphql` and the like, with a token of either kind. */
export async function ask(
  github: FakeGithub,
  token: string | null,
  route: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const [method = 'GET', path = '/'] = route.split(' ');
  const answer = await fetch(`${github.url}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      'user-agent': 'test',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: text === '' ? null : (JSON.parse(text) as unknown),
  };
}

/** A token of the installation; the answer must be one. */
export async function tokenFor(
  github: FakeGithub,
  installation: FakeInstallation,
  wish: { readonly repository_ids?: readonly number[]; readonly permissions?: Permissions } = {},
): Promise<string> {
  const route = `POST /app/installations/${installation.id}/access_tokens`;
  const { status, body } = await ask(github, jwtOf(github), route, wish);
  if (status !== 201) throw new Error(`no token: ${status} ${JSON.stringify(body)}`);
  return (body as { readonly token: string }).token;
}

/** A clock that moves only when it is told to. */
export function stoppedClock(): { readonly now: () => Date; readonly advance: (seconds: number) => void } {
  let time = Date.parse('2026-05-01T12:00:00Z');
  return { now: () => new Date(time), advance: (seconds) => void (time += seconds * 1_000) };
}

/** Ends a test file: nothing that was asked or answered broke GitHub's description. */
export function assertClean({ violations }: FakeGithub): void {
  if (violations.length > 0) throw new Error(`GitHub's description was broken:\n${violations.join('\n')}`);
}
