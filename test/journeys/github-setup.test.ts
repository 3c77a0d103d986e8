import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFakeGithub, type FakeGithub } from '../fakes/github.ts';
import { read } from '../server/ame.ts';
import { departureOf, openBrowser } from '../server/setup-browser.ts';
import { createAme, type Ame } from './harness.ts';
import { text } from './text.ts';

let github: FakeGithub;
let ame: Ame;

beforeAll(async () => {
  github = await createFakeGithub({ enterprise: true });
  ame = await createAme({ env: { AME_GITHUB_URL: github.webUrl } });
});
afterAll(async () => {
  await ame[Symbol.asyncDispose]();
  await github[Symbol.asyncDispose]();
});

type Shown = {
  readonly app: { readonly id: string; readonly source: string } | null;
  readonly installations: readonly {
    readonly account: string;
    readonly suspendedAt: string | null;
    readonly removedAt: string | null;
    readonly requests: { readonly requests: number } | null;
    readonly repositories: readonly {
      readonly name: string;
      readonly project: string | null;
      readonly access: string;
      readonly lastError: string | null;
    }[];
  }[];
};

async function shown(): Promise<Shown> {
  return (await ame.api('GET', '/github')).body as Shown;
}

const file = text`
  projectname: animals
  on: push
  tasks:
    main: echo trained > model.txt
`;

test('two clicks: the App is made, installed, and what it finds is shown', async () => {
  expect(await shown()).toEqual({ app: null, installations: [] });
  const browser = openBrowser(ame.address, (path, init) => fetch(`${ame.address}${path}`, init));
  expect((await browser.get('/setup')).status).toBe(200);
  await browser.post('/setup', { token: ame.ctx.token });
  expect((await browser.get('/')).text).toContain('href="/setup"');

  // The first click.
  const left = await browser.post('/setup/app', { public_url: ame.address, organization: 'acme' });
  const { url, manifest } = departureOf(left.text);
  const code = github.confirmManifest(manifest, { organization: 'acme' });
  const back = new URL(manifest.redirect_url);
  back.search = new URLSearchParams({ code, state: url.searchParams.get('state') ?? '' }).toString();
  const done = await browser.get(`${back.pathname}${back.search}`);
  expect(done.text).toContain('AME of acme is connected');

  // The second one. GitHub delivers to where the manifest says, signed with the secret that was stored.
  expect(github.hookUrl).toBe(`${ame.address}/webhooks/github`);
  const installation = await github.addInstallation({ account: 'acme' });
  const pets = await github.addRepository(installation, { owner: 'acme', name: 'pets' });
  await github.addRepository(installation, { owner: 'acme', name: 'notes' });
  const pushed = await pets.commit({ 'ame.yaml': file }, { branch: 'main', message: 'm' });
  await ame.settle();

  expect(github.deliveries.map(({ statusCode }) => statusCode)).not.toContain(401);
  expect(await shown()).toMatchObject({
    app: { id: github.app.id, source: 'setup' },
    installations: [
      {
        account: 'acme',
        suspendedAt: null,
        removedAt: null,
        requests: { requests: expect.any(Number) as unknown },
        repositories: [
          { name: 'notes', project: null, access: 'open', lastError: null },
          { name: 'pets', project: 'animals', access: 'open', lastError: null },
        ],
      },
    ],
  });
  expect(github.checkRuns(pets)).toMatchObject([{ headSha: pushed.after, name: 'ame.yaml' }]);
  const home = (await browser.get('/')).text;
  expect(home).toMatch(/acme\/pets[\s\S]*?href="\/\?project=animals"/);
  expect(home).toMatch(/acme\/notes[\s\S]*?no valid ame\.yaml/);
  expect(home).not.toContain('href="/setup"');
  expect(github.violations).toEqual([]);
});

test('what keeps failing and what is gone is shown too', async () => {
  const umbrella = await github.addInstallation({ account: 'umbrella' });
  await github.addRepository(umbrella, { owner: 'umbrella', name: 'lab' });
  await ame.settle();
  await github.suspend(umbrella);
  const { pool } = ame.ctx.db;
  await pool.query(`update repositories set failures = 3, last_error = 'no luck' where name = 'notes'`);
  await ame.settle();
  const { installations } = await shown();
  expect(installations.map(({ account }) => account)).toEqual(['acme', 'umbrella']);
  expect(installations[0]?.repositories[0]).toMatchObject({ name: 'notes', lastError: 'no luck' });
  expect(installations[1]?.suspendedAt).not.toBeNull();
  expect(installations[1]?.repositories).toMatchObject([{ name: 'lab', access: 'suspended' }]);
  await github.remove(umbrella);
  await ame.settle();
  const answer = await fetch(`${ame.address}/`, {
    headers: { accept: 'text/html', authorization: `Bearer ${ame.ctx.token}` },
  });
  const home = await answer.text();
  expect(home).toMatch(/acme\/notes\s*<p class="reason">no luck<\/p>/);
  expect(home).toMatch(/umbrella\s*<small\s*>removed/);
  expect(home).not.toContain('umbrella/lab');
});

test('the check says what is wrong with the App, with a remedy for each', async () => {
  const { status, body } = await ame.api('POST', '/github/check');
  expect(status).toBe(200);
  const { ok, findings } = body as { ok: boolean; findings: { ok: boolean; what: string; remedy: string }[] };
  expect(ok).toBe(false);
  const wrong = findings.filter((finding) => !finding.ok);
  expect(wrong.map(({ what }) => what)).toContain('address');
  expect(wrong.every(({ remedy }) => remedy.length > 10)).toBe(true);
  expect(findings.filter((finding) => finding.ok).map(({ what }) => what)).toEqual(
    expect.arrayContaining(['key', 'clock', 'events', 'secret']),
  );
});

test('all of it asks for the token', async () => {
  for (const [method, path] of [
    ['GET', '/api/v1/github'],
    ['POST', '/api/v1/github/check'],
  ] as const) {
    const answer = await fetch(`${ame.address}${path}`, { method });
    expect([answer.status, (await read<{ error: { code: string } }>(answer)).error.code]).toEqual([
      401,
      'token-needed',
    ]);
  }
});
