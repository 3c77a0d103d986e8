import { Hono } from 'hono';
import { projectFileJsonSchema } from '../core/project-file/json-schema.ts';
import type { Context as Ame } from '../context.ts';
import { listParked } from '../db/due.ts';
import { databaseMs, withinMs } from './within.ts';

/**
 * What anybody may ask, under whatever name they reach the server: whether it lives, whether it can work, and the
 * file's schema. Nothing of it is private: of a parked row its queue and id, never what went wrong.
 */
export function createHealth({ db, executor }: Pick<Ame, 'db' | 'executor'>): Hono {
  let looking: ReturnType<typeof listParked> | null = null;
  // While the database hangs, probes that each wait on a connection of their own would take them all.
  function look(): ReturnType<typeof listParked> {
    looking ??= listParked(db).finally(() => {
      looking = null;
    });
    return looking;
  }
  return new Hono()
    .get('/healthz', (c) => c.json({ ok: true }))
    .get('/readyz', async (c) => {
      const parked = await withinMs(databaseMs, look).catch(() => null);
      if (parked === null) return c.json({ ok: false, why: 'the database is away' }, 503);
      // Parked rows need a person, but the rest of the work goes on.
      const rows = parked.map(({ queue, id, failures }) => ({ queue, id, failures }));
      // A cluster that is away keeps nobody from pushing: what is to run waits for it.
      const since = executor.awaySince?.() ?? null;
      return c.json({ ok: true, parked: rows, ...(since !== null && { executor: { awaySince: since } }) });
    })
    .get('/schema/ame.json', (c) => c.json(projectFileJsonSchema()));
}
