import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listSchedules, saveSchedules } from '../../src/db/schedules.ts';
import { listDue } from '../../src/db/ticks.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { findTickCommits } from '../../src/worker/tick-commits.ts';
import { connectTestDatabase, storeProject } from '../db/connected.ts';

test('where the looks take too long the others have their turn later, and some are always looked at', async () => {
  await using connected = await connectTestDatabase();
  const { db } = connected;
  const { projectId } = await storeProject(connected);
  const file =
    'projectname: spam\ntasks: {main: echo}\nrecurring_tasks: {s: {taskref: main, schedule: "@daily"}}\n';
  const read = parseProjectFile(Buffer.from(file)).project;
  await saveSchedules(db, projectId, read?.recurringTasks ?? []);
  const [row] = await listDue(
    db,
    (await listSchedules(db)).map(({ id }) => id),
  );
  if (!row) throw new Error('the schedule was stored');
  const due = Array.from({ length: 40 }, (_, id) => ({ ...row, repository: { ...row.repository, id } }));
  const deps = {
    db,
    github: { current: () => Promise.resolve(null) },
    directoryOf: () => join(tmpdir(), 'ame-is-not-there'),
  };
  const kindsOf = async (mostMs: number): Promise<readonly string[]> =>
    [...(await findTickCommits(deps, due, mostMs)).values()].map(({ kind }) => kind);
  expect(await kindsOf(0)).toEqual([...Array<string>(16).fill('held'), ...Array<string>(24).fill('later')]);
  expect(new Set(await kindsOf(60_000))).toEqual(new Set(['held']));
});
