import { Hono } from 'hono';
import { isActedOn } from '../github/payload.ts';
import { createVerify, type Verify } from '../github/webhook.ts';
import type { Log } from '../log.ts';
import { refusal } from './access.ts';
import {
  BodyTooLargeError,
  BodyTooSlowError,
  boundBody,
  readAll,
  systemBodyClock,
  type BodyClock,
} from './agent/body.ts';
import type { Inbox } from './inbox.ts';
import { databaseMs, isAwayOrLate, withinMs } from './within.ts';

/** What GitHub sends at most: https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap */
export const mostBodyBytes = 25 * 1024 * 1024;

/** Milliseconds of the time for the database that the look for the secrets may take; the rest is for the row. */
const secretsMs = 1_000;

/**
 * `POST /webhooks/github`: checks the size, verifies the signature over the bytes as they came, stores, answers
 * 202. Nothing is parsed here, and nothing done before the signature is good but to look which secrets there are.
 */
export function createWebhookDoor(deps: {
  /** What a delivery may be signed with, as it is now; may ask the database. */
  readonly secrets: () => Promise<readonly string[]>;
  /** The same as far as it is known; counts while the database is away. */
  readonly known: () => readonly string[];
  readonly inbox: Inbox;
  readonly log: Log;
  readonly clock?: BodyClock;
}): Hono {
  let last: { readonly secrets: readonly string[]; readonly isSigned: Verify } | null = null;
  /** Null where no secret is set. Throws what `isAwayOrLate` knows where none is known and none can be asked for. */
  async function verifier(): Promise<typeof last> {
    const secrets = await withinMs(secretsMs, deps.secrets).catch((error: unknown) => {
      const known = deps.known();
      if (known.length === 0 || !isAwayOrLate(error)) throw error;
      return known;
    });
    if (last === null || secrets.join('\n') !== last.secrets.join('\n'))
      last = { secrets, isSigned: createVerify(secrets) };
    return secrets.length === 0 ? null : last;
  }
  return new Hono().post('/webhooks/github', async (c) => {
    const begun = performance.now();
    let verify: typeof last;
    try {
      verify = await verifier();
    } catch (error) {
      if (!isAwayOrLate(error)) throw error;
      return c.json(refusal('database-away', 'the delivery could not be stored; send it again'), 503);
    }
    const leftMs = databaseMs - (performance.now() - begun);
    if (verify === null) {
      const how = 'open /setup, or set AME_GITHUB_WEBHOOK_SECRET to the secret of the webhook';
      return c.json(refusal('not-configured', how), 503);
    }
    const announced = Number(c.req.header('content-length') ?? 0);
    if (announced > mostBodyBytes) return c.json(refusal('too-large', 'a delivery has at most 25 MiB'), 413);
    // Whoever it is has not proved anything yet: nobody may keep 25 MiB of ours by sending the last byte never.
    const bounded = boundBody(c.req.raw.body, { most: mostBodyBytes, clock: deps.clock ?? systemBodyClock });
    let body: Buffer;
    try {
      body = await readAll(bounded.stream);
    } catch (error) {
      const refused = bounded.refused();
      if (refused instanceof BodyTooLargeError)
        return c.json(refusal('too-large', 'a delivery has at most 25 MiB'), 413);
      // The rest is not waited for, so nothing can come after it on this connection.
      if (refused instanceof BodyTooSlowError)
        return c.json(refusal('too-slow', refused.message), 408, { connection: 'close' });
      throw error;
    }
    if (!(await verify.isSigned(body, c.req.header('x-hub-signature-256') ?? ''))) {
      return c.json(refusal('signature', 'the signature in X-Hub-Signature-256 is missing or wrong'), 401);
    }
    const id = c.req.header('x-github-delivery') ?? '';
    const event = c.req.header('x-github-event') ?? '';
    if (!/^[\w-]{1,100}$/.test(id) || !/^[a-z_]{1,100}$/.test(event)) {
      return c.json(refusal('headers', 'X-GitHub-Delivery and X-GitHub-Event must say what this is'), 400);
    }
    try {
      // An event that AME does nothing about is kept as ignored.
      const ignored = !isActedOn(event);
      await withinMs(leftMs, (signal) =>
        deps.inbox.put({ id, host: 'github', event, body, ignored }, signal),
      );
    } catch (error) {
      if (!isAwayOrLate(error)) throw error;
      deps.log.warn({ delivery: id, error }, 'delivery refused: the database is away');
      return c.json(refusal('database-away', 'the delivery could not be stored; send it again'), 503);
    }
    return c.json({ delivery: id }, 202);
  });
}
