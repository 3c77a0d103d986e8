import { createRoute, z } from '@hono/zod-openapi';
import type { Context as Ame } from '../../context.ts';
import { listChecks } from '../../db/checks.ts';
import { findDelivery, listDecisions, listDeliveries, listUndecided } from '../../db/deliveries.ts';
import { listParked, queues, releaseParked, type Queue } from '../../db/due.ts';
import { listRevisions } from '../../db/projects.ts';
import { findRun } from '../../db/runs.ts';
import { limit, placeOf, placeQuery, plainText } from './params.ts';
import { presentCheck, presentDecision, presentDelivery } from './present.ts';
import { refuse } from './refuse.ts';
import { createRoutes } from './routes.ts';
import { idParam, json, notFound, notValid } from './runs.ts';
import { checkShape, decisionShape, deliveryShape, parkedShape, problemShape } from './shapes.ts';

const queueNames = Object.keys(queues) as [Queue, ...Queue[]];

const list = createRoute({
  method: 'get',
  path: '/deliveries',
  summary: 'What hosts told AME, newest first',
  request: {
    query: placeQuery.extend({
      limit,
      cursor: plainText().optional().openapi({ description: '`next` of the page before' }),
    }),
  },
  responses: {
    200: json(
      z.object({ deliveries: z.array(deliveryShape), next: z.string().nullable() }),
      'A page of deliveries',
    ),
    ...notValid,
  },
});

const show = createRoute({
  method: 'get',
  path: '/deliveries/{id}',
  summary: 'One delivery with what was decided about it',
  request: { params: z.object({ id: plainText() }) },
  responses: {
    200: json(deliveryShape.extend({ decisions: z.array(decisionShape) }), 'The delivery'),
    ...notFound,
  },
});

const runDecisions = createRoute({
  method: 'get',
  path: '/runs/{id}/decisions',
  summary: 'Why a run exists',
  request: { params: idParam },
  responses: { 200: json(z.object({ decisions: z.array(decisionShape) }), 'Decisions'), ...notFound },
});

const commit = createRoute({
  method: 'get',
  path: '/commits/{sha}',
  summary: 'The answer of a commit: problems of its file, decisions, checks, and what is still to be decided',
  request: {
    params: z.object({ sha: z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/) }),
    // The same commit may stand in several repositories, of several accounts.
    query: placeQuery.pick({ repository: true }),
  },
  responses: {
    200: json(
      z.object({
        problems: z.array(problemShape),
        decisions: z.array(decisionShape),
        checks: z.array(checkShape),
        deliveries: z
          .array(deliveryShape)
          .openapi({ description: 'Pushes of this commit that are not decided yet' }),
      }),
      'The answer',
    ),
    ...notFound,
  },
});

const parked = createRoute({
  method: 'get',
  path: '/parked',
  summary: 'Rows that failed so often that they wait for a person',
  responses: { 200: json(z.object({ parked: z.array(parkedShape) }), 'Parked rows') },
});

const release = createRoute({
  method: 'post',
  path: '/parked/{queue}/{id}/release',
  summary: 'Lets a parked row be tried again',
  request: { params: z.object({ queue: z.enum(queueNames), id: plainText() }) },
  responses: { 200: json(z.object({ released: z.literal(true) }), 'Released'), ...notFound },
});

export function createDeliveryRoutes({ db }: Ame) {
  return createRoutes()
    .openapi(list, async (c) => {
      const { limit, cursor, ...place } = c.req.valid('query');
      const before = cursor === undefined ? undefined : await findDelivery(db, cursor);
      if (cursor !== undefined && !before) throw refuse(422, 'cursor', 'cursor: there is no page after that');
      const rows = await listDeliveries(db, {
        limit: limit + 1,
        ...placeOf(place),
        ...(before ? { before } : {}),
      });
      const page = rows.slice(0, limit);
      return c.json(
        {
          deliveries: page.map(presentDelivery),
          next: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
        },
        200,
      );
    })
    .openapi(show, async (c) => {
      const { id } = c.req.valid('param');
      const delivery = await findDelivery(db, id);
      if (!delivery) throw refuse(404, 'delivery-unknown', `there is no delivery ${id}`);
      const decisions = await listDecisions(db, { deliveries: [id] });
      return c.json({ ...presentDelivery(delivery), decisions: decisions.map(presentDecision) }, 200);
    })
    .openapi(runDecisions, async (c) => {
      const { id } = c.req.valid('param');
      if (!(await findRun(db, id))) throw refuse(404, 'run-unknown', `there is no run with the id ${id}`);
      return c.json({ decisions: (await listDecisions(db, { run: id })).map(presentDecision) }, 200);
    })
    .openapi(commit, async (c) => {
      const { sha } = c.req.valid('param');
      const place = placeOf(c.req.valid('query'));
      const [revisions, decisions, checks, undecided] = await Promise.all([
        listRevisions(db, sha, place),
        listDecisions(db, { commit: sha, ...place }),
        listChecks(db, { sha, ...place }),
        listUndecided(db, sha, place),
      ]);
      if (decisions.length === 0 && checks.length === 0 && undecided.length === 0)
        throw refuse(404, 'commit-unknown', `AME has not seen the commit ${sha}`);
      const problems = revisions.flatMap((revision) => [...revision.problems]);
      return c.json(
        {
          problems,
          decisions: decisions.map(presentDecision),
          checks: checks.map(presentCheck),
          deliveries: undecided.map(presentDelivery),
        },
        200,
      );
    })
    .openapi(parked, async (c) => c.json({ parked: (await listParked(db)).map((row) => ({ ...row })) }, 200))
    .openapi(release, async (c) => {
      const { queue, id } = c.req.valid('param');
      if (!(await releaseParked(db, queue, id)))
        throw refuse(404, 'not-parked', `no row ${id} of ${queue} is parked`);
      return c.json({ released: true as const }, 200);
    });
}
