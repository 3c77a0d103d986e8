import { afterAll, beforeAll, expect, test } from 'vitest';
import { saveCheck } from '../../src/db/checks.ts';
import { insertDecisions, insertDeliveries } from '../../src/db/deliveries.ts';
import { claim } from '../../src/db/due.ts';
import { insertRevision } from '../../src/db/projects.ts';
import { findRun } from '../../src/db/runs.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { storeProject, storeRun, type Home } from '../db/connected.ts';
import { openTestAme, read, refusalOf, type TestAme } from './ame.ts';
import { describeApi, type Described } from './described.ts';

let opened: TestAme;
let api: Described;
let home: Home;
let now = new Date('2026-05-01T12:00:00Z');

beforeAll(async () => {
  opened = await openTestAme({ clock: () => now });
  api = await describeApi(opened);
  home = await storeProject(opened.ame);
});

afterAll(() => opened.close());

const v1 = '/api/v1';
type Page = { deliveries: { id: string }[]; next: string | null };

function arrive(...ids: readonly string[]): Promise<void> {
  const rows = ids.map((id) => ({
    id,
    host: 'local' as const,
    event: 'push',
    body: Buffer.from('{"private": "words"}'),
    push: {
      repositoryId: home.repositoryId,
      ref: 'refs/heads/main',
      before: '0'.repeat(40),
      after: 'a'.repeat(40),
    },
  }));
  return insertDeliveries(opened.ame.db, rows);
}

test('deliveries come in pages without gaps or doubles, also those of one instant, and while others arrive', async () => {
  await arrive('d-1', 'd-2', 'd-3');
  now = new Date(now.getTime() + 1);
  await arrive('d-0', 'd-4');
  const seen: string[] = [];
  let next: string | null = '';
  for (let page = 0; next !== null; page += 1) {
    const said: Page = await read<Page>(
      await api.ask(`${v1}/deliveries?limit=2${next === '' ? '' : `&cursor=${next}`}`),
    );
    seen.push(...said.deliveries.map(({ id }) => id));
    next = said.next;
    now = new Date(now.getTime() + 1);
    await arrive(`later-${page}`);
  }
  expect(seen).toEqual(['d-4', 'd-0', 'd-3', 'd-2', 'd-1']);
});

test.each(['cursor=nowhere', 'cursor=%00', 'limit=0', `cursor=${'x'.repeat(301)}`])(
  'a page by %s is refused',
  async (query) => {
    const [status] = await refusalOf(await api.ask(`${v1}/deliveries?${query}`));
    expect(status).toBe(422);
  },
);

test('a delivery is told with its decisions, and not with its body', async () => {
  await arrive('told');
  await insertDecisions(opened.ame.db, [
    {
      ...home,
      deliveryId: 'told',
      commit: 'a'.repeat(40),
      trigger: 'push',
      outcome: 'no_run',
      rule: 'on.push.branches',
      line: 3,
      message: 'main is not among the branches.',
      remedy: 'branches: [main]',
    },
  ]);
  const answer = await api.ask(`${v1}/deliveries/told`);
  const text = await answer.clone().text();
  expect(text).not.toContain('private');
  expect(await read(answer)).toMatchObject({
    id: 'told',
    host: 'local',
    repositoryId: home.repositoryId,
    ref: 'refs/heads/main',
    outcome: null,
    failures: 0,
    decisions: [
      { outcome: 'no_run', rule: 'on.push.branches', line: 3, remedy: 'branches: [main]', runId: null },
    ],
  });
});

test('a delivery that is none is 404', async () => {
  for (const id of ['nothing', '1', '%E2%80%AE', '%27%3B--']) {
    expect(await refusalOf(await api.ask(`${v1}/deliveries/${id}`))).toEqual([404, 'delivery-unknown']);
  }
  expect(await refusalOf(await api.ask(`${v1}/deliveries/%00`))).toEqual([422, 'not-valid']);
});

test('the answer of a commit is its problems, its decisions and its checks', async () => {
  const { db } = opened.ame;
  const commit = 'c'.repeat(40);
  const read1 = parseProjectFile('projectname: spam\ntask: {}\n');
  await insertRevision(db, { projectId: home.projectId, commit, fileDigest: 'f', ...read1 });
  const run = await storeRun(opened.ame, home, { commit });
  await insertDecisions(db, [
    { ...home, commit, trigger: 'push', outcome: 'problems', rule: 'file-invalid', message: 'No.' },
  ]);
  const says = {
    name: 'ame.yaml',
    status: 'completed',
    conclusion: 'failure',
    title: 'Two errors',
    summary: '',
    text: '',
    annotations: [
      { path: 'ame.yaml', line: 2, column: 1, level: 'failure', title: 'key-unknown', message: 'task' },
    ],
    lines: ['ame.yaml:2:1: error'],
    externalId: `file:1:${commit}`,
    url: null,
  } as const;
  await saveCheck(db, { repositoryId: home.repositoryId, sha: commit, runId: null, says });
  await saveCheck(db, {
    repositoryId: home.repositoryId,
    sha: commit,
    runId: run.id,
    says: { ...says, name: 'main' },
  });
  const said = await read<{ problems: unknown[] }>(await api.ask(`${v1}/commits/${commit}`));
  expect(said.problems).toEqual(read1.problems);
  expect(said).toMatchObject({
    decisions: [{ outcome: 'problems', rule: 'file-invalid' }],
    checks: [
      { name: 'ame.yaml', runId: null, conclusion: 'failure', told: false, annotations: [{ line: 2 }] },
      { name: 'main', runId: run.id },
    ],
  });
  expect(await refusalOf(await api.ask(`${v1}/commits/${'d'.repeat(40)}`))).toEqual([404, 'commit-unknown']);
  for (const sha of ['c', 'C'.repeat(40), 'c'.repeat(41), 'HEAD', '%00']) {
    expect(await refusalOf(await api.ask(`${v1}/commits/${sha}`))).toEqual([422, 'not-valid']);
  }
});

