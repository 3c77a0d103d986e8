import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Check } from '../../src/core/check.ts';
import { findCheck, listChecks, saveCheck, saveSaid } from '../../src/db/checks.ts';
import { claim, postpone, type Claim } from '../../src/db/due.ts';
import { tellCheck } from '../../src/worker/checks.ts';
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

const sha = 'a'.repeat(40);
const check: Check = {
  name: 'ame.yaml',
  status: 'completed',
  conclusion: 'success',
  title: 'All is well',
  summary: '',
  text: '',
  annotations: [],
  lines: [],
  externalId: 'file:1',
  url: null,
};

function say(says: Check, runId: number | null = null): Promise<void> {
  return saveCheck(connected.db, { repositoryId: home.repositoryId, sha, runId, says });
}

function take(): Promise<readonly Claim[]> {
  return claim(connected.db, 'checks', { worker: 1, limit: 9, leaseSeconds: 60 });
}

async function takeOne(): Promise<Claim> {
  const [one, ...others] = await take();
  if (!one || others.length > 0) throw new Error('not exactly one check was due');
  return one;
}

function told(said: Check, hostCheckId: string | null) {
  return { said, hostCheckId, annotationsSaid: 0, updates: 0, doubtful: false, lookAgainInSeconds: null };
}

/** A check of AME's own host asks no other one. */
const noGithub = {
  current: () => Promise.reject(new Error('asked')),
  webhookSecrets: () => Promise.reject(new Error('asked')),
  knownWebhookSecrets: () => [],
  forget: () => {},
};

async function only() {
  const [row] = await listChecks(connected.db, { sha });
  if (!row) throw new Error('there is no check');
  return row;
}

test('what a commit is to be told is due until it was told, and then no more', async () => {
  const { db } = connected;
  await say(check);
  expect(await only()).toMatchObject({ says: check, said: null });
  expect(await saveSaid(db, await takeOne(), told(check, 'h-1'))).toBe(true);
  expect(await only()).toMatchObject({
    said: check,
    saidAt: connected.clock.now,
    hostCheckId: 'h-1',
    dueAt: null,
  });
  await say(check);
  expect(await take()).toEqual([]);
  await say({ ...check, title: 'Not so well' });
  expect(await takeOne()).toMatchObject({ failures: 0 });
  expect(await only()).toMatchObject({ says: { title: 'Not so well' }, said: check, hostCheckId: 'h-1' });
});

test('what changes while it is told is told next', async () => {
  const { db } = connected;
  await say(check);
  const held = await takeOne();
  await say({ ...check, title: 'Newer' });
  expect(await saveSaid(db, held, told(check, null))).toBe(true);
  expect(await only()).toMatchObject({ says: { title: 'Newer' }, said: check, dueAt: connected.clock.now });
  expect(await saveSaid(db, held, told(check, null))).toBe(false);
  await tellCheck({ db, github: noGithub }, await takeOne());
  expect(await only()).toMatchObject({ said: { title: 'Newer' }, dueAt: null });
});

test('an answer that came to nothing is due again', async () => {
  const { db, clock } = connected;
  await say(check);
  const held = await takeOne();
  // Another word than the one that stands was told, by a worker that read it before it changed.
  expect(await saveSaid(db, held, told({ ...check, title: 'Older' }, null))).toBe(true);
  expect(await only()).toMatchObject({ dueAt: clock.now });
  await postpone(db, await takeOne(), 'GitHub is away');
  clock.forward(2);
  expect(await saveSaid(db, await takeOne(), told(check, null))).toBe(true);
  expect(await only()).toMatchObject({ postponed: 0, lastError: null, dueAt: null });
});

test('a commit has one for its file and one for each run, the file first', async () => {
  const { db } = connected;
  const run = await storeRun(connected, home, { commit: sha });
  const other = await storeRun(connected, home, { commit: sha });
  await say({ ...check, name: 'main' }, run.id);
  await say({ ...check, name: 'main' }, other.id);
  await say(check);
  await say({ ...check, title: 'Again' }, other.id);
  const rows = await listChecks(db, { sha, repositoryId: home.repositoryId });
  expect(rows.map(({ runId, says }) => [runId, says.title])).toEqual([
    [null, 'All is well'],
    [run.id, 'All is well'],
    [other.id, 'Again'],
  ]);
  expect(await listChecks(db, { runId: other.id })).toHaveLength(1);
  expect(await listChecks(db, { sha: 'b' })).toEqual([]);
  expect(await findCheck(db, 999)).toBeUndefined();
});
