import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FakeRepository } from '../fakes/github/repository.ts';
import type { FakeInstallation } from '../fakes/github/world.ts';
import { createGithubAme, type GithubAme } from './github.ts';
import { createClock } from './harness.ts';

const clock = createClock();
let world: GithubAme;
let installation: FakeInstallation;
let repositories = 0;

beforeAll(async () => {
  world = await createGithubAme({ clock });
  installation = await world.github.addInstallation({ account: 'acme' });
});
afterAll(() => world[Symbol.asyncDispose]());

const file = (busy: string): string =>
  `projectname: pets\non: [push, pull_request]\nconcurrency: {when_busy: ${busy}}\ntasks:\n  main: echo\n`;

async function repository(busy = 'allow'): Promise<FakeRepository> {
  const name = `missed-${(repositories += 1)}`;
  const made = await world.github.addRepository(installation, { owner: 'acme', name });
  await made.commit({ 'ame.yaml': file(busy) }, { branch: 'main', message: 'before' });
  await world.hear();
  return made;
}

function runsOf(of: FakeRepository) {
  return world.ame.read.runs({ owner: 'acme', name: of.name });
}

test.each(['failed', 'answered', 'unrecorded'] as const)(
  'after an hour of being down, deliveries that GitHub lists as %s are there, oldest first',
  async (as) => {
    const { github, told } = world;
    const pets = await repository('cancel');
    github.dropDeliveries(3, as);
    const topic = await github.push(pets, { a: '1' }, { branch: 'topic' });
    const first = await github.push(pets, { a: '2' });
    const second = await github.push(pets, { a: '3' });
    expect(await runsOf(pets)).toEqual([]);
    clock.advance(3_600);
    await world.hear();
    await world.hear();
    expect(told(pets, second.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
    if (as === 'unrecorded') return;
    expect(told(pets, topic.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
    // Superseded before it was looked at: its run is there, cancelled, and nothing of it started.
    expect(told(pets, first.after)).toEqual(['ame.yaml: success', 'ame / main: cancelled']);
    const late = (await runsOf(pets)).find(({ commit }) => commit === first.after);
    expect(late).toMatchObject({ state: 'cancelled', class: 'superseded', startedAt: null });
  },
);

test('after four days the heads of default branches and of pull requests are caught up', async () => {
  const { github, told } = world;
  const pets = await repository();
  github.dropDeliveries(3);
  await github.push(pets, { a: '1' });
  const last = await github.push(pets, { a: '2' });
  const head = await pets.commit({ b: '1' }, { branch: 'topic', message: 'topic' });
  await github.openPullRequest(pets, { head: 'topic', base: 'main' });
  clock.advance(4 * 24 * 3_600);
  await world.hear();
  expect(told(pets, last.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
  expect(told(pets, head.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
});

test('what has not changed costs nothing of the hourly limit, and asks for nothing again', async () => {
  const { github, requestsOf } = world;
  const pets = await repository();
  await github.push(pets, { a: '1' });
  await world.settle();
  clock.advance(600);
  await world.hear();
  const asked = await requestsOf(() => world.hear());
  expect(asked.filter(({ path }) => path.startsWith('/repos/'))).toEqual([]);
  expect(asked.filter(({ method }) => method === 'POST')).toEqual([]);
  expect(await runsOf(pets)).toHaveLength(1);
});

test('the same delivery twice, and another one of the same push, are one run', async () => {
  const { github, settle, told } = world;
  const pets = await repository();
  const pushed = await github.push(pets, { a: '1' });
  await settle();
  const sent = github.deliveries.findLast(({ event }) => event === 'push');
  if (!sent) throw new Error('nothing was delivered');
  await github.deliverPush(pets, pushed);
  await settle();
  expect(told(pets, pushed.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
  expect(await runsOf(pets)).toHaveLength(1);
});

test('many pushes of one branch that were missed are caught up without getting in each other’s way', async () => {
  const { github, told, ame } = world;
  const pets = await repository('cancel');
  github.dropDeliveries(30);
  const pushed: string[] = [];
  for (let at = 0; at < 30; at += 1) pushed.push((await github.push(pets, { a: String(at) })).after);
  clock.advance(3_600);
  await world.hear();
  await world.hear();
  const last = pushed.at(-1) ?? '';
  expect(told(pets, last)).toEqual(['ame.yaml: success', 'ame / main: success']);
  const runs = await runsOf(pets);
  expect(runs).toHaveLength(30);
  expect(runs.filter(({ state }) => state === 'cancelled')).toHaveLength(29);
  // A deadlock would be a failure of the row, and each costs a second.
  const { rows } = await ame.ctx.db.orm.execute('select id from runs where failures > 0');
  expect(rows).toEqual([]);
});

test('a start asks GitHub for what it sent while nobody was here', async () => {
  const { github, told, ame } = world;
  const pets = await repository();
  github.dropDeliveries(1);
  const pushed = await github.push(pets, { a: '1' }, { branch: 'topic' });
  clock.advance(3_600);
  await ame.sweep();
  await ame.settle();
  expect(told(pets, pushed.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
});
