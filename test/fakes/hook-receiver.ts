import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Received = {
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Whether the signature is that of the secret over these bytes. */
  readonly signed: boolean;
};

export type HookReceiver = AsyncDisposable & {
  readonly url: string;
  readonly received: Received[];
  /** What it answers from now on. */
  answer: number;
};

/** Something that takes deliveries, and says what came. */
export async function createHookReceiver(secret: () => string): Promise<HookReceiver> {
  const received: Received[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Uint8Array[] = [];
    incoming.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const payload = JSON.parse(body.toString('utf8')) as Received['payload'];
      const sum = createHmac('sha256', secret()).update(body).digest('hex');
      received.push({
        guid: String(incoming.headers['x-github-delivery']),
        event: String(incoming.headers['x-github-event']),
        action: typeof payload['action'] === 'string' ? payload['action'] : null,
        payload,
        signed: incoming.headers['x-hub-signature-256'] === `sha256=${sum}`,
      });
      outgoing.writeHead(receiver.answer).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const receiver: HookReceiver = {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answer: 202,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return receiver;
}
