import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FakeRepository } from '../fakes/github/repository.ts';
import type { FakeCheckRun, FakeInstallation } from '../fakes/github/world.ts';
import { listParked } from '../../src/db/due.ts';
import { createGithubAme, type GithubAme } from './github.ts';
import { createClock } from './harness.ts';
import { createPipes } from './pipes.ts';

const clock = createClock();
let world: GithubAme;
let installation: FakeInstallation;
let repositories = 0;

beforeAll(async () => {
  world = await createGithubAme({ clock });
  installation = await world.github.addInstallation({ account: 'acme' });
});
afterAll(() => world[Symbol.asyncDispose]());

/** One that AME has looked at, with these files in it before. */
async function repository(files: Readonly<Record<string, string>> = {}): Promise<FakeRepository> {
  const name = `checks-${(repositories += 1)}`;
  const made = await world.github.addRepository(installation, { owner: 'acme', name });
  if (Object.keys(files).length > 0) await made.commit(files, { branch: 'main', message: 'before' });
  world.github.setPermission(made, 'ada', 'write');
  world.github.setPermission(made, 'bob', 'read');
  await world.hear();
  return made;
}

const file = (task: string): string =>
  `projectname: pets\non: push\ntasks:\n  main: ${JSON.stringify(task)}\n`;

function runsOf(of: FakeRepository) {
  return world.ame.read.runs({ owner: 'acme', name: of.name });
}

