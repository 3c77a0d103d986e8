import type { IncomingMessage, ServerResponse } from 'node:http';
import { serve, type ServerType } from '@hono/node-server';

export type Door = {
  readonly fetch: Parameters<typeof serve>[0]['fetch'];
  /** 0: one that is free. */
  readonly port: number;
  /** The address that it listens at. */
  readonly bind: string;
};

/**
 * Milliseconds. How long the headers of a request may take, counted from the connection or from the answer before, and
 * how often that is looked at. Node's own words for it are `headersTimeout` and `connectionsCheckingInterval`.
 */
export type Patience = { readonly headersMs: number; readonly lookMs: number };

const usualPatience: Patience = { headersMs: 60_000, lookMs: 30_000 };

/**
 * Listens as all of our doors do. Rejects with what Node says where it cannot.
 *
 * Whoever connects has proved nothing yet: headers are waited for so long and no longer, and each door that reads a
 * body bounds it in bytes and in time (`agent/body.ts`). What no door reads is thrown away by the server library,
 * which closes the connection where it goes on for half a second after the answer. There is no limit of connections:
 * one would lock out people as soon as a stranger had used it up.
 */
export function listenAt(
  { fetch, port, bind }: Door,
  { headersMs, lookMs }: Patience = usualPatience,
): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({
      fetch,
      port,
      hostname: bind,
      // Its Response cannot read a stream that Node's own makes (measured: "Cannot read private member #state").
      overrideGlobalObjects: false,
      serverOptions: {
        // A large push over a slow line takes longer than the five minutes that Node allows a request.
        requestTimeout: 0,
        // Said beside it: without it Node takes the smaller of the two for both (measured), and waits for ever.
        headersTimeout: headersMs,
        connectionsCheckingInterval: lookMs,
      },
    });
    server.prependListener('request', closeAfterBody);
    server.once('listening', () => resolve(server));
    server.once('error', reject);
  });
}

/** The server library throws away no body of a GET (measured: the connection stays for as long as a byte comes). */
function closeAfterBody({ method, headers }: IncomingMessage, answer: ServerResponse): void {
  const bodiless = method === 'GET' || method === 'HEAD';
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (bodiless && hasBody) answer.setHeader('connection', 'close');
}
