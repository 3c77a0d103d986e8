import { Hono, type Context } from 'hono';
import type { Context as Ame } from '../context.ts';
import { isDatabaseAway } from '../db/connect.ts';
import { manifestOf, newAppUrl } from '../github/manifest.ts';
import { describeError } from '../log.ts';
import { isToken, rememberToken } from './access.ts';
import { BodyTooSlowError, boundBody, readAll, systemBodyClock, type BodyClock } from './agent/body.ts';
import { show, type Shown } from './page/show.ts';
import { appPageOf, ownAppsUrl } from './setup/app-page.ts';
import { readAsked } from './setup/asked.ts';
import { hasApp, makeApp } from './setup/make-app.ts';
import { createSetupSessions, type MadeApp } from './setup/sessions.ts';
import * as outcomes from './setup/outcome-views.ts';
import * as asking from './setup/asking-views.ts';

const mostFormBytes = 16 * 1024;

/** Forms go back to us alone. */
const ours = ["'self'"];

/**
 * `/setup`: makes the GitHub App that this server is, by GitHub's App manifest flow. It asks for the token itself,
 * whatever cookie or address brings one along, so that no link can lead somebody through it; and it is closed once
 * there is an App.
 */
export function createSetup(
  ame: Pick<Ame, 'config' | 'db' | 'log' | 'token' | 'secretKey' | 'github'>,
  {
    clock = () => new Date(),
    bodyClock = systemBodyClock,
  }: { readonly clock?: () => Date; readonly bodyClock?: BodyClock } = {},
): Hono {
  const { config, log, token } = ame;
  const { githubUrl, publicUrl: fixedUrl } = config;
  const https = fixedUrl?.startsWith('https:') ?? false;
  const sessions = createSetupSessions({ clock, https });
  const door = new Hono();

  door.onError((error, c) => {
    const away = isDatabaseAway(error);
    log[away ? 'warn' : 'error']({ path: c.req.path, error: describeError(error) }, 'setup failed');
    const reason = away
      ? 'The database is away; try again in a moment.'
      : 'AME failed to answer; its log says why.';
    return show(c, outcomes.troubleView(reason), { status: away ? 503 : 500 });
  });

  const choices = (form: URLSearchParams): asking.Choices => ({
    fixedUrl,
    publicUrl: form.get('public_url') ?? '',
    organization: form.get('organization') ?? '',
    isPublic: form.get('public') !== null,
    github: new URL(githubUrl).host,
  });
  const askForToken = (c: Context, fault: string | null, status: Shown['status'] = 401) =>
    show(c, asking.tokenView(fault), { status, forms: ours });

  door.get('/setup', async (c) => {
    if (await hasApp(ame)) return show(c, outcomes.closedView());
    if (sessions.find(c) === null) return askForToken(c, null, 200);
    return show(c, asking.choiceView(choices(new URLSearchParams()), null), { forms: ours });
  });

  door.post('/setup', async (c) => {
    if (await hasApp(ame)) return show(c, outcomes.closedView(), { status: 409 });
    const form = await readForm(c, bodyClock);
    if (form instanceof Error) return refuseForm(c, form);
    if (!isToken((form.get('token') ?? '').trim(), token)) {
      log.warn('a wrong token at /setup');
      return askForToken(c, 'That is not the token of this server.');
    }
    sessions.open(c);
    // Who has it may see all pages, and is led to them from here.
    rememberToken(c, token, { https });
    return c.redirect('/setup', 303);
  });

  door.post('/setup/app', async (c) => {
    if (await hasApp(ame)) return show(c, outcomes.closedView(), { status: 409 });
    const session = sessions.find(c);
    if (session === null)
      return askForToken(c, 'This took more than an hour, so the token is asked for again.');
    const form = await readForm(c, bodyClock);
    if (form instanceof Error) return refuseForm(c, form);
    const asked = readAsked(form, { fixedUrl, githubUrl });
    if ('fault' in asked)
      return show(c, asking.choiceView(choices(form), asked.fault), { status: 422, forms: ours });
    const { publicUrl, organization, isPublic } = asked;
    const expected = sessions.expect(c, session, { publicUrl, organization });
    const manifest = manifestOf({
      publicUrl,
      name: organization === null ? `AME at ${new URL(publicUrl).hostname}` : `AME of ${organization}`,
      isPublic,
      // Where this browser has its cookie, which need not be where GitHub reaches us.
      redirectUrl: `${originOf(c)}/setup/done`,
      setupUrl: `${publicUrl}/setup/installed`,
    });
    const url = newAppUrl(githubUrl, organization, expected.state);
    return show(c, asking.departureView({ url, manifest }), { forms: [new URL(githubUrl).origin] });
  });

  door.get('/setup/done', async (c) => {
    const session = sessions.find(c);
    if (session?.made) return show(c, outcomes.doneView(session.made, fixedUrl));
    if (await hasApp(ame)) return show(c, outcomes.closedView());
    const { code = '', state = '' } = c.req.query();
    const expected = session && sessions.take(session, state);
    if (session === null || expected === null || !/^[\w-]{1,200}$/.test(code)) {
      const reason =
        'GitHub sent you back with an address that is not expected here: it was used already, is older than an hour, or belongs to another browser.';
      return show(c, outcomes.failureView(reason, null), { status: 400, forms: ours });
    }
    const making = await makeApp(ame, code);
    if (making.kind === 'made') {
      session.made = madeOf(making, expected.publicUrl);
      // The code leaves the address, and the page can be loaded again.
      return c.redirect('/setup/done', 303);
    }
    const reason =
      making.kind === 'failed' ? making.reason : 'Another App was stored meanwhile, and AME is that one now.';
    const ownApps = ownAppsUrl(githubUrl, expected.organization);
    const status = making.kind === 'failed' ? 502 : 409;
    return show(c, outcomes.failureView(reason, ownApps), { status, forms: ours });
  });

  // Nothing here is worth a token, and whoever installs the App need not have one.
  door.get('/setup/installed', (c) => show(c, outcomes.installedView()));
  return door;

  function madeOf(
    { app, trouble }: Extract<Awaited<ReturnType<typeof makeApp>>, { kind: 'made' }>,
    publicUrl: string,
  ): MadeApp {
    return { name: app.name, owner: app.owner, pageUrl: appPageOf(githubUrl, app), publicUrl, trouble };
  }
}

