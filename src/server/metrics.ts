import { Hono } from 'hono';
import type { Context as Ame } from '../context.ts';
import { countOpen, readQueueStates } from '../db/queue-state.ts';
import { limitStates } from '../github/limits.ts';
import type { Seen } from '../metrics/gauges.ts';
import { isToken, refusal } from './access.ts';
import { databaseMs, withinMs } from './within.ts';

/**
 * `GET /metrics` for Prometheus. It asks for a token in the header alone, never in a cookie or in the address: no page of
 * another site can set it, under whatever name it points at this machine, so that the name in `Host` (a collector
 * names the address of a pod) does not matter. Counts besides what the webhook's door answers, and stands before it.
 */
export function createMetricsDoor(ame: Ame): Hono {
  const { db, executor, github, metrics, token, config } = ame;
  const tokens = [token, ...(config.metricsToken === null ? [] : [config.metricsToken])];
  let reading: Promise<Seen['rows']> | null = null;

  /** While the database hangs, collectors that each wait on connections of their own would take them all. */
  function look(): Promise<Seen['rows']> {
    reading ??= readRows().finally(() => {
      reading = null;
    });
    return reading;
  }

  async function readRows(): Promise<Seen['rows']> {
    // One after the other, on one connection.
    return { queues: await readQueueStates(db), open: await countOpen(db) };
  }

  return new Hono()
    .use('/webhooks/*', async (c, next) => {
      await next();
      metrics.webhookAnswered(c.res.status);
    })
    .get('/metrics', async (c) => {
      const offered = /^bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
      // Each is compared, so that the time says nothing about which one it was.
      if (!tokens.map((each) => isToken(offered, each)).includes(true)) {
        const why = "a token is needed in the header Authorization: the server's own, or AME_METRICS_TOKEN";
        return c.json(refusal('token-needed', why), 401, { 'www-authenticate': 'Bearer realm="ame"' });
      }
      const [rows, app] = await Promise.all([
        withinMs(databaseMs, look).catch(() => null),
        withinMs(databaseMs, () => github.current()).catch(() => null),
      ]);
      const limits = app === null ? [] : limitStates(app.limits, app.clock());
      const text = await metrics.read({
        rows,
        executorUp: (executor.awaySince?.() ?? null) === null,
        pool: db.pool,
        limits,
      });
      return c.body(text, 200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' });
    });
}