function check(of: FakeRepository, name = 'ame / main'): FakeCheckRun {
  const found = world.github.checkRuns(of).findLast((one) => one.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}

test('Re-run on a check tries again what failed, and only for who may write', async () => {
  const { github, settle, told, ame } = world;
  const pets = await repository();
  const pushed = await github.push(pets, { 'ame.yaml': file('test -e /nonexistent') });
  await settle();
  await github.pressRerun(check(pets), 'bob');
  await settle();
  expect(await runsOf(pets)).toHaveLength(1);
  const decisions = await ame.read.decisions({ owner: 'acme', name: pets.name });
  expect(decisions.at(-1)).toMatchObject({
    rule: 'press-refused',
    message: expect.stringContaining('@bob on GitHub has no write access'),
  });
  await github.pressRerun(check(pets), 'ada');
  await settle();
  expect(told(pets, pushed.after)).toEqual([
    'ame.yaml: success',
    'ame / main: failure',
    'ame / main: failure',
  ]);
  expect((await runsOf(pets)).at(-1)).toMatchObject({ trigger: 'retry', requestedBy: '@ada on GitHub' });
  expect(check(pets).summary).toContain('&#64;ada on GitHub');
  await github.pressRerun(check(pets, 'ame.yaml'), 'ada');
  await settle();
  expect(github.checkRuns(pets).filter(({ name }) => name === 'ame.yaml')).toHaveLength(2);
});

test('Re-run on the suite runs all of the commit once more', async () => {
  const { github, settle } = world;
  const pets = await repository();
  const pushed = await github.push(pets, { 'ame.yaml': file('echo') });
  await settle();
  await github.pressRerunSuite(pets, pushed.after, 'ada');
  await settle();
  expect((await runsOf(pets)).map(({ trigger, state }) => [trigger, state])).toEqual([
    ['push', 'succeeded'],
    ['retry', 'succeeded'],
  ]);
});

test('Cancel ends a run, and says who pressed it', async () => {
  const { github, settle, ame } = world;
  await using pipes = await createPipes();
  const hold = await pipes.hold();
  const pets = await repository();
  await github.push(pets, { 'ame.yaml': file(`read _ < ${hold.path}`) });
  await ame.until(async () => {
    const found = github.checkRuns(pets).find(({ name }) => name === 'ame / main');
    return found?.status === 'in_progress' ? found : undefined;
  });
  expect(check(pets).actions).toMatchObject([{ label: 'Cancel', identifier: 'cancel' }]);
  await github.pressAction(check(pets), 'cancel', 'bob');
  await ame.step();
  expect((await runsOf(pets))[0]).toMatchObject({ cancelRequestedAt: null });
  await github.pressAction(check(pets), 'cancel', 'ada');
  await settle();
  expect(check(pets)).toMatchObject({ conclusion: 'cancelled', actions: [] });
  expect((await runsOf(pets))[0]?.reason).toContain('@ada on GitHub pressed Cancel');
});

test('a run that ends while GitHub is away is told when it is back', async () => {
  const { github, settle, told, ame } = world;
  const pets = await repository();
  const pushed = await github.push(pets, { 'ame.yaml': file('echo') });
  await ame.loops.deliveries.once();
  github.failNext('checks/create', { status: 502, body: { message: 'Server Error' } }, 6);
  await settle();
  expect((await runsOf(pets))[0]).toMatchObject({ state: 'succeeded' });
  for (let at = 0; at < 8; at += 1) {
    clock.advance(120);
    await settle();
  }
  expect(told(pets, pushed.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
});

test('a check whose answer was lost is found by our own id, and not made twice', async () => {
  const { github, settle, told } = world;
  const pets = await repository();
  github.loseAnswerNext('checks/create');
  github.loseAnswerNext('checks/create');
  github.loseAnswerNext('checks/update');
  const pushed = await github.push(pets, { 'ame.yaml': file('echo') });
  for (let at = 0; at < 6; at += 1) {
    await settle();
    clock.advance(120);
  }
  await settle();
  expect(told(pets, pushed.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
});

test('a check that GitHub shows in progress while its run is over is found and closed', async () => {
  const { github, settle } = world;
  const pets = await repository();
  github.loseAnswerNext('checks/create');
  github.loseAnswerNext('checks/create');
  await github.push(pets, { 'ame.yaml': file('echo') });
  await settle();
  clock.advance(30);
  await settle();
  const shown = check(pets);
  expect(shown.conclusion).toBe('success');
  // An older word of a worker that was paused comes in after the verdict.
  Object.assign(shown, { status: 'in_progress', conclusion: null });
  clock.advance(120);
  await settle();
  expect(check(pets)).toMatchObject({ id: shown.id, status: 'completed', conclusion: 'success' });
});

test('a limit of one installation does not stop another, and is waited for', async () => {
  const { github, settle, told, requestsOf } = world;
  const other = await github.addInstallation({ account: 'umbra' });
  const mine = await repository();
  const theirs = await github.addRepository(other, { owner: 'umbra', name: 'pets' });
  await world.hear();
  github.rateLimit(installation, { remaining: 0, resetAt: new Date(clock.now().getTime() + 600_000) });
  const limited = await github.push(mine, { 'ame.yaml': file('echo') });
  const free = await github.push(theirs, { 'ame.yaml': file('echo') });
  const asked = await requestsOf(settle);
  expect(told(theirs, free.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
  expect(told(mine, limited.after)).toEqual([]);
  // One answer is enough to know.
  expect(asked.filter((one) => one.installation === installation.id)).toHaveLength(1);
  github.rateLimit(installation, null);
  clock.advance(700);
  await settle();
  expect(told(mine, limited.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
});

test('Re-run on the file’s check makes another one, also where GitHub failed at first', async () => {
  const { github, settle } = world;
  const pets = await repository();
  await github.push(pets, { 'ame.yaml': file('echo') });
  await settle();
  github.failNext('checks/create', { status: 502, body: { message: 'Server Error' } });
  await github.pressRerun(check(pets, 'ame.yaml'), 'ada');
  await settle();
  clock.advance(120);
  await settle();
  const made = github.checkRuns(pets).filter(({ name }) => name === 'ame.yaml');
  expect(made.map(({ conclusion }) => conclusion)).toEqual(['success', 'success']);
  // The button of the older one is the same check's.
  const [older] = made;
  if (!older) throw new Error('there is no check');
  await github.pressRerun(older, 'ada');
  await settle();
  expect(github.checkRuns(pets).filter(({ name }) => name === 'ame.yaml')).toHaveLength(3);
  const decisions = await world.ame.read.decisions({ owner: 'acme', name: pets.name });
  expect(decisions.filter(({ rule }) => rule === 'press-retold')).toMatchObject([
    { message: '@ada on GitHub asked for ame.yaml again.' },
    { message: '@ada on GitHub asked for ame.yaml again.' },
  ]);
});

test.each([
  ['a wrong key', 401, 'Bad credentials'],
  ['a permission that is not granted', 403, 'Resource not accessible by integration'],
])('%s is waited for, however long, and nothing is parked', async (_, status, message) => {
  const { github, settle, told, ame } = world;
  const pets = await repository();
  github.failNext(() => true, { status, body: { message } }, 100_000);
  const pushed = await github.push(pets, { 'ame.yaml': file('echo') });
  for (let at = 0; at < 25; at += 1) {
    clock.advance(1_000);
    await settle();
  }
  expect(await listParked(ame.ctx.db)).toEqual([]);
  github.world.faults.length = 0;
  clock.advance(1_000);
  await settle();
  expect(told(pets, pushed.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
});

test('an older push that is read before a newer one and stored after it takes nothing from it', async () => {
  const { github, settle, told, ame } = world;
  await using pipes = await createPipes();
  const hold = await pipes.hold();
  const busy = `projectname: pets\non: {push: {paths: [src/**]}}\nconcurrency: {when_busy: cancel}\ntasks:\n  main: read _ < ${hold.path}\n`;
  const pets = await repository({ 'ame.yaml': busy });
  const [reached, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  github.slowNext(({ path }) => {
    if (!path.includes('/compare/')) return false;
    reached.resolve();
    return true;
  }, held.promise);
  const older = await github.push(pets, { 'src/a.py': '1' });
  const first = ame.loops.deliveries.once();
  await reached.promise;
  const newer = await github.push(pets, { 'src/a.py': '2' });
  await ame.loops.deliveries.once();
  held.resolve();
  await first;
  await ame.until(async () =>
    (await runsOf(pets)).some(({ commit, state }) => commit === newer.after && state === 'running')
      ? true
      : undefined,
  );
  hold.release();
  await settle();
  expect(told(pets, newer.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
  expect(told(pets, older.after)).toEqual(['ame.yaml: success', 'ame / main: cancelled']);
});
