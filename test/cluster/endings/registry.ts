import { createServer, type Server } from 'node:http';

/**
 * A registry of bad answers on 127.0.0.1, for nodes on this machine: what runtimes fetch from there goes over plain
 * HTTP. The first part of an image's name says what is wrong with it.
 */
export async function startBadRegistry(): Promise<{ readonly server: Server; readonly host: string }> {
  const digest = `sha256:${'0'.repeat(64)}`;
  const list = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest,
        size: 500,
        platform: { architecture: 's390x', os: 'linux' },
      },
    ],
  };
  const server = createServer((request, response) => {
    const [, , kind] = (request.url ?? '').split('/');
    const answer = (
      status: number,
      body: object,
      headers: { readonly [name: string]: string } = {},
    ): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
    };
    if (kind === 'private') {
      const error = { code: 'UNAUTHORIZED', message: 'authentication required' };
      answer(401, { errors: [error] }, { 'www-authenticate': 'Basic realm="private"' });
    } else if (kind === 'forbidden') {
      answer(403, { errors: [{ code: 'DENIED', message: 'requested access to the resource is denied' }] });
    } else if (kind === 'busy') {
      answer(429, {
        errors: [{ code: 'TOOMANYREQUESTS', message: 'You have reached your pull rate limit.' }],
      });
    } else if (kind === 'failing') answer(503, { errors: [] });
    else if (kind === 'foreign') answer(200, list, { 'content-type': list.mediaType });
    else answer(404, { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { server, host: `127.0.0.1:${port}` };
}
