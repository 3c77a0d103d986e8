import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listAttempts } from '../../src/db/attempts.ts';
import { insertDecisions } from '../../src/db/deliveries.ts';
import { listDecisions } from '../../src/db/deliveries.ts';
import { findRun } from '../../src/db/runs.ts';
import { endRun, storeProject, storeRun, type Home } from '../db/connected.ts';
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

describe('a list of runs', () => {
  test('comes in pages without gaps or doubles, also while runs are added', async () => {
    const home = await newProject();
    const name = `project-${projects}`;
    const stored: number[] = [];
    for (let at = 0; at < 7; at += 1) stored.push((await storeRun(opened.ame, home)).id);
    const seen: number[] = [];
    let next: string | null = '';
    while (next !== null) {
      const page: Page = await read<Page>(
        await get(`/runs?project=${name}&limit=3${next === '' ? '' : `&cursor=${next}`}`),
      );
      expect(page.runs.length).toBeLessThanOrEqual(3);
      seen.push(...page.runs.map(({ id }) => id));
      next = page.next;
      await storeRun(opened.ame, home);
    }
    expect(seen).toEqual(stored.toReversed());
  });

  test('ends without a next page where it ends exactly', async () => {
    const home = await newProject();
    await storeRun(opened.ame, home);
    await storeRun(opened.ame, home);
    const name = `project-${projects}`;
    expect((await read<Page>(await get(`/runs?project=${name}&limit=2`))).next).toBeNull();
    expect(await read<Page>(await get(`/runs?project=${name}&limit=2&cursor=1`))).toEqual({
      runs: [],
      next: null,
    });
  });

  test('is narrowed by each filter', async () => {
    const home = await newProject();
    const mine = await storeRun(opened.ame, home, {
      ref: 'refs/heads/side',
      commit: 'ab'.repeat(20),
      task: 'odd',
    });
    const other = await storeRun(opened.ame, home);
    const base = `project=project-${projects}`;
    const idsOf = async (query: string): Promise<number[]> =>
      (await read<Page>(await get(`/runs?${query}`))).runs.map(({ id }) => id);
    expect(await idsOf(base)).toEqual([other.id, mine.id]);
    for (const filter of [
      'ref=side',
      'ref=refs/heads/side',
      `commit=${'ab'.repeat(20)}`,
      'task=odd',
      `number=${mine.number}`,
    ]) {
      expect(await idsOf(`${base}&${filter}`), filter).toEqual([mine.id]);
    }
    expect(await idsOf(`repository=${home.repositoryId}`)).toEqual([other.id, mine.id]);
    expect(await idsOf(`${base}&state=queued`)).toEqual([other.id, mine.id]);
    for (const filter of [
      'state=failed',
      'ref=si',
      'task=ODD',
      'number=99',
      'commit=ab',
      'repository=999999',
    ]) {
      expect(await idsOf(`${base}&${filter}`), filter).toEqual([]);
    }
  });

  test.each([
    'limit=0',
    'limit=201',
    'limit=many',
    'number=0',
    'number=2147483648',
    'number=1e99',
    'repository=99999999999999999999',
    'cursor=x',
    'cursor=-1',
    'cursor=99999999999999999999',
    'state=lost',
    'project=%00',
    'ref=a%00b',
    'commit=%00',
    'task=%00',
    `task=${'x'.repeat(301)}`,
  ])('refuses %s', async (query) => {
    expect(await refusalOf(await get(`/runs?${query}`))).toEqual([422, 'not-valid']);
  });

  test.each(['ref=%ff', 'task=%F0%9F', 'project=%27%3B%20drop%20table%20runs', 'commit=%E2%80%AE'])(
    'finds nothing by %s',
    async (query) => {
      expect(await read<Page>(await get(`/runs?${query}`))).toEqual({ runs: [], next: null });
    },
  );
});

describe('one run', () => {
  test('is told whole', async () => {
    const home = await newProject();
    const run = await storeRun(opened.ame, home);
    await endRun(opened.ame, run.id, 'failed');
    const said = await read<Record<string, unknown>>(await get(`/runs/${run.id}`));
    expect(said).toMatchObject({
      id: run.id,
      number: 1,
      project: `project-${projects}`,
      repository: `ada/project-${projects}`,
      task: 'main',
      state: 'failed',
      class: 'exit',
      url: `http://127.0.0.1:8080/runs/${run.id}`,
      plan: { task: 'main', tasks: [{ name: 'prepare' }, { name: 'train', needs: ['prepare'] }] },
      attempts: [
        { task: 'prepare', number: 1, state: 'failed', class: 'exit' },
        { task: 'train', number: 1, state: 'failed' },
      ],
      checks: [{ runId: run.id, status: 'completed', conclusion: 'failure', told: false }],
    });
    expect(said['transitions']).toMatchObject([
      { from: 'waiting', to: 'failed', cause: 'test' },
      { from: 'waiting', to: 'failed' },
      { attempt: null, from: 'queued', to: 'failed' },
    ]);
  });

  test('says why it exists', async () => {
    const home = await newProject();
    const run = await storeRun(opened.ame, home);
    await insertDecisions(opened.ame.db, [
      {
        ...home,
        trigger: 'push',
        outcome: 'run',
        rule: 'on.push',
        line: 4,
        message: 'Because.',
        runId: run.id,
      },
    ]);
    expect(await read(await get(`/runs/${run.id}/decisions`))).toMatchObject({
      decisions: [{ rule: 'on.push', line: 4, runId: run.id, delivery: null }],
    });
  });

  const paths = ['', '/decisions', '/artifacts'];
  test.each(paths)('that is none is 404 at /runs/{id}%s', async (path) => {
    expect(await refusalOf(await get(`/runs/999999${path}`))).toEqual([404, 'run-unknown']);
    for (const id of ['x', '0', '-1', '1.5', '99999999999999999999', '%00']) {
      expect(await refusalOf(await get(`/runs/${id}${path}`)), id).toEqual([422, 'not-valid']);
    }
  });

  test('that is none cannot be cancelled or tried again', async () => {
    expect(await refusalOf(await post('/runs/999999/cancel'))).toEqual([404, 'run-unknown']);
    expect(await refusalOf(await post('/runs/999999/retry'))).toEqual([404, 'run-unknown']);
  });
});

