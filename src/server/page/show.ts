import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { documentOf, mainOf, type View } from './layout.ts';

export type Shown = {
  readonly status?: 200 | 400 | 401 | 404 | 408 | 409 | 413 | 422 | 500 | 502 | 503;
  /** Sources of the policy to which forms of the page may be sent; without any it has no form. */
  readonly forms?: readonly string[];
};

/** A page, or the part of it that changes, under a policy that lets nothing in from anywhere. */
export async function show(c: Context, view: View, { status = 200, forms }: Shown = {}): Promise<Response> {
  const nonce = randomBytes(18).toString('base64');
  const own = `'nonce-${nonce}'`;
  const sentTo = forms?.join(' ') ?? "'none'";
  c.header(
    'content-security-policy',
    `default-src 'none'; script-src ${own}; style-src ${own}; img-src data:; connect-src 'self'; base-uri 'none'; form-action ${sentTo}; frame-ancestors 'none'`,
  );
  // Under `no-referrer` a browser says `Origin: null` also when a form goes back to where it came from
  // (https://fetch.spec.whatwg.org/#append-a-request-origin-header), and that is refused as another site's.
  c.header('referrer-policy', forms === undefined ? 'no-referrer' : 'strict-origin');
  c.header('x-content-type-options', 'nosniff');
  c.header('x-frame-options', 'DENY');
  c.header('cross-origin-opener-policy', 'same-origin');
  c.header('cache-control', 'no-store');
  return c.html(await (c.req.query('part') === 'main' ? mainOf(view) : documentOf(view, nonce)), status);
}