test('a commit whose push is not decided yet is answered with what keeps it back', async () => {
  const { db } = opened.ame;
  const sha = 'e'.repeat(40);
  const come = (id: string, after = sha): Promise<void> =>
    insertDeliveries(db, [
      {
        id,
        host: 'local',
        event: 'push',
        body: Buffer.from('private'),
        push: { repositoryId: home.repositoryId, ref: 'refs/heads/main', before: '0'.repeat(40), after },
      },
    ]);
  const receivedAt = now.toISOString();
  await come('failing');
  await come('given-up');
  await come('fresh');
  await come('elsewhere', 'f'.repeat(40));
  const fail = (id: string, failures: number): Promise<unknown> =>
    db.pool.query(
      `update deliveries set failures = $2, postponed = 1, last_error = 'Error: no luck', due_at = $3 where id = $1`,
      [id, failures, new Date(now.getTime() + 60_000)],
    );
  await fail('failing', 3);
  await fail('given-up', 20);
  const nextTryAt = new Date(now.getTime() + 60_000).toISOString();
  const expected = [
    { id: 'failing', receivedAt, failures: 3, postponed: 1, lastError: 'Error: no luck', nextTryAt },
    { id: 'fresh', receivedAt, failures: 0, postponed: 0, lastError: null, nextTryAt: receivedAt },
    { id: 'given-up', receivedAt, failures: 20, postponed: 1, lastError: 'Error: no luck', nextTryAt: null },
  ].map((one) => ({ ...one, outcome: null, after: sha }));
  const answer = await api.ask(`${v1}/commits/${sha}`);
  expect(await answer.clone().text()).not.toContain('private');
  expect(await read(answer)).toMatchObject({ problems: [], decisions: [], checks: [], deliveries: expected });
  for (const one of expected)
    expect(await read(await api.ask(`${v1}/deliveries/${one.id}`))).toMatchObject(one);
  const page = await (await opened.ask(`/commits/${sha}`)).text();
  expect(page).toMatch(/Not decided yet <small>3 pushes</);
  expect(page).toMatch(/failed 3 times, postponed 1 time\./);
  await db.pool.query(
    `update deliveries set outcome = 'decided', decided_at = $1, due_at = null where after = $2`,
    [now, sha],
  );
  expect(await refusalOf(await api.ask(`${v1}/commits/${sha}`))).toEqual([404, 'commit-unknown']);
});

test('a parked row is shown and released by hand', async () => {
  const { db } = opened.ame;
  const run = await storeRun(opened.ame, home);
  await arrive('stuck');
  const park = (table: string, id: string | number): Promise<unknown> =>
    db.pool.query(`update ${table} set failures = 20, last_error = 'Error: no luck' where id = $1`, [id]);
  await park('runs', run.id);
  await park('deliveries', 'stuck');
  await park('repositories', home.repositoryId);
  const { parked } = await read<{ parked: { queue: string }[] }>(await api.ask(`${v1}/parked`));
  expect(parked.toSorted((a, b) => a.queue.localeCompare(b.queue))).toEqual([
    { queue: 'deliveries', id: 'stuck', failures: 20, error: 'Error: no luck' },
    { queue: 'repositories', id: String(home.repositoryId), failures: 20, error: 'Error: no luck' },
    { queue: 'runs', id: String(run.id), failures: 20, error: 'Error: no luck' },
  ]);
  const release = (queue: string, id: string | number): Promise<Response> =>
    api.ask(`${v1}/parked/${queue}/${id}/release`, { method: 'POST' });
  expect(await read(await release('runs', run.id))).toEqual({ released: true });
  expect(await refusalOf(await release('runs', run.id))).toEqual([404, 'not-parked']);
  expect(await findRun(db, run.id)).toMatchObject({ failures: 0, dueAt: now });
  expect(await release('deliveries', 'stuck')).toMatchObject({ status: 200 });
  const claims = await claim(db, 'deliveries', { worker: 1, limit: 100, leaseSeconds: 60 });
  expect(claims.map(({ id }) => id)).toContain('stuck');
  for (const [queue, id] of [
    ['runs', 'x'],
    ['runs', '1 or 1=1'],
    ['deliveries', 'nothing'],
    ['checks', '1'],
  ] as const) {
    expect(await refusalOf(await release(queue, encodeURIComponent(id)))).toEqual([404, 'not-parked']);
  }
  expect(await refusalOf(await release('users', 1))).toEqual([422, 'not-valid']);
  expect(await refusalOf(await release('runs', '%00'))).toEqual([422, 'not-valid']);
});