/** What no form of ours sends is an error, and so is what comes too slowly: nobody who asks here has proved anything. */
async function readForm(c: Context, clock: BodyClock): Promise<URLSearchParams | Error> {
  const announced = Number(c.req.header('content-length') ?? 0);
  const isOurs = /^application\/x-www-form-urlencoded\b/i.test(c.req.header('content-type') ?? '');
  if (!isOurs || announced > mostFormBytes || c.req.header('transfer-encoding') !== undefined)
    return new Error('That is no form of this page.');
  const bounded = boundBody(c.req.raw.body, { most: mostFormBytes, clock });
  try {
    return new URLSearchParams((await readAll(bounded.stream)).toString('utf8'));
  } catch (error) {
    const refused = bounded.refused();
    if (refused === null) throw error;
    return refused;
  }
}

async function refuseForm(c: Context, error: Error): Promise<Response> {
  if (!(error instanceof BodyTooSlowError))
    return show(c, outcomes.troubleView('That is no form of this page.'), { status: 413 });
  // The rest is not waited for, so nothing can come after it on this connection.
  c.header('connection', 'close');
  return show(c, outcomes.troubleView('The form came too slowly; send it again.'), { status: 408 });
}

/** Where the browser thinks that it is: a proxy in front may speak https for us. Whatever it says, `Host` agrees. */
function originOf(c: Context): string {
  return c.req.header('origin') ?? new URL(c.req.url).origin;
}
