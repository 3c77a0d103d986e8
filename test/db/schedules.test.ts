import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql } from 'drizzle-orm';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { claim, wake } from '../../src/db/due.ts';
import { listSchedules } from '../../src/db/schedule-list.ts';
import { saveSchedules } from '../../src/db/schedules.ts';
import { postponeTicks } from '../../src/db/ticks.ts';
import { connectTestDatabase, storeProject, type Connected } from './connected.ts';

let connected: Connected;
beforeAll(async () => {
  connected = await connectTestDatabase();
});
afterAll(() => connected.close());

test('claims that are given back together are due soon, but for those that were woken or lost', async () => {
  const { db, clock } = connected;
  const { projectId } = await storeProject(connected);
  const names = ['kept', 'woken', 'lost'];
  const lines = names.map((name) => `  ${name}: {taskref: main, schedule: "@daily"}\n`).join('');
  const file = `projectname: spam\ntasks: {main: echo}\nrecurring_tasks:\n${lines}`;
  const { project } = parseProjectFile(Buffer.from(file));
  await saveSchedules(db, projectId, project?.recurringTasks ?? []);
  clock.forward(86_400);
  const claims = await claim(db, 'schedules', { worker: 1, limit: 10, leaseSeconds: 60 });
  const idOf = async (name: string): Promise<number> =>
    (await listSchedules(db, { projectId, name }, { limit: 1 }))[0]?.id ?? 0;
  clock.forward(2);
  await wake(db, 'schedules', await idOf('woken'));
  await db.orm.execute(sql`update schedules set claimed_by = 2 where name = 'lost'`);
  await postponeTicks(db, claims, 'the database was away');
  const rows = await listSchedules(db, { projectId }, { limit: 10 });
  const now = clock.now.getTime();
  const told = rows.map(({ name, claimedBy, postponed, failures, lastError, dueAt }) => {
    const due = ((dueAt?.getTime() ?? 0) - now) / 1_000;
    return [
      name,
      claimedBy,
      postponed,
      failures,
      lastError,
      due === 0 ? 'now' : due < 1.3 ? 'soon' : 'later',
    ];
  });
  expect(told).toEqual([
    ['kept', null, 1, 0, 'the database was away', 'soon'],
    ['lost', 2, 0, 0, null, 'later'],
    ['woken', null, 1, 0, 'the database was away', 'now'],
  ]);
});
