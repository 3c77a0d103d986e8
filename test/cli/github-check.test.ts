import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertStoredApp } from '../../src/db/github-apps.ts';
import { inTransaction } from '../../src/db/connect.ts';
import { upsertInstallation } from '../../src/db/installations.ts';
import { upsertGithubRepository } from '../../src/db/repositories.ts';
import { createFakeGithub, type FakeGithub } from '../fakes/github.ts';
import { serve, type Served } from './served.ts';

let github: FakeGithub;
let served: Served;

beforeAll(async () => {
  github = await createFakeGithub({ enterprise: true });
  served = await serve({ AME_GITHUB_URL: github.webUrl, AME_PUBLIC_URL: 'https://ame.example.com' });
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  await github[Symbol.asyncDispose]();
});

test('without an App both say how to set one', async () => {
  expect(await served.ame(['github', 'check'])).toEqual({
    code: 1,
    out: 'wrong  app          No GitHub App is set. Open https://ame.example.com/setup, or set AME_GITHUB_APP_ID, AME_GITHUB_PRIVATE_KEY and AME_GITHUB_WEBHOOK_SECRET\n',
    err: '',
  });
  const shown = await served.ame(['github']);
  expect([shown.code, shown.out]).toEqual([
    0,
    `No GitHub App is set: open ${served.server.address}/setup, or see docs/github.md.\n`,
  ]);
  expect(JSON.parse((await served.ame(['github', '--json'])).out)).toEqual({ app: null, installations: [] });
});

test('each fault is one line with its remedy, and the code is that of a failure', async () => {
  const { db, secretKey, github: source } = served.server.context;
  const { id: appId, slug, privateKey, webhookSecret } = github.app;
  await inTransaction(db, (tx) =>
    insertStoredApp(tx, secretKey, { appId, slug, privateKey, webhookSecret: `${webhookSecret}x` }),
  );
  source.forget();
  github.hookUrl = `${served.server.address}/webhooks/github`;
  // Signed with another secret than the one that is stored.
  await github.deliver('ping', { zen: 'z', hook_id: 1, hook: {} });
  const { code, out, err } = await served.ame(['github', 'check']);
  expect([code, err]).toEqual([1, '']);
  const lines = out.trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(/^(good |wrong) {2}[a-z]+ +\S.*[^.]$/);
  expect(lines.filter((line) => line.startsWith('wrong'))).toEqual([
    expect.stringMatching(
      /^wrong {2}permissions +The App does not ask for merge_queues: read\. .*\. Add it at /,
    ),
    expect.stringMatching(/^wrong {2}address +GitHub delivers to http:.*, not to https:.*\. Set /),
    expect.stringMatching(
      /^wrong {2}secret +The last delivery failed: 401 .*\. Set AME_GITHUB_WEBHOOK_SECRET /,
    ),
  ]);
  expect(lines).toContainEqual(expect.stringMatching(/^good {3}clock +The clock agrees with GitHub's$/));
  const { ok, findings } = JSON.parse((await served.ame(['github', 'check', '--json'])).out) as {
    ok: boolean;
    findings: unknown[];
  };
  expect([ok, findings.length]).toEqual([false, lines.length]);
  expect(findings).toContainEqual({
    what: 'clock',
    ok: true,
    message: "The clock agrees with GitHub's",
    remedy: null,
  });
});

test('what was found is a table', async () => {
  const { db } = served.server.context;
  const account = { id: '7', login: 'acme\u202e', type: 'Organization' } as const;
  await upsertInstallation(db, { hostId: '70', account, permissions: {}, suspendedAt: new Date() });
  const facts = {
    hostId: '71',
    installationId: '70',
    owner: 'acme',
    name: 'pets',
    access: 'suspended',
  } as const;
  await upsertGithubRepository(db, { ...facts, defaultBranch: 'main' });
  const { code, out } = await served.ame(['github']);
  expect(code).toBe(0);
  expect(out).toMatch(/^App \d+, stored by \/setup\. Install it: http.*\/installations\/new\n\nACCOUNT /);
  expect(out).toMatch(/^acme\\u\{202e\} +suspended/m);
  expect(out).toMatch(/^acme\\u\{202e\} +acme\/pets +no valid ame\.yaml +(suspended|removed)/m);
  expect(out).toMatch(/\n\n\d+ requests? to GitHub since the server was started; .*\n$/);
});
