import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const webhookSecret = 'a-secret-of-the-benchmark';

/** The body of a real push, 7 KB as such a delivery has. */
export function pushBody(): Buffer {
  const path = fileURLToPath(new URL('../fixtures/deliveries/push-branch.json', import.meta.url));
  const { payload } = JSON.parse(readFileSync(path, 'utf8')) as { readonly payload: unknown };
  return Buffer.from(JSON.stringify(payload));
}

/** A whole signed request for the webhook's door, which is at this path, with an id of its own. */
export function deliveryRequest(event: string, body: Buffer, path = '/webhooks/github'): Buffer {
  const signature = createHmac('sha256', webhookSecret).update(body).digest('hex');
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: application/json',
    `content-length: ${body.byteLength}`,
    `x-github-delivery: ${randomUUID()}`,
    `x-github-event: ${event}`,
    `x-hub-signature-256: sha256=${signature}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}
