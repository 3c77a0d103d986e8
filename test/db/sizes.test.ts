import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { listAttempts, saveAttempts, saveReport } from '../../src/db/attempts.ts';
import { insertBlobs, insertSnapshot, insertSourceObjects } from '../../src/db/blobs.ts';
import { listLearnedMemory, saveLearnedMemory } from '../../src/db/learned-memory.ts';
import { commitBytes, listOutputSizes } from '../../src/db/sizes.ts';
import { resolveResources } from '../../src/core/resources.ts';
import { command } from '../core/project-builder.ts';
import { report, resourceDefaults } from '../core/step-view.ts';
import { connectTestDatabase, storeProject, storeRun, type Connected, type Home } from './connected.ts';

let connected: Connected;
let home: Home;

beforeAll(async () => {
  connected = await connectTestDatabase();
});

beforeEach(async () => {
  await connected.empty();
  home = await storeProject(connected);
});

afterAll(() => connected.close());

const digest = (letter: string): string => letter.repeat(64);

async function storeSnapshot(letter: string, attemptId: number | null, bytes: number | null): Promise<void> {
  const { repositoryId } = home;
  await insertBlobs(connected.db, repositoryId, [{ digest: digest(letter), size: 1 }]);
  await insertSnapshot(connected.db, { repositoryId, digest: digest(letter), attemptId, bytes });
}

test('a commit is as large as it was counted, or as the largest one before it', async () => {
  const { db } = connected;
  const { repositoryId } = home;
  expect(await commitBytes(db, repositoryId, 'c1')).toBeNull();
  await storeSnapshot('a', null, 100);
  await storeSnapshot('b', null, 300);
  await insertSourceObjects(db, repositoryId, [{ oid: 'c1', digest: digest('a') }]);
  expect(await commitBytes(db, repositoryId, 'c1')).toBe(100);
  expect(await commitBytes(db, repositoryId, 'c2')).toBe(300);
});

test('what a task left is as large as its agent said, or else as it was allowed to be', async () => {
  const { db } = connected;
  const run = await storeRun(connected, home);
  const [first, second] = await listAttempts(db, run.id);
  if (!first || !second) throw new Error('no attempts');
  await storeSnapshot('a', first.id, 500);
  await storeSnapshot('b', second.id, null);
  await saveReport(db, first.id, report(0, { outputBytes: { all: 500, changed: 40 } }));
  const resources = resolveResources(command('a').resources, resourceDefaults, null);
  const { task, position, number, state } = first;
  const change = { number, from: state, state, cause: 'test', resources };
  await saveAttempts(db, run.id, [
    { ...change, task, position, output: digest('a'), pendingWhy: 'No room.', cpuSeconds: 1.5 },
    { ...change, task: second.task, position: second.position, output: digest('b') },
  ]);
  expect(await listAttempts(db, run.id)).toMatchObject([
    { resources, pendingWhy: 'No room.', cpuSeconds: 1.5 },
    { resources, pendingWhy: null, cpuSeconds: null },
  ]);
  const { storageBytes } = resourceDefaults;
  expect(await listOutputSizes(db, run.id, home.repositoryId)).toEqual(
    new Map([
      [first.task, { all: 500, changed: 40 }],
      [second.task, { all: storageBytes, changed: storageBytes }],
    ]),
  );
});

test('what a task came to need is remembered, the last word of it alone', async () => {
  const { db } = connected;
  const run = await storeRun(connected, home);
  const [attempt] = await listAttempts(db, run.id);
  const row = { projectId: home.projectId, attemptId: attempt?.id ?? 0, asked: '2Gi' };
  await saveLearnedMemory(db, []);
  await saveLearnedMemory(db, [
    { ...row, task: 'train', bytes: 4 },
    { ...row, task: 'prepare', bytes: 5 },
  ]);
  await saveLearnedMemory(db, [{ ...row, task: 'train', bytes: 8, asked: '4Gi' }]);
  const rows = await listLearnedMemory(db, home.projectId);
  expect(rows.map(({ task, bytes, asked }) => `${task} ${bytes} ${asked}`).toSorted()).toEqual([
    'prepare 5 2Gi',
    'train 8 4Gi',
  ]);
});
