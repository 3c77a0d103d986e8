import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findStoredApp, openAppSecrets } from '../../src/db/github-apps.ts';
import { createSetup } from '../../src/server/setup.ts';
import { readAsked } from '../../src/server/setup/asked.ts';
import { appPageOf } from '../../src/server/setup/app-page.ts';
import { neededPermissions } from '../../src/github/permissions.ts';
import { createFakeGithub, type FakeGithub } from '../fakes/github.ts';
import { openTestAme, read, token, type TestAme } from './ame.ts';
import { departureOf, openBrowser, type Answered, type Browser } from './setup-browser.ts';

const origin = 'http://127.0.0.1:8080';
const publicUrl = 'http://127.0.0.1:9';

let github: FakeGithub;
let opened: TestAme;

beforeAll(async () => {
  github = await createFakeGithub({ enterprise: true });
  opened = await openTestAme({ env: { AME_GITHUB_URL: github.webUrl } });
});
afterEach(async () => {
  await opened.ame.db.pool.query('delete from github_apps');
  opened.ame.github.forget();
});
afterAll(async () => {
  await opened.close();
  await github[Symbol.asyncDispose]();
});

function browse(at = opened): Browser {
  return openBrowser(origin, (path, init) => Promise.resolve(at.app.request(path, init)));
}

async function signedIn(at = opened): Promise<Browser> {
  const browser = browse(at);
  expect((await browser.post('/setup', { token })).text).toContain('Make the App on GitHub');
  return browser;
}

/** Up to where GitHub sends the browser back to. */
async function confirmed(browser: Browser): Promise<string> {
  const left = await browser.post('/setup/app', { public_url: publicUrl, organization: 'acme' });
  const { url, manifest } = departureOf(left.text);
  const code = github.confirmManifest(manifest, { organization: 'acme' });
  const back = new URL(manifest.redirect_url);
  back.search = new URLSearchParams({ code, state: url.searchParams.get('state') ?? '' }).toString();
  return `${back.pathname}${back.search}`;
}

async function stored(): Promise<boolean> {
  return (await findStoredApp(opened.ame.db)) !== null;
}

const policyOf = (answer: Answered): string => answer.headers.get('content-security-policy') ?? '';

test('makes the App: the token, one form, GitHub, and back', async () => {
  const browser = browse();
  expect((await browser.get('/setup')).text).toContain('name="token"');
  const asked = await browser.post('/setup', { token: ` ${token}\n` });
  expect(asked).toMatchObject({ status: 200, path: '/setup' });
  expect(asked.text).toContain('name="public_url"');
  expect(asked.text).toContain('<strong>It is not kept here.</strong>');
  expect(policyOf(asked)).toContain("form-action 'self'");

  const left = await browser.post('/setup/app', {
    public_url: `${publicUrl}/`,
    organization: '@acme',
    public: 'on',
  });
  expect(policyOf(left)).toContain(`form-action ${github.webUrl};`);
  // Under `no-referrer` the browser would say no origin, and be refused.
  expect(left.headers.get('referrer-policy')).toBe('strict-origin');
  const { url, manifest } = departureOf(left.text);
  expect(url.href.replace(/state=.*/, '')).toBe(`${github.webUrl}/organizations/acme/settings/apps/new?`);
  expect(manifest).toEqual({
    name: 'AME of acme',
    url: publicUrl,
    public: true,
    hook_attributes: { url: `${publicUrl}/webhooks/github`, active: true },
    redirect_url: `${origin}/setup/done`,
    setup_url: `${publicUrl}/setup/installed`,
    default_permissions: neededPermissions(),
    default_events: expect.arrayContaining(['push', 'pull_request']) as unknown,
  });

  const code = github.confirmManifest(manifest, { organization: 'acme' });
  const state = url.searchParams.get('state') ?? '';
  const crossing = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
  const done = await browser.get(`/setup/done?code=${code}&state=${state}`, crossing);
  expect(done).toMatchObject({ status: 200, path: '/setup/done' });
  expect(done.text).toContain('AME of acme is connected');
  expect(done.text).toContain(`${github.webUrl}/apps/ame-of-acme/installations/new`);
  expect(done.text).toContain(`AME_PUBLIC_URL=${publicUrl}`);

  const row = await findStoredApp(opened.ame.db);
  expect(row).toMatchObject({ appId: github.app.id, slug: 'ame-of-acme' });
  expect(row && openAppSecrets(opened.ame.secretKey, row)).toEqual({
    privateKey: github.app.privateKey,
    webhookSecret: github.app.webhookSecret,
  });
  expect(Buffer.from(row?.privateKey ?? []).toString('latin1')).not.toContain('PRIVATE');
  expect((await opened.ame.github.current())?.app.id).toBe(github.app.id);
  expect(await opened.ame.github.webhookSecrets()).toEqual([github.app.webhookSecret]);
  expect(github.requests.map(({ operationId }) => operationId)).toContain('apps/get-authenticated');

  // Closed for everyone, and the one who made it still sees what to do next.
  expect((await browser.get('/setup/done')).text).toContain('AME of acme is connected');
  expect((await browse().get('/setup/done')).text).toContain('GitHub is connected');
  for (const one of [browser, browse()]) {
    expect((await one.get('/setup')).text).toContain('GitHub is connected');
    expect((await one.post('/setup', { token })).status).toBe(409);
    expect((await one.post('/setup/app', { public_url: publicUrl })).status).toBe(409);
  }
  expect(github.violations).toEqual([]);
});

