import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { examine } from '../../src/doctor/doctor.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { findingsOf } from '../../src/doctor/database.ts';
import { ame } from '../cli/fake-terminal.ts';
import { createTestDatabase, query, type TestDatabase } from '../database.ts';
import { createFakeGithub, type FakeGithub } from '../fakes/github.ts';
import { createFakeS3, sendXml } from '../storage/s3-fake.ts';

/** What stands in the line of a fault, and in its remedy. */
type Said = { readonly fault: RegExp; readonly remedy: RegExp };

let directory: string;
let database: TestDatabase;
let github: FakeGithub;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ame-doctor-'));
  database = await createTestDatabase();
  github = await createFakeGithub({ enterprise: true });
});
afterAll(async () => {
  await github[Symbol.asyncDispose]();
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

const good = (): Record<string, string> => ({
  AME_DATA: join(directory, 'data'),
  DATABASE_URL: database.url,
  AME_SECRET_KEY: 'ab'.repeat(32),
});

const app = (): Record<string, string> => ({
  AME_GITHUB_URL: github.webUrl,
  AME_GITHUB_APP_ID: github.app.id,
  AME_GITHUB_PRIVATE_KEY: github.app.privateKey,
  AME_PUBLIC_URL: 'https://ame.example.com',
});

test('where all is well each line says so, and nothing is left behind', async () => {
  await using s3 = await createFakeS3();
  const { code, out, err } = await ame(['doctor'], { env: { ...good(), ...s3Env(s3.options) } });
  expect([code, err]).toEqual([0, '']);
  expect(out.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^good {3}database {2}Postgres \d+ answers/),
    expect.stringMatching(/^good {3}clock {5}The clock agrees with that of the database$/),
    expect.stringMatching(/^good {3}storage {3}Content can be stored, read and removed in the bucket bucket/),
    expect.stringMatching(/^good {3}github {4}No GitHub App is set/),
  ]);
  expect(s3.objects.size).toBe(0);
});

function s3Env(options: { readonly endpoint: string; readonly bucket: string }): Record<string, string> {
  return {
    AME_S3_ENDPOINT: options.endpoint,
    AME_S3_BUCKET: options.bucket,
    AME_S3_ACCESS_KEY_ID: 'ame',
    AME_S3_SECRET_ACCESS_KEY: 'hunter2-hunter2',
  };
}

const closed = 'http://127.0.0.1:9';

test.each<[string, () => Record<string, string>, Said]>([
  [
    'a database that is away',
    () => ({ DATABASE_URL: 'postgres://ame@127.0.0.1:9/ame' }),
    {
      fault: /^wrong {2}database {2}The database does not let us in: .*ECONNREFUSED/,
      remedy: /DATABASE_URL/,
    },
  ],
  [
    'a store that is away',
    () => s3Env({ endpoint: closed, bucket: 'bucket' }),
    {
      fault: /^wrong {2}storage {3}Content cannot be stored in the bucket bucket/,
      remedy: /AME_S3_ACCESS_KEY_ID/,
    },
  ],
  [
    'a data directory that is a file',
    () => ({ AME_DATA: join(directory, 'file') }),
    { fault: /^wrong {2}storage {3}This user may not write .*file/, remedy: /AME_DATA/ },
  ],
  [
    'a pod without keys of its own',
    () => ({ KUBERNETES_SERVICE_HOST: '10.0.0.1', AME_SECRET_KEY: '' }),
    { fault: /^wrong {2}key {7}AME_SECRET_KEY is not set/, remedy: /openssl rand/ },
  ],
  [
    'a pod without a token',
    () => ({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }),
    { fault: /^wrong {2}key {7}AME_TOKEN is not set/, remedy: /16 or more/ },
  ],
  [
    'a key that is none of the App',
    () => ({ ...app(), AME_GITHUB_PRIVATE_KEY: join(directory, 'file') }),
    {
      fault: /^wrong {2}github {4}AME_GITHUB_PRIVATE_KEY is the path of a file that holds no key/,
      remedy: /path/,
    },
  ],
  [
    'a GitHub that is away',
    () => ({ ...app(), AME_GITHUB_URL: closed }),
    { fault: /^wrong {2}github {4}/, remedy: /AME_GITHUB_URL/ },
  ],
  [
    'an App without the secret of its webhook',
    app,
    { fault: /^wrong {2}github {4}AME knows no webhook secret/, remedy: /AME_GITHUB_WEBHOOK_SECRET/ },
  ],
  [
    'no cluster where one is to be used',
    () => ({ AME_EXECUTOR: 'kubernetes', KUBECONFIG: join(directory, 'missing') }),
    { fault: /^wrong {2}cluster {3}.*missing/, remedy: /KUBECONFIG/ },
  ],
  [
    'an API server that is away',
    () => ({ AME_EXECUTOR: 'kubernetes', KUBECONFIG: join(directory, 'away') }),
    { fault: /^wrong {2}cluster {3}the API server did not answer/, remedy: /127\.0\.0\.1:9/ },
  ],
])('%s is one line with its remedy, and ends with 1', async (_, env, { fault, remedy }) => {
  await writeFile(join(directory, 'file'), 'nothing\n');
  // Also the administrator of a machine may not pass through a file.
  await chmod(join(directory, 'file'), 0o600);
  await writeFile(join(directory, 'away'), kubeconfig(closed));
  const { code, out, err } = await ame(['doctor'], { env: { ...good(), ...env() } });
  expect([code, err]).toEqual([1, '']);
  const line = out.split('\n').find((each) => fault.test(each));
  expect(line, out).toMatch(remedy);
});

