import { createRoute, z } from '@hono/zod-openapi';
import type { Context as Ame } from '../../context.ts';
import { findRevision, listProjects, type ListedProject } from '../../db/projects.ts';
import { deleteSecret, listSecrets, saveSecret } from '../../db/secrets.ts';
import { placeOf, placeQuery } from './params.ts';
import { findProject } from './request-run.ts';
import { refuse } from './refuse.ts';
import { createRoutes } from './routes.ts';
import { conflict, json, notFound } from './runs.ts';
import { problemShape, projectShape } from './shapes.ts';

const projectParam = z.object({
  project: z.string().max(100).openapi({ description: 'Name of the project, or its id' }),
});
const secretName = z
  .string()
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/,
    'a secret is named with letters, digits, dots, dashes and underscores, at most 63 of them',
  );

/** Shorter values would be masked everywhere they happen to occur, so that logs lose their meaning. */
const shortestSecret = 6;
const longestSecret = 64 * 1024;

const list = createRoute({
  method: 'get',
  path: '/projects',
  summary: 'All projects, or those of one installation or repository',
  request: { query: placeQuery },
  responses: { 200: json(z.object({ projects: z.array(projectShape) }), 'Projects by name') },
});

const problems = createRoute({
  method: 'get',
  path: '/projects/{project}/problems',
  summary: 'What is wrong with the file on the default branch',
  request: { params: projectParam },
  responses: {
    200: json(z.object({ commit: z.string().nullable(), problems: z.array(problemShape) }), 'Problems'),
    ...notFound,
    ...conflict,
  },
});

const secrets = createRoute({
  method: 'get',
  path: '/projects/{project}/secrets',
  summary: 'Names of secrets, never values',
  request: { params: projectParam },
  responses: {
    200: json(
      z.object({ secrets: z.array(z.object({ name: z.string(), updatedAt: z.iso.datetime() })) }),
      'Secrets',
    ),
    ...notFound,
    ...conflict,
  },
});

const setSecret = createRoute({
  method: 'put',
  path: '/projects/{project}/secrets/{name}',
  summary: 'Sets a secret; attempts that start from now on see it',
  request: {
    params: projectParam.extend({ name: secretName }),
    body: { required: true, content: { 'application/json': { schema: z.object({ value: z.string() }) } } },
  },
  responses: {
    200: json(z.object({ name: z.string() }), 'Set'),
    ...notFound,
    ...conflict,
  },
});

const unsetSecret = createRoute({
  method: 'delete',
  path: '/projects/{project}/secrets/{name}',
  summary: 'Deletes a secret',
  request: { params: projectParam.extend({ name: secretName }) },
  responses: { 200: json(z.object({ name: z.string() }), 'Deleted'), ...notFound, ...conflict },
});

export function createProjectRoutes(ame: Ame) {
  const { db, secretKey } = ame;
  const present = (project: ListedProject) => ({
    id: project.id,
    name: project.name,
    path: project.path,
    repository: `${project.repository.owner}/${project.repository.name}`,
    repositoryId: project.repositoryId,
    host: project.repository.host,
    installationId: project.repository.installationId,
    defaultBranch: project.repository.defaultBranch,
    lastNumber: project.lastNumber,
    createdAt: project.createdAt.toISOString(),
  });
  return createRoutes()
    .openapi(list, async (c) =>
      c.json({ projects: (await listProjects(db, placeOf(c.req.valid('query')))).map(present) }, 200),
    )
    .openapi(problems, async (c) => {
      const project = await findProject(ame, c.req.valid('param').project);
      const revision = project.revisionId === null ? undefined : await findRevision(db, project.revisionId);
      return c.json({ commit: revision?.commit ?? null, problems: [...(revision?.problems ?? [])] }, 200);
    })
    .openapi(secrets, async (c) => {
      const project = await findProject(ame, c.req.valid('param').project);
      const rows = await listSecrets(db, project.id);
      return c.json(
        { secrets: rows.map(({ name, updatedAt }) => ({ name, updatedAt: updatedAt.toISOString() })) },
        200,
      );
    })
    .openapi(setSecret, async (c) => {
      const { project: name, name: secret } = c.req.valid('param');
      const project = await findProject(ame, name);
      const { value } = c.req.valid('json');
      if (value.length < shortestSecret) {
        throw refuse(
          422,
          'secret-short',
          `a secret needs at least ${shortestSecret} characters: a shorter one could not be hidden in logs`,
        );
      }
      if (Buffer.byteLength(value) > longestSecret || value.includes('\0')) {
        throw refuse(
          422,
          'secret-value',
          'a secret has at most 64 KiB and no NUL character: no environment could hold it',
        );
      }
      await saveSecret(db, secretKey, { projectId: project.id, name: secret, value });
      return c.json({ name: secret }, 200);
    })
    .openapi(unsetSecret, async (c) => {
      const { project: name, name: secret } = c.req.valid('param');
      const project = await findProject(ame, name);
      if (!(await deleteSecret(db, project.id, secret)))
        throw refuse(404, 'secret-unknown', `${project.name} has no secret ${secret}`);
      return c.json({ name: secret }, 200);
    });
}
