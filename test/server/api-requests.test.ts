import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findRepository, saveDefaultBranch } from '../../src/db/repositories.ts';
import { createRepository } from '../../src/git/host.ts';
import { storeProject, type Home } from '../db/connected.ts';
import { git } from '../git/real-git.ts';
import { openTestAme, read, refusalOf, type Asking, type TestAme } from './ame.ts';
import { describeApi, type Described } from './described.ts';

type Run = {
  id: number;
  number: number;
  state: string;
  task: string;
  commit: string;
  ref: string;
  trigger: string;
};
type Page = { runs: Run[]; next: string | null };

let opened: TestAme;
let api: Described;

beforeAll(async () => {
  opened = await openTestAme();
  api = await describeApi(opened);
});

afterAll(() => opened.close());

let projects = 0;
function newProject(): Promise<Home> {
  projects += 1;
  return storeProject(opened.ame, `project-${projects}`);
}

const v1 = '/api/v1';
const post = (path: string, init: Asking = {}): Promise<Response> =>
  api.ask(`${v1}${path}`, { method: 'POST', ...init });
const get = (path: string): Promise<Response> => api.ask(`${v1}${path}`);

describe('a request for a run', () => {
  let home: Home;
  let project: string;
  let commit: string;
  let broken: string;
  let work: string;

  beforeAll(async () => {
    home = await newProject();
    project = `project-${projects}`;
    const repository = await findRepository(opened.ame.db, home.repositoryId);
    if (!repository) throw new Error('no repository');
    const directory = opened.ame.directoryOf(repository);
    await createRepository(directory);
    work = await mkdtemp(join(tmpdir(), 'ame-test-request-'));
    await git(work, 'init', '--quiet', '--initial-branch=main');
    const commitFile = async (content: string): Promise<string> => {
      await writeFile(join(work, 'ame.yaml'), content);
      await git(work, 'add', '--all');
      await git(work, 'commit', '--quiet', '-m', 'change');
      return git(work, 'rev-parse', 'HEAD');
    };
    broken = await commitFile('projectname: spam\ntasks: {}\nfoo: 1\n');
    await git(work, 'push', '--quiet', directory, 'HEAD:refs/heads/broken');
    commit = await commitFile('projectname: spam\ntasks:\n  main: python a.py\n  odd: python b.py\n');
    await git(work, 'push', '--quiet', directory, 'HEAD:refs/heads/main');
    await git(work, 'rm', '--quiet', 'ame.yaml');
    await git(work, 'commit', '--quiet', '-m', 'gone');
    await git(work, 'push', '--quiet', directory, 'HEAD:refs/heads/empty');
    await saveDefaultBranch(opened.ame.db, home.repositoryId, 'main');
  });

  afterAll(() => rm(work, { recursive: true, force: true }));

  test('makes one of the default branch and the default task, or of what it names', async () => {
    const answer = await post('/runs', { json: { project } });
    expect(answer.status).toBe(201);
    expect(await read(answer)).toMatchObject({
      task: 'main',
      commit,
      ref: 'refs/heads/main',
      trigger: 'request',
    });
    const byId = await post('/runs', { json: { project: String(home.projectId), task: 'odd', ref: commit } });
    expect(await read(byId)).toMatchObject({ task: 'odd', commit, ref: commit });
    const byDigits = await post('/runs', { json: { project, task: 'odd', ref: commit.slice(0, 7) } });
    expect(await read(byDigits)).toMatchObject({ task: 'odd', commit, ref: commit });
    const { decisions } = await read<{ decisions: unknown[] }>(
      await get(
        `/runs/${(await read<Page>(await get(`/runs?project=${project}&limit=1`))).runs[0]?.id ?? 0}/decisions`,
      ),
    );
    expect(decisions).toMatchObject([{ trigger: 'request', task: 'odd', outcome: 'run', line: 4 }]);
  });

  test('with one key makes one run, however often and at the same time', async () => {
    const ask = (key: string): Promise<Response> =>
      post('/runs', { json: { project }, headers: { 'idempotency-key': key } });
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => ask('one')));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 200, 201]);
    const runs = await Promise.all(answers.map((answer) => read<Run>(answer)));
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
    expect((await ask('two')).status).toBe(201);
    expect((await post('/runs', { json: { project } })).status).toBe(201);
    expect((await post('/runs', { json: { project } })).status).toBe(201);
  });

  test.each<readonly [unknown, number, string]>([
    [{ project: 'nobody' }, 404, 'project-unknown'],
    [{ project: '' }, 404, 'project-unknown'],
    [{ project: '\0' }, 422, 'not-valid'],
    [{ ref: 'nowhere' }, 404, 'ref-unknown'],
    [{ ref: 'f'.repeat(40) }, 404, 'ref-unknown'],
    [{ ref: '--upload-pack=touch x' }, 404, 'ref-unknown'],
    [{ ref: 'main~1' }, 404, 'ref-unknown'],
    [{ ref: '../../etc' }, 404, 'ref-unknown'],
    [{ ref: 'a\0b' }, 422, 'not-valid'],
    [{ ref: '' }, 404, 'ref-unknown'],
    [{ ref: 'empty' }, 422, 'file-absent'],
    [{ ref: 'broken' }, 422, 'file-invalid'],
    [{ task: 'nothing' }, 422, 'task-unknown'],
    [{ task: '__proto__' }, 422, 'task-unknown'],
    [{ task: 7 }, 422, 'not-valid'],
    [{ project: null }, 422, 'not-valid'],
    [[], 422, 'not-valid'],
    ['text', 422, 'not-valid'],
  ])('of %j is refused', async (change, status, code) => {
    const json =
      typeof change === 'object' && change !== null && !Array.isArray(change)
        ? { project, ...change }
        : change;
    expect(await refusalOf(await post('/runs', { json }))).toEqual([status, code]);
    expect(broken).not.toBe(commit);
  });

  test('for a name that two projects have is answered with their ids', async () => {
    const other = await storeProject(opened.ame, 'twin');
    await opened.ame.db.pool.query(`update projects set name = 'twin' where id = $1`, [home.projectId]);
    const answer = await post('/runs', { json: { project: 'twin' } });
    expect(answer.status).toBe(409);
    const text = await answer.text();
    expect(text).toContain(`${home.projectId} in ada/${project}`);
    expect(text).toContain(`${other.projectId} in ada/twin`);
    await opened.ame.db.pool.query('update projects set name = $2 where id = $1', [home.projectId, project]);
  });

  test.each<readonly [string, Asking, number]>([
    ['broken JSON', { body: '{"project":', headers: { 'content-type': 'application/json' } }, 400],
    [
      'a form',
      { body: 'project=spam', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
    ],
    ['nothing', { headers: { 'content-type': 'application/json' } }, 400],
    ['an empty key', { json: { project: 'x' }, headers: { 'idempotency-key': '' } }, 422],
    ['a long key', { json: { project: 'x' }, headers: { 'idempotency-key': 'k'.repeat(201) } }, 422],
    [
      'too much',
      { json: { project: 'x'.repeat(1024 * 1024) }, headers: { 'content-length': '1048600' } },
      413,
    ],
  ])('with %s is refused in the one form', async (_, init, status) => {
    expect((await refusalOf(await opened.ask(`${v1}/runs`, { method: 'POST', ...init })))[0]).toBe(status);
  });
});
