import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertRevision, saveCurrentRevision } from '../../src/db/projects.ts';
import { saveDefaultBranch } from '../../src/db/repositories.ts';
import { readSecrets } from '../../src/db/secrets.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { storeProject, type Home } from '../db/connected.ts';
import { openTestAme, read, refusalOf, type TestAme } from './ame.ts';
import { describeApi, type Described } from './described.ts';

let opened: TestAme;
let api: Described;
let home: Home;

beforeAll(async () => {
  opened = await openTestAme();
  api = await describeApi(opened);
  home = await storeProject(opened.ame);
  await storeProject(opened.ame, 'other');
});

afterAll(() => opened.close());

const v1 = '/api/v1';
const put = (path: string, json: unknown): Promise<Response> =>
  api.ask(`${v1}${path}`, { method: 'PUT', json });

test('projects are listed by name', async () => {
  await saveDefaultBranch(opened.ame.db, home.repositoryId, 'trunk');
  expect(await read(await api.ask(`${v1}/projects`))).toMatchObject({
    projects: [
      { name: 'other', defaultBranch: null },
      {
        id: home.projectId,
        name: 'spam',
        path: '',
        repository: 'ada/spam',
        defaultBranch: 'trunk',
        lastNumber: 0,
      },
    ],
  });
});

test('the problems of a project are those of its default branch', async () => {
  const { db } = opened.ame;
  const path = `${v1}/projects/spam/problems`;
  expect(await read(await api.ask(path))).toEqual({ commit: null, problems: [] });
  const file = parseProjectFile('name: spam\ntasks: {main: python a.py}\n');
  expect(file.problems.length).toBeGreaterThan(0);
  const row = { projectId: home.projectId, commit: 'a'.repeat(40), fileDigest: 'f', ...file };
  await saveCurrentRevision(db, home.projectId, (await insertRevision(db, row)).id);
  const said = { commit: 'a'.repeat(40), problems: file.problems };
  expect(await read(await api.ask(path))).toEqual(said);
  expect(await read(await api.ask(`${v1}/projects/${home.projectId}/problems`))).toEqual(said);
});

test('a secret is set, listed by name and deleted, and its value never comes back', async () => {
  const value = 'a value \u{1F511} that nobody reads';
  const texts: string[] = [];
  const say = async (answer: Response): Promise<number> => {
    texts.push(await answer.text(), JSON.stringify([...answer.headers]));
    return answer.status;
  };
  expect(await say(await put('/projects/spam/secrets/storage.key-1', { value: 'first value' }))).toBe(200);
  expect(await say(await put('/projects/spam/secrets/storage.key-1', { value }))).toBe(200);
  expect(await say(await api.ask(`${v1}/projects/spam/secrets`))).toBe(200);
  expect(await say(await api.ask(`${v1}/projects`))).toBe(200);
  expect(await say(await opened.ask(`${v1}/projects/spam/secrets/storage.key-1`))).toBe(404);
  expect(texts.join('\n')).toContain('storage.key-1');
  expect(texts.join('\n')).not.toContain('nobody reads');
  const { db, secretKey } = opened.ame;
  const names = ['storage.key-1'];
  expect(await readSecrets(db, secretKey, home.projectId, names)).toEqual(
    new Map([['storage.key-1', value]]),
  );
  expect((await api.ask(`${v1}/projects/spam/secrets/storage.key-1`, { method: 'DELETE' })).status).toBe(200);
  expect(await readSecrets(db, secretKey, home.projectId, names)).toEqual(new Map());
  const again = await api.ask(`${v1}/projects/spam/secrets/storage.key-1`, { method: 'DELETE' });
  expect(await refusalOf(again)).toEqual([404, 'secret-unknown']);
});

test.each<readonly [string, unknown, string]>([
  ['key', { value: '12345' }, 'secret-short'],
  ['key', { value: '' }, 'secret-short'],
  ['key', { value: 'x'.repeat(64 * 1024 + 1) }, 'secret-value'],
  ['key', { value: 'ø'.repeat(32 * 1024 + 1) }, 'secret-value'],
  ['key', { value: 'before\0after' }, 'secret-value'],
  ['key', { value: 123456 }, 'not-valid'],
  ['key', {}, 'not-valid'],
  ['.key', { value: 'long enough' }, 'not-valid'],
  ['a%2Fb', { value: 'long enough' }, 'not-valid'],
  ['k'.repeat(64), { value: 'long enough' }, 'not-valid'],
  ['%00', { value: 'long enough' }, 'not-valid'],
])('a secret %s with %j is refused', async (name, json, code) => {
  expect(await refusalOf(await put(`/projects/spam/secrets/${name}`, json))).toEqual([422, code]);
});

test('a secret may be as long as an environment holds', async () => {
  expect((await put('/projects/spam/secrets/long', { value: 'x'.repeat(64 * 1024) })).status).toBe(200);
  expect((await put('/projects/spam/secrets/short', { value: '123456' })).status).toBe(200);
});

test('a project that is none is 404 everywhere', async () => {
  for (const name of ['nobody', '999999', '%00', '..', '%27']) {
    const answers = [
      await api.ask(`${v1}/projects/${name}/problems`),
      await api.ask(`${v1}/projects/${name}/secrets`),
      await put(`/projects/${name}/secrets/key`, { value: 'long enough' }),
      await api.ask(`${v1}/projects/${name}/secrets/key`, { method: 'DELETE' }),
    ];
    for (const answer of answers) expect((await refusalOf(answer))[0], name).toBe(404);
  }
});
