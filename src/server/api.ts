import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, Next } from 'hono';
import type { Context as Ame } from '../context.ts';
import { refusal } from './access.ts';
import { createArtifactRoutes } from './api/artifacts.ts';
import { createDeliveryRoutes } from './api/deliveries.ts';
import { createGithubRoutes } from './api/github.ts';
import { createLogRoutes } from './api/logs.ts';
import { createProjectRoutes } from './api/projects.ts';
import { createRoutes } from './api/routes.ts';
import { createRunRoutes } from './api/runs.ts';
import { createScheduleRoutes } from './api/schedules.ts';

const mostBodyBytes = 1024 * 1024;

/** The API, its description at `/openapi.json`, and one form for every refusal. */
export function createApi(ame: Ame) {
  const v1 = createRoutes()
    .route('/', createRunRoutes(ame))
    .route('/', createArtifactRoutes(ame))
    .route('/', createDeliveryRoutes(ame))
    .route('/', createProjectRoutes(ame))
    .route('/', createScheduleRoutes(ame))
    .route('/', createGithubRoutes(ame))
    .route('/', createLogRoutes(ame));
  const api = new OpenAPIHono();
  api.use('/api/*', limitBody);
  return api
    .route('/api/v1', v1)
    .doc31('/openapi.json', { openapi: '3.1.0', info: { title: 'AME', version: '1' } });
}

export type Api = ReturnType<typeof createApi>;

/**
 * A body says its length. hono's own limit copies a request that does not, also a DELETE without a body, and the
 * copy fails here (measured: "Cannot read private member #state").
 */
async function limitBody(c: Context, next: Next): Promise<Response | void> {
  if (c.req.header('transfer-encoding') !== undefined) {
    return c.json(refusal('length-required', 'a request with a body must say its length'), 411);
  }
  if (Number(c.req.header('content-length') ?? 0) > mostBodyBytes) {
    return c.json(refusal('too-large', 'a request has at most 1 MiB'), 413);
  }
  return next();
}
