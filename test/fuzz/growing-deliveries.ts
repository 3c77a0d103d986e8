import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Json = Readonly<Record<string, unknown>>;
type Delivery = { readonly event: string; readonly body: Uint8Array };

function recorded(name: string): Json {
  const file = join(import.meta.dirname, '../../fixtures/deliveries', `${name}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Json;
}

const push = recorded('push-branch');
const installation = recorded('installation-created');
const added = recorded('installation-repositories-added');

const said = (event: string, payload: unknown): Delivery => ({
  event,
  body: Buffer.from(JSON.stringify(payload)),
});

function many<T>(count: number, one: (at: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, at) => one(at));
}

function ofInstallation(change: Json): Delivery {
  return said('installation', {
    ...installation,
    installation: { ...(installation['installation'] as Json), ...change },
  });
}

const repository = (at: number): Json => ({ id: at + 1, full_name: `acme/pets-${at}`, private: true });
const named = (count: number, value: (at: number) => unknown): Json =>
  Object.fromEntries(many(count, (at) => [`key_${at}`, value(at)]));

/** Deliveries that grow with a number: what GitHub lists in one, and what it never would. */
export const growingDeliveries: Readonly<Record<string, (count: number) => Delivery>> = {
  'repositories that were added': (count) =>
    said('installation_repositories', { ...added, repositories_added: many(count, repository) }),
  'repositories that are none': (count) =>
    said('installation_repositories', { ...added, repositories_added: many(count, () => ({ id: -1 })) }),
  'repositories of which the last is none': (count) =>
    said('installation_repositories', { ...added, repositories_added: [...many(count, repository), {}] }),
  'rights of an installation': (count) => ofInstallation({ permissions: named(count, () => 'write') }),
  'rights that are none': (count) => ofInstallation({ permissions: named(count, (at) => at) }),
  'events of an installation': (count) => ofInstallation({ events: many(count, (at) => `event_${at}`) }),
  'commits of a push': (count) =>
    said('push', { ...push, commits: many(count, (at) => ({ id: `${at}`, modified: ['a', 'b'] })) }),
  'keys that nobody knows': (count) => said('push', { ...push, ...named(count, (at) => at) }),
  'a long ref': (count) => said('push', { ...push, ref: `refs/heads/${'a/'.repeat(count * 20)}` }),
  'a text that cannot be stored': (count) =>
    said('push', { ...push, pusher: { name: '\0\ud800'.repeat(count * 10) } }),
  'brackets in brackets': (count) => ({ event: 'push', body: Buffer.from('['.repeat(count * 20)) }),
  'bytes that are no text': (count) => ({ event: 'push', body: Buffer.alloc(count * 40, 0xff) }),
  'an event that nobody knows': (count) => said('star', { action: 'created', list: many(count, repository) }),
};
