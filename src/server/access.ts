import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

/** Compares in a time that says nothing about the text. */
export function isToken(offered: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(offered), digest(token));
}

/** The token that a request carries: as bearer, as the password of Basic (git), or in the page's cookie. */
export function offeredToken(c: Context): string | null {
  const [scheme = '', value = ''] = (c.req.header('authorization') ?? '').split(' ', 2);
  if (/^bearer$/i.test(scheme)) return value;
  if (/^basic$/i.test(scheme)) {
    const decoded = Buffer.from(value, 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    return colon < 0 ? null : decoded.slice(colon + 1);
  }
  return getCookie(c, cookieName(c)) ?? null;
}

const loopback: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);
const portAtEnd = /:\d+$/;

function hostOf(c: Context): string {
  return (c.req.header('host') ?? '').toLowerCase();
}

/** Cookies know no ports: under one name, two servers on one machine would each log a browser out of the other. */
function cookieName(c: Context): string {
  const port = portAtEnd.exec(hostOf(c))?.[0].slice(1);
  return port === undefined ? 'ame_token' : `ame_token_${port}`;
}

function isLoopback(host: string): boolean {
  return loopback.has(host.replace(portAtEnd, ''));
}

/**
 * Lets only requests pass that name a host of ours. A page of another site can make a browser send requests
 * to 127.0.0.1, also under a name of its own that it points there.
 */
export function checkHost(hosts: readonly string[]): MiddlewareHandler {
  const known = new Set(hosts.map((host) => host.toLowerCase()));
  return async (c, next) => {
    const host = hostOf(c);
    const name = host.replace(portAtEnd, '');
    if (!isLoopback(host) && !known.has(name) && !known.has(host)) {
      return c.json(
        refusal(
          'host-unknown',
          `this server does not answer to the name ${JSON.stringify(name)}; AME_HOSTS lists further names`,
        ),
        421,
      );
    }
    await next();
    return undefined;
  };
}

/** Refuses what a browser sends on behalf of another site, whatever cookie it carries. */
export function refuseCrossSite(): MiddlewareHandler {
  return async (c, next) => {
    const site = c.req.header('sec-fetch-site');
    const origin = c.req.header('origin');
    const foreign = origin !== undefined && URL.parse(origin)?.host !== c.req.header('host');
    // Following a link into the page is no danger: nothing is changed by a navigation that only reads.
    const navigation = c.req.method === 'GET' && c.req.header('sec-fetch-mode') === 'navigate';
    if (foreign || ((site === 'cross-site' || site === 'same-site') && !navigation)) {
      return c.json(refusal('cross-site', 'requests of other sites are refused'), 403);
    }
    await next();
    return undefined;
  };
}

/** Lets a browser keep the token, so that the pages open without asking. */
export function rememberToken(c: Context, token: string, { https }: { readonly https: boolean }): void {
  setCookie(c, cookieName(c), token, {
    httpOnly: true,
    sameSite: 'Lax',
    path: '/',
    maxAge: 365 * 86_400,
    secure: isSecure(c, https),
  });
}

/** Whether a browser is told to send a cookie by https alone. `https`: people reach this server that way. */
export function isSecure(c: Context, https: boolean): boolean {
  // On this machine itself nothing stands before the server that would speak https.
  return https && !isLoopback(hostOf(c));
}

/**
 * Asks for the token. A page's address may carry it once: it moves into a cookie and out of the address. `https` says
 * that people reach this server that way, so that their browsers are told never to send the cookie in clear.
 */
export function requireToken(token: string, { https }: { readonly https: boolean }): MiddlewareHandler {
  return async (c, next) => {
    const inAddress = c.req.query('token');
    if (c.req.method === 'GET' && inAddress !== undefined && isToken(inAddress, token)) {
      const url = new URL(c.req.url);
      url.searchParams.delete('token');
      rememberToken(c, token, { https });
      // With two slashes at its beginning a path would be the name of another server.
      return c.redirect(`${url.pathname.replace(/^\/+/, '/')}${url.search}`, 303);
    }
    const offered = offeredToken(c);
    if (offered === null || !isToken(offered, token)) {
      return c.json(
        refusal(
          'token-needed',
          'a token is needed: it stands in the file `token` of the data directory, and in the addresses that the server prints',
        ),
        401,
        { 'www-authenticate': 'Bearer realm="ame"' },
      );
    }
    await next();
    return undefined;
  };
}

/** The body of every refusal of the API. */
export function refusal(
  code: string,
  message: string,
): { readonly error: { readonly code: string; readonly message: string } } {
  return { error: { code, message } };
}