describe('the token', () => {
  test.each([{}, { token: '' }, { token: 'wrong' }, { token: `${token}x` }, { Token: token }])(
    'is not %j',
    async (form) => {
      const browser = browse();
      const answer = await browser.post('/setup', form);
      expect(answer.status).toBe(401);
      expect(answer.text).toContain('That is not the token');
      expect(answer.text).not.toContain(token);
      expect([...browser.cookies]).toEqual([]);
      expect((await browser.post('/setup/app', { public_url: publicUrl })).status).toBe(401);
    },
  );

  test('is asked for whatever cookie, header or address brings it along', async () => {
    const browser = browse();
    await browser.get(`/?token=${token}`);
    expect([...browser.cookies.values()]).toEqual([token]);
    for (const path of ['/setup', `/setup?token=${token}`])
      expect((await browser.get(path, { authorization: `Bearer ${token}` })).text).toContain('name="token"');
    expect((await browser.post('/setup/app', { public_url: publicUrl })).status).toBe(401);
    expect((await browser.get('/setup/done?code=c&state=s')).status).toBe(400);
  });

  test('opens a session that only /setup is told of, and the pages', async () => {
    const browser = await signedIn();
    const [session = ''] = browser.setCookies.filter((line) => line.startsWith('ame_setup='));
    expect(session).toMatch(/; Max-Age=3600; Path=\/setup; HttpOnly; SameSite=Lax$/);
    expect((await browser.get('/')).status).toBe(200);
  });

  test('comes by https alone where people reach the server so', async () => {
    await using at = await openTestAme({ env: { AME_PUBLIC_URL: 'https://ame.example.com' } });
    const there = openBrowser('https://ame.example.com', (path, init) =>
      Promise.resolve(at.app.request(path, init)),
    );
    const page = await there.post('/setup', { token });
    expect(page.text).toContain('value="https://ame.example.com" readonly');
    expect(there.setCookies.every((line) => /; Secure/.test(line))).toBe(true);
    expect(there.setCookies).toHaveLength(2);
    // What a changed form says beside it does not count.
    const left = departureOf((await there.post('/setup/app', { public_url: 'https://evil.example' })).text);
    expect(left.url.href).toMatch(/^https:\/\/github\.com\/settings\/apps\/new\?state=[\w-]{43}$/);
    expect(left.manifest).toMatchObject({
      name: 'AME at ame.example.com',
      url: 'https://ame.example.com',
      public: false,
      redirect_url: 'https://ame.example.com/setup/done',
    });
    const here = browse(at);
    await here.post('/setup', { token });
    expect(here.setCookies.some((line) => /; Secure/.test(line))).toBe(false);
  });
});

