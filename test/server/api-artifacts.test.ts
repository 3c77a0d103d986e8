import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertRetries, listAttempts } from '../../src/db/attempts.ts';
import { insertArtifacts, insertBlobs } from '../../src/db/blobs.ts';
import { storeProject, storeRun, type Home } from '../db/connected.ts';
import { openTestAme, read, refusalOf, type TestAme } from './ame.ts';
import { describeApi, type Described } from './described.ts';

type Artifact = {
  id: number;
  attemptId: number;
  task: string;
  path: string;
  size: number;
  digest: string;
  url: string;
};

let opened: TestAme;
let api: Described;
let home: Home;

beforeAll(async () => {
  opened = await openTestAme();
  api = await describeApi(opened);
  home = await storeProject(opened.ame);
});

afterAll(() => opened.close());

/** What an attempt left: content by path. */
async function leave(attempt: number, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const { db, storage } = opened.ame;
  const rows = Object.entries(files).map(([path, content]) => ({
    path,
    content,
    digest: createHash('sha256').update(content).digest('hex'),
    size: content.byteLength,
    mode: 0o644,
  }));
  for (const { digest, content } of rows)
    await storage.write(digest, ReadableStream.from([new Uint8Array(content)]));
  await insertBlobs(db, home.repositoryId, rows);
  await insertArtifacts(db, attempt, rows);
}

async function listed(run: number): Promise<readonly Artifact[]> {
  return (await read<{ artifacts: Artifact[] }>(await api.ask(`/api/v1/runs/${run}/artifacts`))).artifacts;
}

const content = Buffer.from(Array.from({ length: 1_000 }, (_, at) => at % 251));

/** Names that break a header, a path or a page when they are not taken for what they are. */
const names = [
  'model.bin',
  'out/with space.csv',
  'quote".txt',
  "it's (1)*.txt",
  'new\nline\r\nX-Injected: yes.txt',
  'ærø 🌬.txt',
  '<script>alert(1)</script>.html',
  '..%2f..%2fetc.txt',
  'a;b=c.txt',
  'back\\slash.txt',
  'tail/',
] as const;

test('are listed and got, whatever their names', async () => {
  const run = await storeRun(opened.ame, home);
  const [attempt] = await listAttempts(opened.ame.db, run.id);
  await leave(attempt?.id ?? 0, Object.fromEntries(names.map((name) => [name, content])));
  const artifacts = await listed(run.id);
  expect(artifacts.map(({ path }) => path).sort()).toEqual([...names].sort());
  for (const artifact of artifacts) {
    expect(artifact).toMatchObject({ task: 'prepare', size: 1_000, attemptId: attempt?.id });
    expect(artifact.url).toBe(`http://127.0.0.1:8080/api/v1/artifacts/${artifact.id}/content`);
    const answer = await api.ask(new URL(artifact.url).pathname);
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '1000',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
      etag: `"${artifact.digest}"`,
    });
    expect(answer.headers.has('x-injected')).toBe(false);
    const disposition = answer.headers.get('content-disposition') ?? '';
    const name = /^attachment; filename\*=UTF-8''([A-Za-z0-9%._~!-]*)$/.exec(disposition)?.[1];
    expect(decodeURIComponent(name ?? '?')).toBe(artifact.path.split('/').at(-1));
    expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true);
  }
});

test('are got in parts, and an empty one too', async () => {
  const run = await storeRun(opened.ame, home);
  const [attempt] = await listAttempts(opened.ame.db, run.id);
  await leave(attempt?.id ?? 0, { 'a.bin': content, 'b.empty': new Uint8Array() });
  const [full, empty] = await listed(run.id);
  const path = `/api/v1/artifacts/${full?.id}/content`;
  for (const [range, from, to] of [
    ['bytes=0-0', 0, 1],
    ['bytes=10-19', 10, 20],
    ['bytes=990-5000', 990, 1_000],
    ['bytes=-5', 995, 1_000],
    ['bytes=999-', 999, 1_000],
  ] as const) {
    const answer = await api.ask(path, { headers: { range } });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([
      206,
      `bytes ${from}-${to - 1}/1000`,
    ]);
    expect(answer.headers.get('content-length')).toBe(String(to - from));
    expect(Buffer.from(await answer.arrayBuffer()).equals(content.subarray(from, to))).toBe(true);
  }
  const beyond = await api.ask(path, { headers: { range: 'bytes=1000-' } });
  expect(beyond.headers.get('content-range')).toBe('bytes */1000');
  expect(await refusalOf(beyond)).toEqual([416, 'range']);
  const nothing = await api.ask(`/api/v1/artifacts/${empty?.id}/content`);
  expect([nothing.status, await nothing.text(), nothing.headers.get('content-length')]).toEqual([
    200,
    '',
    '0',
  ]);
  const head = await opened.ask(path, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '1000', '']);
});

test('are those of the last attempt of each task, in the order of the plan', async () => {
  const { db } = opened.ame;
  const run = await storeRun(opened.ame, home);
  const [prepare, train] = await listAttempts(db, run.id);
  if (!prepare || !train) throw new Error('no attempts');
  await leave(train.id, { 'z.txt': content });
  await leave(prepare.id, { 'old.txt': content });
  await insertRetries(db, run.id, [
    { task: 'prepare', position: 0, number: 2, notBefore: new Date(), resources: null },
  ]);
  const again = (await listAttempts(db, run.id)).find(({ number }) => number === 2);
  await leave(again?.id ?? 0, { 'new.txt': content, 'also.txt': content });
  expect((await listed(run.id)).map(({ task, path }) => `${task}: ${path}`)).toEqual([
    'prepare: also.txt',
    'prepare: new.txt',
    'train: z.txt',
  ]);
});

test('that are none are 404', async () => {
  for (const id of ['999999', '0', 'x', '-1', '99999999999999999999', '1%00', '..%2f1']) {
    expect(await refusalOf(await api.ask(`/api/v1/artifacts/${id}/content`))).toEqual([
      404,
      'artifact-unknown',
    ]);
  }
});
