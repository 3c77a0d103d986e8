import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { expect, test } from 'vitest';
import { listSchedules } from '../../src/db/schedule-list.ts';
import { saveSchedules } from '../../src/db/schedules.ts';
import { listDue } from '../../src/db/ticks.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { findTickCommits, type TickCommitDeps } from '../../src/worker/tick-commits.ts';
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
    (await listSchedules(db, {}, { limit: 1 })).map(({ id }) => id),
  );
  if (!row) throw new Error('the schedule was stored');
  const due = Array.from({ length: 40 }, (_, id) => ({
    ...row,
    repository: { ...row.repository, id, host: id < 4 ? ('local' as const) : ('github' as const) },
  }));
  const deps = (): TickCommitDeps => ({
    db,
    github: { current: () => Promise.resolve(null) },
    directoryOf: () => join(tmpdir(), 'ame-is-not-there'),
    looks: pLimit(16),
  });
  const kindsOf = async (mostMs: number): Promise<readonly string[]> => {
    const kinds: string[] = [];
    for await (const some of findTickCommits(deps(), due, mostMs))
      kinds.push(...some.map(({ found }) => found.kind));
    return kinds;
  };
  // Those of our own host, and as many of GitHub's as there are places.
  expect(await kindsOf(0)).toEqual([...Array<string>(20).fill('held'), ...Array<string>(20).fill('later')]);
  expect(await kindsOf(60_000)).toEqual(Array<string>(40).fill('held'));
});
