import { OpenAPIHono } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import type { Context as Ame } from '../context.ts';
import { isDatabaseAway, isReachable } from '../db/connect.ts';
import { recordMoves } from '../db/moves.ts';
import { findLocalRepository, insertLocalRepository } from '../db/repositories.ts';
import { describeError } from '../log.ts';
import { StorageAwayError } from '../storage/storage.ts';
import { checkHost, isToken, refusal, refuseCrossSite, requireToken } from './access.ts';
import { createAgentDoor } from './agent.ts';
import { createApi } from './api.ts';
import { basicPassword } from './git-exchange.ts';
import { createGitDoor } from './git.ts';
import { createHealth } from './health.ts';
import { createInbox } from './inbox.ts';
import { createMetricsDoor } from './metrics.ts';
import { createPages } from './page.ts';
import { pushLines } from './push-lines.ts';
import { createSetup } from './setup.ts';
import { createWebhookDoor } from './webhook.ts';

/** Mounts the doors. The webhook proves itself by its signature; health says nothing that is worth a token. */
export function createApp(ame: Ame) {
  const { config, db, log, token, hints, directoryOf, github } = ame;
  const app = new OpenAPIHono();
  app.onError((error, c) => {
    if (error instanceof HTTPException) return refusalOf(error);
    const storeAway = error instanceof StorageAwayError;
    const away = storeAway || isDatabaseAway(error);
    log[away ? 'warn' : 'error']({ path: c.req.path, error: describeError(error) }, 'request failed');
    if (storeAway)
      return c.json(refusal('storage-away', 'the store of content is away; try again in a moment'), 503);
    if (away) return c.json(refusal('database-away', 'the database is away; try again in a moment'), 503);
    return c.json(refusal('internal', 'AME failed to answer; its log says why'), 500);
  });
  app.notFound((c) => c.json(refusal('not-found', `there is nothing at ${c.req.path}`), 404));

  // Counts what the next door answers, so it stands before it; it asks for a token of its own.
  app.route('/', createMetricsDoor(ame));
  app.route(
    '/',
    createWebhookDoor({
      secrets: () => github.webhookSecrets(),
      known: () => github.knownWebhookSecrets(),
      inbox: createInbox(db),
      log,
    }),
  );
  // Pods name the server as their cluster does, carry a token of their own, and are no browsers.
  app.route('/', createAgentDoor(ame));
  // A probe of Kubernetes names the address of a pod, which is no name of ours.
  app.route('/', createHealth(ame));
  app.use(checkHost([...config.hosts, ...publicHosts(config.publicUrl)]));
  app.use(refuseCrossSite());
  app.route(
    '/',
    createGitDoor({
      authorize: (request) => {
        const password = basicPassword(request);
        return password !== null && isToken(password, token);
      },
      findRepository: async (name) => {
        const found = await findLocalRepository(db, name);
        return found ? { id: found.id, directory: directoryOf(found) } : null;
      },
      findOrCreateRepository: async (name) => {
        const found = (await findLocalRepository(db, name)) ?? (await insertLocalRepository(db, name));
        return { id: found.id, directory: directoryOf(found) };
      },
      recordPush: (repositoryId, refs, head) => recordMoves(db, repositoryId, refs, head),
      decisionLines: (ids, signal) =>
        pushLines(
          { db, hints, address: () => ame.address(), withToken: (line) => openLinks(line, ame) },
          ids,
          signal,
        ),
      ready: () => isReachable(db),
      failed: (error) => log.warn({ error: describeError(error) }, 'git request failed'),
    }),
  );
  // It asks for the token by itself.
  app.route('/', createSetup(ame));
  app.use(requireToken(token, { https: config.publicUrl?.startsWith('https:') ?? false }));
  app.route('/', createPages(ame));
  return app.route('/', createApi(ame));
}

/** Of our own refusals what they say; what the framework refuses, such as broken JSON, in the same form. */
function refusalOf(error: HTTPException): Response {
  if (error.res) return error.res;
  return Response.json(refusal('not-valid', error.message), { status: error.status });
}

export type App = ReturnType<typeof createApp>;

/** An address that opens without asking: the page takes the token out of it at once. */
export function withToken(url: string, token: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}token=${encodeURIComponent(token)}`;
}

/** The addresses of pages at the end of a line, with the token. */
function openLinks(line: string, { address, token }: Pick<Ame, 'address' | 'token'>): string {
  const at = line.lastIndexOf(`${address()}/`);
  return at < 0 || line.includes(' ', at) ? line : line.slice(0, at) + withToken(line.slice(at), token);
}

function publicHosts(publicUrl: string | null): readonly string[] {
  return publicUrl === null ? [] : [new URL(publicUrl).host, new URL(publicUrl).hostname];
}
