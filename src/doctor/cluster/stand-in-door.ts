import { createServer } from 'node:http';

/**
 * Answers at the agent's door where no server does, so that a pod can be seen to reach it. Where something listens
 * there already, which is the server itself most likely, nothing is opened.
 */
export async function openStandIn(bind: string, port: number): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/healthz' ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ok: request.url === '/healthz' }));
  });
  const opened = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, bind, () => resolve(true));
  });
  return {
    [Symbol.asyncDispose]: async () => {
      if (!opened) return;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