describe('a cancel', () => {
  test('is a wish, may be said twice, and comes too late for a run that is over', async () => {
    const home = await newProject();
    const run = await storeRun(opened.ame, home);
    const first = await post(`/runs/${run.id}/cancel`);
    expect(first.status).toBe(202);
    const { cancelRequestedAt } = await read<{ cancelRequestedAt: string }>(first);
    expect(cancelRequestedAt).not.toBeNull();
    const second = await post(`/runs/${run.id}/cancel`);
    expect(second.status).toBe(202);
    expect(await read(second)).toMatchObject({ cancelRequestedAt, state: 'queued' });
    await endRun(opened.ame, run.id, 'failed');
    const late = await post(`/runs/${run.id}/cancel`);
    const { name } = (await findRun(opened.ame.db, run.id))?.project ?? {};
    expect(await late.clone().text()).toContain(`"${name}#1 has ended already: failed"`);
    expect(await refusalOf(late)).toEqual([409, 'run-over']);
    expect(await findRun(opened.ame.db, run.id)).toMatchObject({ cancelReason: 'cancel', state: 'failed' });
  });
});

describe('a retry', () => {
  test('takes over what succeeded, waits for nobody twice, and is decided once', async () => {
    const { db } = opened.ame;
    const home = await newProject();
    const run = await storeRun(opened.ame, home);
    const early = await post(`/runs/${run.id}/retry`);
    expect(await early.clone().text()).toMatch(/"[\w.-]+#1 has not ended yet"/);
    expect(await refusalOf(early)).toEqual([409, 'run-active']);
    await endRun(opened.ame, run.id, 'failed');
    // All of them come to the lock of the project before the first may go on.
    const holder = await db.pool.connect();
    await holder.query('begin');
    await holder.query('select from projects where id = $1 for update', [home.projectId]);
    const asking = Promise.all([1, 2, 3, 4].map(() => post(`/runs/${run.id}/retry`)));
    for (;;) {
      const { rows } = await holder.query(`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`);
      if (rows.length === 4) break;
      // One look of a transaction sees the same for ever otherwise.
      await holder.query('select pg_stat_clear_snapshot()');
    }
    await holder.query('rollback');
    holder.release();
    const answers = await asking;
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 201]);
    const ids = new Set(await Promise.all(answers.map(async (answer) => (await read<Run>(answer)).id)));
    expect(ids.size).toBe(1);
    const [retry = 0] = ids;
    expect(await findRun(db, retry)).toMatchObject({
      trigger: 'retry',
      retryOf: run.id,
      state: 'queued',
      number: 2,
    });
    expect(await listDecisions(db, { run: retry })).toHaveLength(1);
    expect((await post(`/runs/${run.id}/retry`)).status).toBe(200);
    await endRun(opened.ame, retry, 'succeeded');
    expect(await refusalOf(await post(`/runs/${retry}/retry`))).toEqual([409, 'run-succeeded']);
  });

  test('of a retry is one more of the first run', async () => {
    const home = await newProject();
    const run = await storeRun(opened.ame, home);
    await endRun(opened.ame, run.id, 'failed');
    const second = await read<Run>(await post(`/runs/${run.id}/retry`));
    await endRun(opened.ame, second.id, 'failed');
    const third = await post(`/runs/${second.id}/retry`);
    expect(third.status).toBe(201);
    expect(await read(third)).toMatchObject({ number: 3, retryOf: run.id });
  });

  test('keeps attempts that succeeded, with where they came from', async () => {
    const { db } = opened.ame;
    const home = await newProject();
    const run = await storeRun(opened.ame, home);
    const [first] = await listAttempts(db, run.id);
    await db.pool.query(
      `update attempts set state = 'succeeded', class = 'succeeded', finished_at = now(), output = 'root' where id = $1`,
      [first?.id],
    );
    await endRun(opened.ame, run.id, 'failed');
    const retry = await read<Run>(await post(`/runs/${run.id}/retry`));
    expect(await listAttempts(db, retry.id)).toMatchObject([
      { task: 'prepare', state: 'succeeded', reusedFrom: first?.id, output: 'root', number: 1 },
      { task: 'train', state: 'waiting', reusedFrom: null, number: 1 },
    ]);
  });
});

test('every route of runs was judged by its description', async () => {
  expect(await refusalOf(await post('/runs', { json: { project: 'nobody' } }))).toEqual([
    404,
    'project-unknown',
  ]);
  const described = Object.entries(api.description.paths).flatMap(([path, operations]) =>
    path.startsWith('/api/v1/runs') && !path.endsWith('/artifacts')
      ? Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`)
      : [],
  );
  expect(described.length).toBeGreaterThan(4);
  expect(described.filter((operation) => !api.asked.has(operation))).toEqual([]);
});
