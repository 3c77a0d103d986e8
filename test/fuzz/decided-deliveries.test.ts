import { isUtf8 } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { createGithubAme } from '../journeys/github.ts';
import { runLane } from './lane.ts';
import { hostileDelivery } from './mutated-delivery.ts';

test('a delivery that is signed is decided, or waits for a world that is away, whatever it holds', async () => {
  await using house = await createGithubAme();
  const { ame, github } = house;
  const { db } = ame.ctx;
  let sent = 0;
  await runLane({ name: 'decided', few: 40, all: 3_000, share: 0.1 }, async (random, index) => {
    const { event, body } = hostileDelivery(random);
    if (!/^[a-z_]{1,100}$/.test(event)) return;
    const signature = createHmac('sha256', github.app.webhookSecret).update(body).digest('hex');
    const answer = await fetch(`${ame.address}/webhooks/github`, {
      method: 'POST',
      headers: {
        'x-github-delivery': `case-${index}`,
        'x-github-event': event,
        'x-hub-signature-256': `sha256=${signature}`,
      },
      body: Buffer.from(body),
    });
    // GitHub signs text: what is none counts as not signed.
    const isText = body.byteLength > 0 && isUtf8(body);
    expect(answer.status).toBe(isText ? 202 : 401);
    if (!isText) return;
    sent += 1;
    while ((await ame.loops.deliveries.once()) > 0);
    const { rows } = await db.orm.execute(
      sql`select id, failures, last_error from deliveries where failures > 0 limit 1`,
    );
    expect(rows).toEqual([]);
  });
  expect(sent).toBeGreaterThan(0);
  const { rows } = await db.orm.execute<{ open: number; decided: number }>(sql`
    select count(*) filter (where decided_at is null and postponed = 0)::int as open,
      count(*) filter (where decided_at is not null)::int as decided from deliveries`);
  expect(rows[0]?.open).toBe(0);
  expect(rows[0]?.decided).toBeGreaterThan(0);
});
