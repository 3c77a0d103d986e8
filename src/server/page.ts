import { Hono, type Context } from 'hono';
import { html } from 'hono/html';
import type { Context as Ame } from '../context.ts';
import { isDatabaseAway } from '../db/connect.ts';
import { describeError } from '../log.ts';
import { commitPage } from './page/commit-page.ts';
import { homePage } from './page/home-page.ts';
import type { View } from './page/layout.ts';
import { said } from './page/pieces.ts';
import { readRun } from './page/read-run.ts';
import { runPage } from './page/run-page.ts';
import { show } from './page/show.ts';

/**
 * The pages for people: `/`, `/runs/<id>` and `/commits/<sha>`. Each is whole without a script; with one it asks
 * for its changing part again (`?part=main`) and follows the log through the API.
 */
export function createPages(
  ame: Pick<Ame, 'config' | 'db' | 'storage' | 'github' | 'address' | 'log'>,
): Hono {
  const { db } = ame;
  const pages = new Hono();
  pages.onError((error, c) => {
    const away = isDatabaseAway(error);
    ame.log[away ? 'warn' : 'error']({ path: c.req.path, error: describeError(error) }, 'page failed');
    const reason = away
      ? 'The database is away; try again in a moment.'
      : 'AME failed to answer; its log says why.';
    return show(c, trouble('This did not work', reason), { status: away ? 503 : 500 });
  });
  pages.use(async (c, next) => {
    await next();
    // What no door knows is answered in JSON, which is not for people.
    if (c.res.status !== 404 || !isForPeople(c) || isPage(c.res)) return;
    c.res = await show(c, missing(`There is nothing at ${c.req.path}.`), { status: 404 });
  });
  pages.get('/', async (c) => {
    // Postgres refuses a text with a NUL in it, and nothing is called so.
    const project = c.req.query('project')?.replaceAll('\0', '') ?? null;
    return show(c, await homePage(ame, { project, before: idOf(c.req.query('before')) }));
  });
  pages.get('/runs/:id', async (c) => {
    const id = idOf(c.req.param('id'));
    const attempt = idOf(c.req.query('attempt'));
    const view =
      id === null ? undefined : await readRun(ame, { id, attempt, following: idOf(c.req.query('log')) });
    if (!view) return show(c, missing(`There is no run with the id ${c.req.param('id')}.`), { status: 404 });
    return show(c, runPage(view));
  });
  pages.get('/commits/:sha', async (c) => {
    const sha = c.req.param('sha').toLowerCase();
    const repositoryId = idOf(c.req.query('repository'));
    const place = repositoryId === null ? {} : { repositoryId };
    const view = /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(sha) ? await commitPage(db, sha, place) : undefined;
    return show(c, view ?? missing(`AME has not seen the commit ${sha}.`), {
      status: view ? 200 : 404,
    });
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
