import { createRoute, z } from '@hono/zod-openapi';
import type { Context as Ame } from '../../context.ts';
import { counted } from '../../core/problems/wording.ts';
import { listAttempts } from '../../db/attempts.ts';
import { findArtifact, listArtifacts } from '../../db/blobs.ts';
import { findRun } from '../../db/runs.ts';
import { rangeHeader, rangeResponses } from './params.ts';
import { presentArtifact } from './present.ts';
import { parseRange } from './range.ts';
import { refuse } from './refuse.ts';
import { createRoutes } from './routes.ts';
import { idParam, json, notFound } from './runs.ts';
import { artifactShape } from './shapes.ts';

const list = createRoute({
  method: 'get',
  path: '/runs/{id}/artifacts',
  summary: 'What the last attempts of a run left',
  request: { params: idParam },
  responses: {
    200: json(z.object({ artifacts: z.array(artifactShape) }), 'Artifacts by task and path'),
    ...notFound,
  },
});

const content = createRoute({
  method: 'get',
  path: '/artifacts/{id}/content',
  summary: 'The content of an artifact, or a range of its bytes',
  request: { params: idParam, headers: rangeHeader },
  responses: { ...rangeResponses('application/octet-stream', 'The bytes'), ...notFound },
});

/** What tasks left, and `GET /artifacts/{id}/content`: the bytes of one, or a range of them. */
export function createArtifactRoutes(ame: Ame) {
  const { db, storage } = ame;
  const routes = createRoutes();
  // Described, not checked by its description: an id that is none is nothing that there is.
  routes.openAPIRegistry.registerPath(content);
  return routes
    .openapi(list, async (c) => {
      const { id } = c.req.valid('param');
      if (!(await findRun(db, id))) throw refuse(404, 'run-unknown', `there is no run with the id ${id}`);
      const last = new Map((await listAttempts(db, id)).map((attempt) => [attempt.task, attempt]));
      // What was taken over from an earlier run was left by the attempt there.
      const tasks = new Map([...last.values()].map((attempt) => [attempt.reusedFrom ?? attempt.id, attempt]));
      const rows = await listArtifacts(db, [...tasks.keys()]);
      const order = new Map([...tasks].map(([attempt, { position }]) => [attempt, position]));
      const sorted = rows.toSorted((a, b) => (order.get(a.attemptId) ?? 0) - (order.get(b.attemptId) ?? 0));
      const artifacts = sorted.map((row) =>
        presentArtifact(row, tasks.get(row.attemptId)?.task ?? '', ame.address()),
      );
      return c.json({ artifacts }, 200);
    })
    .get('/artifacts/:id/content', async (c) => {
      const text = c.req.param('id');
      const artifact = /^\d{1,15}$/.test(text) ? await findArtifact(db, Number(text)) : undefined;
      if (!artifact) throw refuse(404, 'artifact-unknown', `there is no artifact with the id ${text}`);
      const range = parseRange(c.req.header('range'), artifact.size);
      if (range === 'unsatisfiable')
        throw refuse(416, 'range', `the artifact has ${counted(artifact.size, 'byte')}`, {
          'content-range': `bytes */${artifact.size}`,
        });
      const headers = {
        'content-type': 'application/octet-stream',
        'content-length': String(range ? range.to - range.from + 1 : artifact.size),
        'accept-ranges': 'bytes',
        // What a task made must never run in the page's name.
        'x-content-type-options': 'nosniff',
        'content-security-policy': "sandbox; default-src 'none'",
        'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(artifact.path.split('/').at(-1) ?? 'artifact').replaceAll(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)}`,
        etag: `"${artifact.digest}"`,
        ...(range ? { 'content-range': `bytes ${range.from}-${range.to}/${artifact.size}` } : {}),
      };
      // Nobody reads the body of a HEAD, and a file stays open until its stream is read.
      const silent = artifact.size === 0 || c.req.method === 'HEAD';
      const body = silent ? null : await storage.read(artifact.digest, range ?? undefined);
      return new Response(body, { status: range ? 206 : 200, headers });
    });
}
