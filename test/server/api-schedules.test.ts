import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { insertDecisions } from '../../src/db/deliveries.ts';
import { pauseSchedule, saveSchedules } from '../../src/db/schedules.ts';
import { listSchedules } from '../../src/db/schedule-list.ts';
import { storeProject, storeRun } from '../db/connected.ts';
import { openTestAme, read, refusalOf, type TestAme } from './ame.ts';
import { describeApi, type Described } from './described.ts';

type Page = {
  readonly schedules: readonly { readonly name: string; readonly project: string }[];
  readonly next: string | null;
};

let opened: TestAme;
let api: Described;
beforeAll(async () => {
  opened = await openTestAme();
  api = await describeApi(opened);
});
afterAll(() => opened.close());

/** A project with so many schedules, each of which has run once. */
async function store(name: string, count: number): Promise<void> {
  const home = await storeProject(opened.ame, name);
  const names = Array.from({ length: count }, (_, at) => `s${at}`);
  const lines = names.map((each) => `  ${each}: {taskref: main, schedule: "@daily"}\n`).join('');
  const file = `projectname: ${name}\ntasks: {main: echo}\nrecurring_tasks:\n${lines}`;
  const { project } = parseProjectFile(Buffer.from(file));
  await saveSchedules(opened.ame.db, home.projectId, project?.recurringTasks ?? []);
  const { id: runId } = await storeRun(opened.ame, home);
  const tick = { trigger: 'tick', task: 'main', tickAt: new Date(0), ticks: 1, rule: 'tick', message: '' };
  await insertDecisions(
    opened.ame.db,
    names.map((schedule) => ({ ...tick, projectId: home.projectId, schedule, outcome: 'run', runId })),
  );
}

async function pages(query: string): Promise<readonly Page[]> {
  const found: Page[] = [];
  for (let next: string | null = ''; next !== null; next = found.at(-1)?.next ?? null) {
    const cursor = next === '' ? '' : `&cursor=${next}`;
    found.push(await read<Page>(await api.ask(`/api/v1/schedules?${query}${cursor}`)));
  }
  return found;
}

/** How often the work asks the database. */
async function queriesOf(work: () => Promise<unknown>): Promise<number> {
  const { pool } = opened.ame.db;
  let count = 0;
  const onAcquire = (): void => void (count += 1);
  pool.on('acquire', onAcquire);
  await work();
  pool.off('acquire', onAcquire);
  return count;
}

test('schedules come in pages, by project and name, and cost no more queries where there are more', async () => {
  await store('ants', 2);
  const list = () => api.ask('/api/v1/schedules?limit=200');
  const home = () => opened.ask('/');
  // The first time something is kept that is not asked for again.
  await home();
  const before = { list: await queriesOf(list), home: await queriesOf(home) };
  await store('bees', 70);
  expect(await queriesOf(list)).toBe(before.list);
  expect(await queriesOf(home)).toBe(before.home);

  const found = await pages('limit=30');
  expect(found.map(({ schedules }) => schedules.length)).toEqual([30, 30, 12]);
  const names = found.flatMap(({ schedules }) => schedules.map(({ project, name }) => `${project} ${name}`));
  expect(new Set(names).size).toBe(72);
  expect(names.slice(0, 3)).toEqual(['ants s0', 'ants s1', 'bees s0']);
  expect((await pages('project=bees&limit=70')).map(({ schedules }) => schedules.length)).toEqual([70]);
  const page = await (await home()).text();
  expect(page).toContain('<small>72</small>');
  expect(page).toContain('…and 22 more schedules');
});

test('a page begins where the one before ended, also where its last one has gone since', async () => {
  await store('wasps', 5);
  const first = await read<Page>(await api.ask('/api/v1/schedules?project=wasps&limit=2'));
  const rows = await listSchedules(opened.ame.db, { projectName: 'wasps' }, { limit: 10 });
  const gone = rows.find(({ name }) => name === 's1');
  await pauseSchedule(opened.ame.db, gone?.id ?? 0);
  await saveSchedules(opened.ame.db, gone?.projectId ?? 0, []);
  expect(await pages('project=wasps')).toEqual([{ schedules: [], next: null }]);
  const after = await read<Page>(
    await api.ask(`/api/v1/schedules?project=wasps&limit=2&cursor=${first.next}`),
  );
  expect(after).toEqual({ schedules: [], next: null });
});

test('a cursor that is none is refused, and one thing there is not is told with what there is', async () => {
  for (const cursor of ['x', 'bnVsbA', Buffer.from('["a",1,"\\u0000"]').toString('base64url')])
    expect(await refusalOf(await api.ask(`/api/v1/schedules?cursor=${cursor}`))).toEqual([422, 'cursor']);
  const answer = await api.ask('/api/v1/projects/bees/schedules/none');
  expect(await answer.text()).toMatch(/it has s0, s1, s10, s11, s12, s13, s14, s15, s16, s17\b/);
});
