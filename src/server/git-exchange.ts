import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Context } from 'hono';
import type { GitService } from '../git/host.ts';
import { parseRepositoryName, type RepositoryName } from '../git/repository-name.ts';

/** What the requests of git clients and the answers to them have in common. */

/** The password of a Basic authorization, `null` where the request has none. */
export function basicPassword(request: Request): string | null {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : text.slice(colon + 1);
}

export type ServiceRequest = { readonly name: RepositoryName; readonly body: AsyncIterable<Uint8Array> };

/** Name and unpacked body of a POST; an answer where it is none that git sends. */
export function parseRequest(context: Context, service: GitService): ServiceRequest | Response {
  const name = parseRepositoryName(context.req.param('owner') ?? '', context.req.param('name') ?? '');
  if (typeof name === 'string') return plain(400, name);
  // No form of a web page can send this type without asking first.
  const type = `application/x-${service}-request`;
  if (context.req.header('content-type') !== type) return plain(415, `the content must be ${type}`);
  const body = context.req.raw.body ?? none();
  const encoding = context.req.header('content-encoding') ?? 'identity';
  if (encoding === 'identity') return { name, body };
  if (encoding !== 'gzip' && encoding !== 'x-gzip')
    return plain(415, 'the content may be packed with gzip only');
  // A failure of either side reaches the reader of the unpacked bytes.
  return { name, body: pipeline(body, createGunzip(), () => undefined) };
}

/** An answer in one of the types of the smart protocol. */
export function stream(
  type: string,
  content: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>,
): Response {
  const headers = { 'content-type': type, 'cache-control': 'no-cache, max-age=0, must-revalidate' };
  return new Response(content instanceof ReadableStream ? content : ReadableStream.from(content), {
    headers,
  });
}

/** git prints the lines of a plain text beside the status when it is refused. */
export function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
  });
}

export async function* none(): AsyncGenerator<Uint8Array, void, undefined> {}