test('other sites and other names are refused', async () => {
  const browser = await signedIn();
  for (const path of ['/setup', '/setup/app']) {
    const form = { token, public_url: publicUrl };
    expect((await browser.post(path, form, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await browser.post(path, form, { origin: 'null' })).status).toBe(403);
    expect((await browser.post(path, form, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await browser.post(path, form, { host: 'evil.example' })).status).toBe(421);
  }
  for (const path of ['/setup', '/setup/done'])
    expect((await browser.get(path, { host: 'ame.example.com' })).status).toBe(421);
  const framed = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
  expect((await browser.get(await confirmed(browser), framed)).status).toBe(403);
  expect(await stored()).toBe(false);
});

describe('coming back', () => {
  test.each(['no state', 'another state', 'no code', 'a strange code', 'another browser', 'no browser'])(
    'with %s is refused, and asks nothing of GitHub',
    async (what) => {
      const browser = await signedIn();
      const url = new URL(await confirmed(browser), origin);
      if (what === 'no state') url.searchParams.delete('state');
      if (what === 'another state') url.searchParams.set('state', 'x'.repeat(43));
      if (what === 'no code') url.searchParams.delete('code');
      if (what === 'a strange code') url.searchParams.set('code', '../../user');
      const other = what === 'another browser' ? await signedIn() : browse();
      const asked = github.requests.length;
      const from = what.endsWith('browser') ? other : browser;
      const answer = await from.get(`${url.pathname}${url.search}`);
      expect(answer.status).toBe(400);
      expect(answer.text).toContain('Try again');
      expect(github.requests).toHaveLength(asked);
      expect(await stored()).toBe(false);
    },
  );

  test('works once, and what went wrong can be done again', async () => {
    const browser = await signedIn();
    const back = await confirmed(browser);
    github.failNext('apps/create-from-manifest', { status: 502 });
    const away = await browser.get(back);
    expect(away.status).toBe(502);
    expect(away.text).toContain('GitHub does not answer now');
    expect(away.text).toContain(`${github.webUrl}/organizations/acme/settings/apps`);
    expect(await stored()).toBe(false);
    expect((await browser.get(back)).status).toBe(400);
    expect((await browser.get(await confirmed(browser))).text).toContain('is connected');
    expect(await stored()).toBe(true);
  });

  test('with a code that is over says so', async () => {
    const browser = await signedIn();
    const back = new URL(await confirmed(browser), origin);
    back.searchParams.set('code', 'over');
    const answer = await browser.get(`${back.pathname}${back.search}`);
    expect(answer.status).toBe(502);
    expect(answer.text).toContain('good for one hour, and once');
    expect(await stored()).toBe(false);
  });

  test('keeps an App whose first call fails, and says how to look again', async () => {
    const browser = await signedIn();
    const back = await confirmed(browser);
    github.failNext('apps/get-authenticated', { status: 500 });
    const answer = await browser.get(back);
    expect(answer.text).toContain('ame github check');
    expect(answer.text).toContain('role="alert"');
    expect(await stored()).toBe(true);
  });

  test('second of two stores nothing', async () => {
    const [one, two] = [await signedIn(), await signedIn()];
    const [first, second] = [await confirmed(one), await confirmed(two)];
    const held = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    github.slowNext((request) => {
      if (request.operationId !== 'apps/create-from-manifest') return false;
      asked.resolve();
      return true;
    }, held.promise);
    const late = two.get(second);
    await asked.promise;
    expect((await one.get(first)).text).toContain('is connected');
    const kept = await findStoredApp(opened.ame.db);
    held.resolve();
    const answer = await late;
    expect(answer.status).toBe(409);
    expect(answer.text).toContain('Another App was stored meanwhile');
    expect(await findStoredApp(opened.ame.db)).toEqual(kept);
  });
});

test('a session is over after an hour', async () => {
  let now = new Date();
  const door = createSetup(opened.ame, { clock: () => now });
  const browser = openBrowser(origin, (path, init) => Promise.resolve(door.request(path, init)));
  await browser.post('/setup', { token });
  now = new Date(now.getTime() + 3_000_000);
  const back = await confirmed(browser);
  // The hour begins anew when GitHub is to send something back.
  now = new Date(now.getTime() + 3_500_000);
  expect((await browser.get('/setup')).text).toContain('name="public_url"');
  now = new Date(now.getTime() + 100_000);
  expect((await browser.get(back)).status).toBe(400);
  expect((await browser.get('/setup')).text).toContain('name="token"');
  expect((await browser.post('/setup/app', { public_url: publicUrl })).text).toContain('more than an hour');
});

test('an App of the environment closes it', async () => {
  const { id, privateKey } = github.app;
  await using at = await openTestAme({
    env: { AME_GITHUB_URL: github.webUrl, AME_GITHUB_APP_ID: id, AME_GITHUB_PRIVATE_KEY: privateKey },
  });
  const browser = browse(at);
  expect((await browser.get('/setup')).text).toContain('GitHub is connected');
  expect((await browser.post('/setup', { token })).status).toBe(409);
  expect(await read(await at.ask('/api/v1/github'))).toEqual({
    app: { id, source: 'environment', url: null },
    installations: [],
  });
});

test('what no form of the page sends is refused', async () => {
  const browser = await signedIn();
  const json = { 'content-type': 'application/json' };
  for (const path of ['/setup', '/setup/app']) {
    expect((await browser.post(path, { token }, json)).status).toBe(413);
    expect((await browser.post(path, { token }, { 'content-length': '20000' })).status).toBe(413);
    expect((await browser.post(path, { token }, { 'transfer-encoding': 'chunked' })).status).toBe(413);
  }
});

test('who installed the App is told so without a token', async () => {
  const answer = await browse().get('/setup/installed?installation_id=1&setup_action=install');
  expect(answer.status).toBe(200);
  expect(answer.text).toContain('The App is installed');
});

test('what was typed stays in the form beside its fault, as text', async () => {
  const browser = await signedIn();
  const answer = await browser.post('/setup/app', {
    public_url: '"><script>alert(1)</script>',
    organization: '<b>&',
  });
  expect(answer.status).toBe(422);
  expect(answer.text).not.toContain('<script>alert');
  expect(answer.text).toContain('value="&quot;&gt;&lt;script&gt;');
  expect(answer.text).toContain('value="&lt;b&gt;&amp;"');
});

const onGithub = { fixedUrl: null, githubUrl: 'https://github.com' };

test.each([
  ['https://ame.example.com', '', 'https://ame.example.com', null],
  [' https://AME.example.com:444/below/ ', ' @acme ', 'https://ame.example.com:444/below', 'acme'],
  ['http://10.0.0.7:8080', 'team_acme', 'http://10.0.0.7:8080', 'team_acme'],
])('the form takes %j and %j', (text, name, url, organization) => {
  const form = new URLSearchParams({ public_url: text, organization: name });
  expect(readAsked(form, onGithub)).toEqual({ publicUrl: url, organization, isPublic: false });
});

test.each([
  ['', ''],
  ['ame.example.com', ''],
  ['ftp://ame.example.com', ''],
  ['javascript:alert(1)', ''],
  ['https://ada:secret@ame.example.com', ''],
  ['https://ame.example.com/?x=1', ''],
  ['https://ame.example.com/#x', ''],
  ['http://127.0.0.1:8080', ''],
  ['http://localhost:8080', ''],
  ['http://[::1]:8080', ''],
  [`https://ame.example.com/${'x'.repeat(500)}`, ''],
  ['https://ame.example.com', 'acme/pets'],
  ['https://ame.example.com', '-acme'],
  ['https://ame.example.com', 'acme corp'],
])('the form does not take %j and %j', (text, name) => {
  const form = new URLSearchParams({ public_url: text, organization: name });
  expect(readAsked(form, onGithub)).toEqual({ fault: expect.stringMatching(/\.$/) as unknown });
});

test.each([
  ['https://github.com', 'https://github.com/apps/ame', 'https://github.com/apps/ame'],
  ['https://github.com', 'javascript:alert(1)', 'https://github.com/apps/ame'],
  ['https://github.com', 'https://evil.example/apps/ame', 'https://github.com/apps/ame'],
  ['https://git.acme.example', undefined, 'https://git.acme.example/github-apps/ame'],
])('on %s the page of an App that is said to be at %s is %s', (githubUrl, htmlUrl, page) => {
  expect(appPageOf(githubUrl, { slug: 'ame', ...(htmlUrl === undefined ? {} : { htmlUrl }) })).toBe(page);
});
