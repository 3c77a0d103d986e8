import { randomBytes } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { html } from 'hono/html';
import type { Context as Ame } from '../context.ts';
import { isDatabaseAway } from '../db/connect.ts';
import { describeError } from '../log.ts';
import { commitPage } from './page/commit-page.ts';
import { homePage } from './page/home-page.ts';
import { documentOf, mainOf, type View } from './page/layout.ts';
import { said } from './page/pieces.ts';
import { readRun } from './page/read-run.ts';
import { runPage } from './page/run-page.ts';

/**
 * The pages for people: `/`, `/runs/<id>` and `/commits/<sha>`. Each is whole without a script; with one it asks
 * for its changing part again (`?part=main`) and follows the log through the API.
 */
export function createPages(ame: Pick<Ame, 'db' | 'storage' | 'address' | 'log'>): Hono {
  const { db } = ame;
  const pages = new Hono();
  pages.onError((error, c) => {
    const away = isDatabaseAway(error);
    ame.log[away ? 'warn' : 'error']({ path: c.req.path, error: describeError(error) }, 'page failed');
    const reason = away
      ? 'The database is away; try again in a moment.'
      : 'AME failed to answer; its log says why.';
    return show(c, trouble('This did not work', reason), away ? 503 : 500);
  });
  pages.use(async (c, next) => {
    await next();
    // What no door knows is answered in JSON, which is not for people.
    if (c.res.status !== 404 || !isForPeople(c) || isPage(c.res)) return;
    c.res = await show(c, missing(`There is nothing at ${c.req.path}.`), 404);
  });
  pages.get('/', async (c) => {
    // Postgres refuses a text with a NUL in it, and nothing is called so.
    const project = c.req.query('project')?.replaceAll('\0', '') ?? null;
    return show(c, await homePage(db, ame.address(), { project, before: idOf(c.req.query('before')) }));
  });
  pages.get('/runs/:id', async (c) => {
    const id = idOf(c.req.param('id'));
    const attempt = idOf(c.req.query('attempt'));
    const view =
      id === null ? undefined : await readRun(ame, { id, attempt, following: idOf(c.req.query('log')) });
    if (!view) return show(c, missing(`There is no run with the id ${c.req.param('id')}.`), 404);
    return show(c, runPage(view));
  });
  pages.get('/commits/:sha', async (c) => {
    const sha = c.req.param('sha').toLowerCase();
    const view = /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(sha) ? await commitPage(db, sha) : undefined;
    return show(c, view ?? missing(`AME has not seen the commit ${sha}.`), view ? 200 : 404);
  });
  return pages;
}

function idOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function isForPeople(c: Context): boolean {
  return /\btext\/html\b/.test(c.req.header('accept') ?? '') && !c.req.path.startsWith('/api/');
}

function isPage(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('text/html') ?? false;
}

function missing(reason: string): View {
  return trouble('Not found', reason);
}

function trouble(title: string, reason: string): View {
  return {
    title,
    poll: null,
    main: html`<header><h1>${title}</h1></header>
      <p>${said(reason)}</p>
      <p><a href="/">All runs</a></p>`,
  };
}

/** A page, or the part of it that changes, under a policy that lets nothing in from anywhere. */
async function show(c: Context, view: View, status: 200 | 404 | 500 | 503 = 200): Promise<Response> {
  const nonce = randomBytes(18).toString('base64');
  const own = `'nonce-${nonce}'`;
  c.header(
    'content-security-policy',
    `default-src 'none'; script-src ${own}; style-src ${own}; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  c.header('referrer-policy', 'no-referrer');
  c.header('x-content-type-options', 'nosniff');
  c.header('x-frame-options', 'DENY');
  c.header('cross-origin-opener-policy', 'same-origin');
  c.header('cache-control', 'no-store');
  return c.html(await (c.req.query('part') === 'main' ? mainOf(view) : documentOf(view, nonce)), status);
}
