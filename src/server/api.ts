import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import type { Context as Ame } from '../context.ts';
import { refusal } from './access.ts';
import { createArtifactRoutes } from './api/artifacts.ts';
import { createDeliveryRoutes } from './api/deliveries.ts';
import { createLogRoutes } from './api/logs.ts';
import { createProjectRoutes } from './api/projects.ts';
import { createRoutes } from './api/routes.ts';
import { createRunRoutes } from './api/runs.ts';

const mostBodyBytes = 1024 * 1024;

/** The API, its description at `/openapi.json`, and one form for every refusal. */
export function createApi(ame: Ame) {
  const v1 = createRoutes()
    .route('/', createRunRoutes(ame))
    .route('/', createArtifactRoutes(ame))
    .route('/', createDeliveryRoutes(ame))
    .route('/', createProjectRoutes(ame))
    .route('/', createLogRoutes(ame));
  const api = new OpenAPIHono();
  api.use(
    '/api/*',
    bodyLimit({
      maxSize: mostBodyBytes,
      onError: (c) => c.json(refusal('too-large', 'a request has at most 1 MiB'), 413),
    }),
  );
  return api
    .route('/api/v1', v1)
    .doc31('/openapi.json', { openapi: '3.1.0', info: { title: 'AME', version: '1' } });
}

export type Api = ReturnType<typeof createApi>;
