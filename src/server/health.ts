import { Hono } from 'hono';
import { projectFileJsonSchema } from '../core/project-file/json-schema.ts';
import type { Context as Ame } from '../context.ts';
import { listParked } from '../db/due.ts';

/** What anybody on this machine may ask: whether the server lives, whether it can work, and the file's schema. */
export function createHealth({ db }: Ame): Hono {
  return new Hono()
    .get('/healthz', (c) => c.json({ ok: true }))
    .get('/readyz', async (c) => {
      const parked = await listParked(db).catch(() => null);
      if (parked === null) return c.json({ ok: false, why: 'the database is away' }, 503);
      // Parked rows need a person, but the rest of the work goes on.
      return c.json({ ok: true, parked: parked.map(({ queue, id, failures }) => ({ queue, id, failures })) });
    })
    .get('/schema/ame.json', (c) => c.json(projectFileJsonSchema()));
}