function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'a',
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    clusters: [{ name: 'a', cluster: { server } }],
    users: [{ name: 'a', user: { token: 'none' } }],
  });
}

test('a store that refuses the key', async () => {
  await using s3 = await createFakeS3(({ response }) =>
    sendXml(response, 403, '<Error><Code>SignatureDoesNotMatch</Code></Error>'),
  );
  const { code, out } = await ame(['doctor'], { env: { ...good(), ...s3Env(s3.options) } });
  expect(code).toBe(1);
  expect(out).toMatch(
    /^wrong {2}storage {3}Content cannot be stored .*SignatureDoesNotMatch.*AME_S3_ACCESS_KEY_ID/m,
  );
});

test('a role that may not make tables', async () => {
  const role = `narrow_${process.pid}`;
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(`create role ${role} login password 'narrow'`);
    const url = new URL(database.url);
    [url.username, url.password] = [role, 'narrow'];
    const { code, out } = await ame(['doctor'], { env: { ...good(), DATABASE_URL: url.href } });
    expect(code).toBe(1);
    expect(out).toMatch(/^wrong {2}database {2}.*may not create tables there\. Make that role the owner/m);
  } finally {
    await client.query(`drop role ${role}`);
    await client.end();
  }
});

test('a Postgres that is too old', () => {
  const now = new Date();
  expect(
    findingsOf({ major: 14, now, mayCreate: true }, { before: now, theirs: now, after: now }),
  ).toMatchObject([{ ok: false, message: 'The database is Postgres 14; AME needs 15 or newer' }]);
});

test.each([
  [90, "This machine's clock is 90 s ahead of that of the database"],
  [-90, "This machine's clock is 90 s behind that of the database"],
])('a clock that is %s s off', async (seconds, message) => {
  const found: Finding[] = [];
  const exam = {
    config: parseConfig(good()),
    directory: join(directory, 'data'),
    inPod: false,
    clock: () => new Date(Date.now() + seconds * 1_000),
  };
  for await (const finding of examine(exam)) found.push(finding);
  const clock = found.filter(({ what }) => what === 'clock');
  expect(clock).toMatchObject([{ ok: false, message, remedy: expect.stringContaining('NTP') }]);
});

test('a database that no server was ever on is as good', async () => {
  await using empty = await createTestDatabase();
  await query(empty.url, 'drop schema public cascade; drop schema drizzle cascade; create schema public');
  const { code, out } = await ame(['doctor', '--json'], { env: { ...good(), DATABASE_URL: empty.url } });
  expect([code, JSON.parse(out)]).toMatchObject([0, { ok: true }]);
});
