import { createRoute, z } from '@hono/zod-openapi';
import { isFinal, runStates } from '../../core/run.ts';
import type { Context as Ame } from '../../context.ts';
import { listAttempts } from '../../db/attempts.ts';
import { listChecks } from '../../db/checks.ts';
import { findRun, findRunsByNumber, listRuns, requestCancel, type PlacedRun } from '../../db/runs.ts';
import { listTransitions } from '../../db/transitions.ts';
import { retryRun } from '../../retry-run.ts';
import { counted, limit, placeOf, placeQuery, plainText } from './params.ts';
import { presentAttempt, presentCheck, presentRun, presentTransition, runName } from './present.ts';
import { refuse } from './refuse.ts';
import { createRoutes } from './routes.ts';
import { refusalShape, runDetailShape, runShape } from './shapes.ts';
import { requestRun } from './request-run.ts';

/** Digits alone: `0x1` and `1e0` would be read as numbers too, and one thing has one address. */
export const idParam = z.object({
  id: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, 'must be a whole number above 0')
    .transform(Number)
    .openapi({ type: 'integer' }),
});

/** `application/json` with this shape. */
export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

export const notValid = { 422: json(refusalShape, 'The request is not valid') };
/** Of every route that is asked for one thing. */
export const notFound = { 404: json(refusalShape, 'There is no such thing'), ...notValid };
export const conflict = { 409: json(refusalShape, 'Not possible as things are') };

const list = createRoute({
  method: 'get',
  path: '/runs',
  summary: 'Runs, newest first',
  request: {
    query: placeQuery.extend({
      project: plainText().optional(),
      number: counted.optional(),
      state: z.enum(runStates).optional(),
      ref: plainText().optional(),
      commit: plainText().optional(),
      task: plainText().optional(),
      limit,
      cursor: z
        .string()
        .regex(/^\d{1,15}$/)
        .optional()
        .openapi({ description: '`next` of the page before' }),
    }),
  },
  responses: {
    200: json(z.object({ runs: z.array(runShape), next: z.string().nullable() }), 'A page of runs'),
    ...notValid,
  },
});

const create = createRoute({
  method: 'post',
  path: '/runs',
  summary: 'Runs a task of a commit that the host has',
  request: {
    headers: z.object({
      'idempotency-key': z
        .string()
        .min(1)
        .max(200)
        .optional()
        .openapi({ description: 'Requests with the same key make one run' }),
    }),
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.object({
            project: plainText().openapi({ description: 'Name of the project, or its id' }),
            task: plainText()
              .optional()
              .openapi({ description: 'Default: the task `main`, or the only one' }),
            ref: plainText(1_000)
              .optional()
              .openapi({ description: 'Branch, tag or commit; default: the default branch' }),
          }),
        },
      },
    },
  },
  responses: {
    200: json(runShape, 'The run of an earlier request with this key'),
    201: json(runShape, 'A new run'),
    ...notFound,
    ...conflict,
  },
});

const show = createRoute({
  method: 'get',
  path: '/runs/{id}',
  summary: 'One run with plan, attempts, transitions and checks',
  request: { params: idParam },
  responses: { 200: json(runDetailShape, 'The run'), ...notFound },
});

const cancel = createRoute({
  method: 'post',
  path: '/runs/{id}/cancel',
  summary: 'Asks a run to end',
  request: { params: idParam },
  responses: { 202: json(runShape, 'Asked'), ...notFound, ...conflict },
});

const retry = createRoute({
  method: 'post',
  path: '/runs/{id}/retry',
  summary: 'Runs again what did not succeed, by the same plan',
  request: { params: idParam },
  responses: {
    201: json(runShape, 'The new run'),
    200: json(runShape, 'A retry that has not ended yet'),
    ...notFound,
    ...conflict,
  },
});

export function createRunRoutes(ame: Ame) {
  const { db } = ame;
  const present = (run: PlacedRun) => presentRun(run, ame.address());
  const find = async (id: number): Promise<PlacedRun> => {
    const run = await findRun(db, id);
    if (!run) throw refuse(404, 'run-unknown', `there is no run with the id ${id}`);
    return run;
  };
  return createRoutes()
    .openapi(list, async (c) => {
      const { project, number, state, ref, commit, task, limit, cursor, ...place } = c.req.valid('query');
      if (number !== undefined) {
        const found = await findRunsByNumber(db, { project: project ?? null, number });
        return c.json({ runs: found.map(present), next: null }, 200);
      }
      const filter = {
        ...(project === undefined ? {} : { project }),
        ...placeOf(place),
        ...(state === undefined ? {} : { state }),
        ...(ref === undefined ? {} : { ref }),
        ...(commit === undefined ? {} : { commit }),
        ...(task === undefined ? {} : { task }),
      };
      const rows = await listRuns(db, filter, {
        limit: limit + 1,
        ...(cursor === undefined ? {} : { beforeId: Number(cursor) }),
      });
      const page = rows.slice(0, limit);
      return c.json(
        { runs: page.map(present), next: rows.length > limit ? String(page.at(-1)?.id) : null },
        200,
      );
    })
    .openapi(create, async (c) => {
      const { run, created } = await requestRun(
        ame,
        c.req.valid('json'),
        c.req.valid('header')['idempotency-key'] ?? null,
      );
      return created ? c.json(present(await find(run)), 201) : c.json(present(await find(run)), 200);
    })
    .openapi(show, async (c) => {
      const run = await find(c.req.valid('param').id);
      const [attempts, transitions, checks] = await Promise.all([
        listAttempts(db, run.id),
        listTransitions(db, run.id),
        listChecks(db, { sha: run.commit, repositoryId: run.repository.id, runId: run.id }),
      ]);
      return c.json(
        {
          ...present(run),
          plan: run.plan,
          attempts: attempts.map(presentAttempt),
          transitions: transitions.map(presentTransition),
          checks: checks.filter((check) => check.runId === null || check.runId === run.id).map(presentCheck),
        },
        200,
      );
    })
    .openapi(cancel, async (c) => {
      const { id } = c.req.valid('param');
      await find(id);
      const asked = await requestCancel(db, id, 'Cancelled by a person.');
      const run = await find(id);
      if (!asked && run.finishedAt !== null)
        throw refuse(409, 'run-over', `${runName(run)} has ended already: ${run.state}`);
      return c.json(present(run), 202);
    })
    .openapi(retry, async (c) => {
      const of = await find(c.req.valid('param').id);
      if (!isFinal(of.state)) throw refuse(409, 'run-active', `${runName(of)} has not ended yet`);
      if (of.state === 'succeeded')
        throw refuse(409, 'run-succeeded', `${runName(of)} succeeded: there is nothing to try again`);
      const urlOf = ({ id }: { readonly id: number }): string => `${ame.address()}/runs/${id}`;
      const message = `Someone asked to try ${runName(of)} again.`;
      const { run, created } = await retryRun({ db, log: ame.log, urlOf }, of, { by: null, message });
      return created ? c.json(present(await find(run)), 201) : c.json(present(await find(run)), 200);
    });
}
