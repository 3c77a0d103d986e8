import { createRoute, z } from '@hono/zod-openapi';
import type { Context as Ame } from '../../context.ts';
import { SecretUnreadableError } from '../../db/seal.ts';
import { checkApp, type Finding } from '../../github/check-app.ts';
import { readFound, type Found } from '../found.ts';
import { createRoutes } from './routes.ts';
import { json } from './runs.ts';
import { findingShape, githubShape } from './shapes.ts';

const show = createRoute({
  method: 'get',
  path: '/github',
  summary: 'The GitHub App that AME is, where it is installed, and what was found there',
  responses: { 200: json(githubShape, 'What was found') },
});

const check = createRoute({
  method: 'post',
  path: '/github/check',
  summary: 'Asks GitHub what is wrong with the App: address, clock, permissions, events, secret',
  responses: {
    200: json(z.object({ ok: z.boolean(), findings: z.array(findingShape) }), 'What was found'),
  },
});

export function createGithubRoutes(ame: Ame) {
  return createRoutes()
    .openapi(show, async (c) => {
      const { app, installations } = await readFound(ame);
      return c.json({ app, installations: installations.map(present) }, 200);
    })
    .openapi(check, async (c) => {
      const findings = await findAll(ame);
      return c.json(
        { ok: findings.every(({ ok }) => ok), findings: findings.map((one) => ({ ...one })) },
        200,
      );
    });
}

type Said = Omit<Finding, 'what'> & { readonly what: Finding['what'] | 'app' };

async function findAll({ github: source, config, address }: Ame): Promise<readonly Said[]> {
  try {
    const github = await source.current();
    if (github === null) {
      const remedy = `Open ${address()}/setup, or set AME_GITHUB_APP_ID, AME_GITHUB_PRIVATE_KEY and AME_GITHUB_WEBHOOK_SECRET`;
      return [{ what: 'app', ok: false, message: 'No GitHub App is set', remedy }];
    }
    const findings = await checkApp(github, { publicUrl: config.publicUrl });
    if ((await source.webhookSecrets()).length > 0) return findings;
    const message = 'AME knows no webhook secret: it refuses whatever GitHub delivers';
    const remedy = 'Set AME_GITHUB_WEBHOOK_SECRET to the secret of the App';
    return [...findings, { what: 'secret', ok: false, message, remedy }];
  } catch (error) {
    if (!(error instanceof SecretUnreadableError)) throw error;
    const remedy =
      'Start AME with the key that wrote it (AME_SECRET_KEY, or `secret-key` of the data directory), or set AME_GITHUB_APP_ID and its key';
    return [{ what: 'key', ok: false, message: error.message, remedy }];
  }
}

function present({ suspendedAt, removedAt, repositories, ...installation }: Found['installations'][number]) {
  return {
    ...installation,
    suspendedAt: suspendedAt?.toISOString() ?? null,
    removedAt: removedAt?.toISOString() ?? null,
    repositories: repositories.map((repository) => ({ ...repository })),
  };
}
