import { createHmac } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { insertDeliveries } from '../../src/db/deliveries.ts';
import { openTestAme, refusalOf, token, type TestAme } from './ame.ts';
import { readExposition, type Family } from './exposition.ts';

const bearer = { authorization: `Bearer ${token}` };

async function scrape(opened: TestAme): Promise<readonly Family[]> {
  const answer = await opened.app.request('/metrics', { headers: { host: '10.1.2.3:8080', ...bearer } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4; charset=utf-8$/);
  return readExposition(await answer.text());
}

/** `name{labels}` and the value of every sample that is not of a histogram. */
function valuesOf(families: readonly Family[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    families.flatMap(({ samples }) =>
      samples.map(({ name, labels, value }) => [
        `${name}{${Object.entries(labels)
          .map(([label, said]) => `${label}=${said}`)
          .join()}}`,
        value,
      ]),
    ),
  );
}

test('everything is said in the form that Prometheus reads', async () => {
  await using opened = await openTestAme();
  const { metrics } = opened.ame;
  const at = (seconds: number): Date => new Date(seconds * 1_000);
  metrics.deliveryDecided('run', 0.02);
  metrics.stepEnded('runs', 'failed', 0.1);
  metrics.attemptFinished({
    class: 'out_of_memory',
    readyAt: at(1),
    queuedAt: at(2),
    preparedFrom: at(3),
    startedAt: at(4),
    endedAt: at(10),
    storedAt: null,
    finishedAt: at(11),
  });
  metrics.runFinished('failed');
  metrics.githubAsked({ route: 'GET /rate_limit', status: 200, cached: false });
  metrics.githubAsked({ route: 'POST /app/installations/{id}/access_tokens', status: 0, cached: false });
  const values = valuesOf(await scrape(opened));
  expect(values).toMatchObject({
    'ame_deliveries_decided_total{outcome=run}': 1,
    'ame_delivery_decision_seconds_count{}': 1,
    'ame_loop_steps_total{loop=runs,outcome=failed}': 1,
    'ame_attempts_finished_total{class=out_of_memory}': 1,
    'ame_attempt_phase_seconds_sum{phase=running}': 6,
    'ame_runs_finished_total{state=failed}': 1,
    'ame_github_requests_total{kind=api,answer=ok}': 1,
    'ame_github_requests_total{kind=token,answer=none}': 1,
    'ame_database_up{}': 1,
    'ame_executor_up{}': 1,
  });
  expect(values['ame_attempt_phase_seconds_count{phase=storing}']).toBeUndefined();
  expect(values['process_cpu_seconds_total{}']).toBeGreaterThan(0);
});

test('a loop that was blocked shows by how much', async () => {
  await using opened = await openTestAme();
  await scrape(opened);
  // Its first look at the loop comes before it is blocked, and the next one after.
  const ticks = async (): Promise<void> => {
    for (let looks = 0; looks < 3; looks += 1) await new Promise((resolve) => setTimeout(resolve, 25));
  };
  await ticks();
  const until = performance.now() + 300;
  while (performance.now() < until);
  await ticks();
  const values = valuesOf(await scrape(opened));
  expect(values['ame_event_loop_lag_seconds{at=max}']).toBeGreaterThan(0.2);
  expect(values['ame_event_loop_lag_seconds{at=p50}']).toBeLessThan(
    values['ame_event_loop_lag_seconds{at=max}'] ?? 0,
  );
});

test('queues say what is due, for how long, what is held and what is parked', async () => {
  await using opened = await openTestAme();
  const { db } = opened.ame;
  const ids = ['waiting', 'older', 'held', 'parked', 'decided'];
  await insertDeliveries(
    db,
    ids.map((id) => ({
      id,
      host: 'github',
      event: 'push',
      body: Buffer.from('{}'),
      ignored: id === 'decided',
    })),
  );
  await db.orm.execute(sql`update deliveries set due_at = due_at - interval '1 hour' where id = 'older'`);
  await db.orm.execute(
    sql`update deliveries set failures = 20, due_at = due_at - interval '2 hours' where id = 'parked'`,
  );
  await db.orm.execute(sql`update deliveries set claimed_by = 1, claimed_until = now() + interval '1 minute',
    due_at = now() + interval '1 minute' where id = 'held'`);
  const values = valuesOf(await scrape(opened));
  expect(values).toMatchObject({
    'ame_queue_due_rows{queue=deliveries}': 2,
    'ame_queue_claimed_rows{queue=deliveries}': 1,
    'ame_queue_parked_rows{queue=deliveries}': 1,
    'ame_queue_due_rows{queue=runs}': 0,
    'ame_queue_oldest_age_seconds{queue=runs}': 0,
  });
  const age = values['ame_queue_oldest_age_seconds{queue=deliveries}'] ?? 0;
  expect(Math.floor(age / 3_600)).toBe(1);
});

test('what the door for webhooks answers is counted, whatever it was', async () => {
  const secret = 'the secret of the webhook';
  await using opened = await openTestAme({ env: { AME_GITHUB_WEBHOOK_SECRET: secret } });
  const send = async (body: string, signature: string, id: string): Promise<number> => {
    const headers = { 'x-hub-signature-256': signature, 'x-github-delivery': id, 'x-github-event': 'push' };
    return (await opened.app.request('/webhooks/github', { method: 'POST', headers, body })).status;
  };
  const signature = `sha256=${createHmac('sha256', secret).update('{}').digest('hex')}`;
  expect(await send('{}', signature, 'one')).toBe(202);
  expect(await send('{}', signature, '')).toBe(400);
  expect(await send('{ }', signature, 'two')).toBe(401);
  expect(valuesOf(await scrape(opened))).toMatchObject({
    'ame_webhook_requests_total{answer=accepted}': 1,
    'ame_webhook_requests_total{answer=malformed}': 1,
    'ame_webhook_requests_total{answer=unsigned}': 1,
    'ame_queue_due_rows{queue=deliveries}': 1,
  });
});

test('without the database the process still says what it knows', async () => {
  await using opened = await openTestAme({ databaseUrl: 'postgres://ame@127.0.0.1:1/ame' });
  const values = valuesOf(await scrape(opened));
  expect(values['ame_database_up{}']).toBe(0);
  expect(Object.keys(values).filter((name) => name.startsWith('ame_queue_'))).toEqual([]);
});

test('two servers of one process count apart', async () => {
  await using one = await openTestAme();
  await using other = await openTestAme();
  one.ame.metrics.runFinished('succeeded');
  expect(valuesOf(await scrape(one))['ame_runs_finished_total{state=succeeded}']).toBe(1);
  expect(valuesOf(await scrape(other))['ame_runs_finished_total{state=succeeded}']).toBeUndefined();
});

test('only a token in the header opens it: that of the server, or the one for metrics, which opens nothing else', async () => {
  await using opened = await openTestAme({ env: { AME_METRICS_TOKEN: 'a-token-for-metrics' } });
  const ask = (headers: Record<string, string>, path = '/metrics'): Promise<Response> =>
    Promise.resolve(opened.app.request(path, { headers: { host: '127.0.0.1:8080', ...headers } }));
  expect((await ask(bearer)).status).toBe(200);
  expect((await ask({ authorization: 'Bearer a-token-for-metrics' })).status).toBe(200);
  for (const headers of [
    {},
    { authorization: 'Bearer ' },
    { authorization: 'Bearer wrong' },
    { authorization: `Basic ${Buffer.from(`ame:${token}`).toString('base64')}` },
    { cookie: `ame_token_8080=${token}` },
  ])
    expect(await refusalOf(await ask(headers))).toEqual([401, 'token-needed']);
  expect((await ask({}, `/metrics?token=${token}`)).status).toBe(401);
  const elsewhere = await ask({ authorization: 'Bearer a-token-for-metrics' }, '/api/v1/runs');
  expect(elsewhere.status).toBe(401);
});

test.each([
  ['no end of the last line', '# HELP ame_a b\n# TYPE ame_a gauge\name_a 1'],
  ['no HELP', '# TYPE ame_a gauge\name_a 1\n'],
  ['no TYPE', '# HELP ame_a b\name_a 1\n'],
  ['a sample twice', '# HELP ame_a b\n# TYPE ame_a gauge\name_a 1\name_a 2\n'],
  ['a label without quotes', '# HELP ame_a b\n# TYPE ame_a gauge\name_a{b=c} 1\n'],
  ['a counter without _total', '# HELP ame_a b\n# TYPE ame_a counter\name_a 1\n'],
  ['milliseconds', '# HELP ame_a_ms b\n# TYPE ame_a_ms gauge\name_a_ms 1\n'],
  ['no number', '# HELP ame_a b\n# TYPE ame_a gauge\name_a one\n'],
  [
    'buckets that fall',
    '# HELP ame_a b\n# TYPE ame_a histogram\name_a_bucket{le="1"} 2\name_a_bucket{le="+Inf"} 1\name_a_sum 1\name_a_count 1\n',
  ],
])('the reader refuses %s', (_, text) => {
  expect(() => readExposition(text)).toThrow(/ame_|last line/);
});
