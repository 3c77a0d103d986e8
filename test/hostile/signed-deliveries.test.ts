import { isUtf8 } from 'node:buffer';
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { mostBodyBytes } from '../../src/server/webhook.ts';
import { createGithubAme } from '../journeys/github.ts';
import { send, type Answer } from './send.ts';
import { hostileBodies, signatureOf } from './webhook-requests.ts';

test('a body that is none, rightly signed: refused, or taken as bytes and put aside', async () => {
  await using house = await createGithubAme();
  const { ame, github } = house;
  const port = Number(new URL(ame.address).port);
  const sendSigned = (id: string, body: string | Uint8Array): Promise<Answer> =>
    send(port, {
      method: 'POST',
      path: '/webhooks/github',
      body,
      headers: {
        'x-github-delivery': id,
        'x-github-event': 'push',
        'x-hub-signature-256': signatureOf(body, github.app.webhookSecret),
      },
    });
  const outcomes = async (): Promise<Readonly<Record<string, string | null>>> => {
    const { rows } = await ame.ctx.db.orm.execute<{ id: string; outcome: string | null; failures: number }>(
      sql`select id, outcome, failures from deliveries order by id`,
    );
    expect(rows.filter(({ failures }) => failures > 0)).toEqual([]);
    return Object.fromEntries(rows.map(({ id, outcome }) => [id, outcome]));
  };
  const ids = new Map(Object.keys(hostileBodies).map((name) => [name, name.replaceAll(/\W+/g, '-')]));
  const taken: string[] = [];
  for (const [name, body] of Object.entries(hostileBodies)) {
    const { status } = await sendSigned(ids.get(name) ?? '', body);
    // GitHub signs text: what is none, or nothing at all, counts as not signed.
    const isText = body.length > 0 && isUtf8(Buffer.from(body));
    expect([name, status]).toEqual([name, isText ? 202 : 401]);
    if (isText) taken.push(ids.get(name) ?? '');
  }
  await ame.settle();
  expect(taken.length).toBeGreaterThan(5);
  expect(await outcomes()).toEqual(Object.fromEntries(taken.map((id) => [id, 'ignored'])));
  expect(Object.keys(Object.prototype)).toEqual([]);

  // At the limit, and a byte behind it, of which all but the size is good.
  const limit = Buffer.alloc(mostBodyBytes, ' ');
  limit.write('{}');
  expect((await sendSigned('at-the-limit', limit)).status).toBe(202);
  const over = await sendSigned('over-the-limit', Buffer.concat([limit, Buffer.from(' ')]));
  expect([over.status, JSON.parse(over.text)]).toMatchObject([413, { error: { code: 'too-large' } }]);
  await ame.settle();
  expect(await outcomes()).toMatchObject({ 'at-the-limit': 'ignored' });
  expect(await outcomes()).not.toHaveProperty('over-the-limit');
});
