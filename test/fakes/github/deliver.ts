import { createHmac, randomUUID } from 'node:crypto';
import type { FakeRepository } from './repository.ts';
import type { Drop, FakeDelivery, FakeInstallation, World } from './world.ts';

export type DeliverOptions = {
  readonly guid?: string;
  readonly installation?: FakeInstallation;
  readonly repository?: FakeRepository;
};

/**
 * Sends a payload, signed, to where the App's webhook points, and keeps it in the list of deliveries. Null where
 * there is no such place: GitHub then sends nothing and lists nothing.
 */
export async function deliver(
  world: World,
  event: string,
  payload: object,
  options: DeliverOptions = {},
): Promise<FakeDelivery | null> {
  if (world.hookUrl === null) return null;
  const faults = world.description.webhook(event, payload);
  if (faults.length > 0) world.violations.push(`${event}, payload: ${faults.join('; ')}`);
  const said = payload as {
    readonly action?: unknown;
    readonly installation?: { readonly id?: unknown };
    readonly repository?: { readonly id?: unknown };
  };
  const installation = options.installation?.id ?? said.installation?.id;
  const repository = options.repository?.id ?? said.repository?.id;
  return send(world, {
    guid: options.guid ?? randomUUID(),
    redelivery: false,
    event,
    action: typeof said.action === 'string' ? said.action : null,
    installationId: typeof installation === 'number' ? installation : null,
    repositoryId: typeof repository === 'number' ? repository : null,
    body: JSON.stringify(payload),
  });
}

/** The same delivery again, with its GUID and a line of its own in the list. */
export function redeliver(world: World, delivery: FakeDelivery): Promise<FakeDelivery> {
  const { guid, event, action, installationId, repositoryId, body } = delivery;
  return send(world, { guid, redelivery: true, event, action, installationId, repositoryId, body });
}

async function send(
  world: World,
  facts: Omit<FakeDelivery, 'id' | 'deliveredAt' | 'status' | 'statusCode'>,
): Promise<FakeDelivery> {
  const delivery: FakeDelivery = {
    id: world.nextId(),
    deliveredAt: world.now(),
    ...facts,
    status: 'OK',
    statusCode: 202,
  };
  const drop = world.drops.shift();
  if (drop !== 'unrecorded') world.deliveries.push(delivery);
  const answer = drop === undefined ? await post(world, delivery) : dropped[drop];
  delivery.status = answer.status;
  delivery.statusCode = answer.statusCode;
  return delivery;
}

const away = { status: 'failed to connect to host', statusCode: 502 };
const dropped: Readonly<Record<Drop, typeof away>> = {
  failed: away,
  answered: { status: 'OK', statusCode: 202 },
  unrecorded: away,
};

async function post(world: World, delivery: FakeDelivery): Promise<typeof away> {
  if (world.hookUrl === null) return away;
  const form = world.hookContentType === 'form';
  const body = form ? new URLSearchParams({ payload: delivery.body }).toString() : delivery.body;
  const headers: Record<string, string> = {
    'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
    'user-agent': 'GitHub-Hookshot/fake',
    'x-github-delivery': delivery.guid,
    'x-github-event': delivery.event,
    'x-github-hook-id': '1',
    'x-github-hook-installation-target-id': world.app.id,
    'x-github-hook-installation-target-type': 'integration',
  };
  if (world.app.webhookSecret !== '') {
    const sign = (hash: string): string =>
      `${hash}=${createHmac(hash, world.app.webhookSecret).update(body).digest('hex')}`;
    headers['x-hub-signature'] = sign('sha1');
    headers['x-hub-signature-256'] = sign('sha256');
  }
  try {
    const answer = await fetch(world.hookUrl, { method: 'POST', headers, body, redirect: 'manual' });
    await answer.arrayBuffer();
    const good = answer.status < 400;
    return {
      status: good ? 'OK' : `Invalid HTTP Response: ${answer.status}`,
      statusCode: answer.status,
    };
  } catch {
    return away;
  }
}
