import { createRoute, z } from '@hono/zod-openapi';
import type { Context as Ame } from '../../context.ts';
import { findRun } from '../../db/runs.ts';
import { listSchedules, type PlacedSchedule } from '../../db/schedule-list.ts';
import { pauseSchedule, resumeSchedule } from '../../db/schedules.ts';
import { limit, placeOf, placeQuery, plainText } from './params.ts';
import { presentRun } from './present.ts';
import { presentSchedules } from './present-schedule.ts';
import { readCursor, writeCursor } from './schedule-cursor.ts';
import { refuse } from './refuse.ts';
import { findProject, requestRun } from './request-run.ts';
import { createRoutes } from './routes.ts';
import { conflict, json, notFound, notValid } from './runs.ts';
import { scheduleShape } from './schedule-shapes.ts';
import { runShape } from './shapes.ts';

const scheduleParam = z.object({
  project: z.string().max(100).openapi({ description: 'Name of the project, or its id' }),
  schedule: plainText(100),
});
const answered = { 200: json(scheduleShape, 'The schedule'), ...notFound, ...conflict };
const one = '/projects/{project}/schedules/{schedule}' as const;

const list = createRoute({
  method: 'get',
  path: '/schedules',
  summary: 'Schedules by project and name',
  request: {
    query: placeQuery.extend({
      project: plainText(100).optional(),
      limit,
      cursor: plainText(2_000).optional().openapi({ description: '`next` of the page before' }),
    }),
  },
  responses: {
    200: json(
      z.object({ schedules: z.array(scheduleShape), next: z.string().nullable() }),
      'A page of schedules',
    ),
    ...notFound,
    ...conflict,
    ...notValid,
  },
});

const show = createRoute({
  method: 'get',
  path: one,
  summary: 'One schedule with its next ticks and last decisions',
  request: {
    params: scheduleParam,
    query: z.object({
      next: z.coerce.number().int().min(1).max(100).default(5).openapi({ type: 'integer' }),
      last: z.coerce.number().int().min(0).max(200).default(10).openapi({ type: 'integer' }),
    }),
  },
  responses: answered,
});

const pause = createRoute({
  method: 'post',
  path: `${one}/pause`,
  summary: 'Lets a schedule tick no more, whatever is pushed, until it is resumed',
  request: { params: scheduleParam },
  responses: answered,
});

const resume = createRoute({
  method: 'post',
  path: `${one}/resume`,
  summary: 'Lets a schedule that was paused tick again, from its next time on',
  request: { params: scheduleParam },
  responses: answered,
});

const runNow = createRoute({
  method: 'post',
  path: `${one}/runs`,
  summary: 'Runs the task of a schedule now, at the commit of the default branch',
  request: {
    params: scheduleParam,
    headers: z.object({
      'idempotency-key': z
        .string()
        .min(1)
        .max(200)
        .optional()
        .openapi({ description: 'Requests with the same key make one run' }),
    }),
  },
  responses: {
    200: json(runShape, 'The run of an earlier request with this key'),
    201: json(runShape, 'A new run'),
    ...notFound,
    ...conflict,
  },
});

export function createScheduleRoutes(ame: Ame) {
  const { db } = ame;
  const find = async (param: z.infer<typeof scheduleParam>): Promise<PlacedSchedule> => {
    const project = await findProject(ame, param.project);
    const filter = { projectId: project.id };
    const [row] = await listSchedules(db, { ...filter, name: param.schedule }, { limit: 1 });
    if (row) return row;
    // A file may have thousands.
    const known = (await listSchedules(db, filter, { limit: 10 })).map(({ name }) => name).join(', ');
    const there = known === '' ? 'none on its default branch' : known;
    throw refuse(
      404,
      'schedule-unknown',
      `${project.name} has no schedule ${JSON.stringify(param.schedule)}; it has ${there}`,
    );
  };
  const present = async (row: PlacedSchedule, ticks = 5, events = 10) => {
    const [shape] = await presentSchedules(db, [row], { ticks, events, address: ame.address() });
    if (!shape) throw new Error('a schedule was presented as none');
    return shape;
  };
  return createRoutes()
    .openapi(list, async (c) => {
      const { project, limit, cursor, ...place } = c.req.valid('query');
      const filter = project === undefined ? {} : { projectId: (await findProject(ame, project)).id };
      const rows = await listSchedules(
        db,
        { ...placeOf(place), ...filter },
        { limit: limit + 1, ...(cursor === undefined ? {} : { after: readCursor(cursor) }) },
      );
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const view = { ticks: 1, events: 1, address: ame.address() };
      const schedules = await presentSchedules(db, page, view);
      return c.json({ schedules, next: rows.length > limit && last ? writeCursor(last) : null }, 200);
    })
    .openapi(show, async (c) => {
      const { next, last } = c.req.valid('query');
      return c.json(await present(await find(c.req.valid('param')), next, last), 200);
    })
    .openapi(pause, async (c) => {
      const row = await find(c.req.valid('param'));
      await pauseSchedule(db, row.id);
      return c.json(await present(await find(c.req.valid('param'))), 200);
    })
    .openapi(resume, async (c) => {
      const row = await find(c.req.valid('param'));
      await resumeSchedule(db, row.id);
      return c.json(await present(await find(c.req.valid('param'))), 200);
    })
    .openapi(runNow, async (c) => {
      const row = await find(c.req.valid('param'));
      const { name, line, task } = row;
      const key = c.req.valid('header')['idempotency-key'] ?? null;
      const asked = { project: String(row.projectId), task, schedule: { name, line } };
      const { run: id, created } = await requestRun(ame, asked, key);
      const run = await findRun(db, id);
      if (!run) throw new Error(`run ${id} was made and is gone`);
      const shape = presentRun(run, ame.address());
      return created ? c.json(shape, 201) : c.json(shape, 200);
    });
}
