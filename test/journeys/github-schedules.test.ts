import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FakeInstallation } from '../fakes/github/world.ts';
import { createGithubAme, type GithubAme } from './github.ts';
import { createClock } from './harness.ts';

const clock = createClock();
let world: GithubAme;
let installation: FakeInstallation;
beforeAll(async () => {
  world = await createGithubAme({ clock });
  installation = await world.github.addInstallation({ account: 'acme' });
});
afterAll(() => world[Symbol.asyncDispose]());

const file =
  'projectname: pets\ntasks:\n  main: echo\nrecurring_tasks:\n  yearly: {taskref: main, schedule: "@yearly"}\n';

/** Lets the schedule tick now. */
async function tickNow(): Promise<void> {
  const { orm, now } = world.ame.ctx.db;
  await orm.execute(sql`update schedules set next_tick_at = ${now()}, due_at = ${now()}`);
  clock.advance(0.01);
  await world.settle();
}

test('a tick runs the head that GitHub has, also where no push was heard of, and waits while it cannot be read', async () => {
  const { github, ame } = world;
  const place = { owner: 'acme', name: 'ticking' };
  const pets = await github.addRepository(installation, place);
  await pets.commit({ 'ame.yaml': file }, { branch: 'main', message: 'before' });
  await world.hear();
  const heard = await github.push(pets, { a: '1' });
  await world.settle();
  const requests = await world.requestsOf(tickNow);
  const [first] = await ame.read.runs(place);
  expect(first).toMatchObject({ trigger: 'tick', commit: heard.after, state: 'succeeded' });
  expect(world.told(pets, heard.after)).toContain('ame / main: success');
  expect(requests.filter(({ path }) => path.includes('/git/ref/')).length).toBeLessThanOrEqual(1);

  github.dropDeliveries(1, 'unrecorded');
  const unheard = await github.push(pets, { a: '2' });
  await tickNow();
  // The look that the tick asked for finds the push; then the tick goes on.
  clock.advance(1);
  await world.settle();
  const runs = await ame.read.runs(place);
  expect(runs.map(({ trigger, commit }) => [trigger, commit])).toEqual([
    ['tick', heard.after],
    ['tick', unheard.after],
  ]);

  await github.deleteRepository(pets);
  await world.settle();
  await tickNow();
  expect(await ame.read.runs(place)).toHaveLength(2);
  const { body } = await ame.api('GET', '/schedules');
  expect(body).toMatchObject({
    schedules: [{ state: 'held', reason: expect.stringContaining('cannot be read') }],
  });
});

test('a repository that hangs holds up no other one', async () => {
  const { github, ame } = world;
  const own = await github.addInstallation({ account: 'hanging' });
  const names = ['one', 'two', 'three'];
  for (const name of names) {
    const pets = await github.addRepository(own, { owner: 'hanging', name });
    await pets.commit({ 'ame.yaml': file }, { branch: 'main', message: 'before' });
    await world.hear();
    await github.push(pets, { a: '1' });
  }
  await world.settle();
  const runsOf = (name: string) => ame.read.runs({ owner: 'hanging', name });
  const { promise, resolve } = Promise.withResolvers<void>();
  github.slowNext(
    ({ operationId, path }) => operationId === 'git/get-ref' && path.includes('/hanging/two/'),
    promise,
  );
  const { orm, now } = ame.ctx.db;
  await orm.execute(sql`update schedules set next_tick_at = ${now()}, due_at = ${now()}`);
  clock.advance(0.01);
  const looking = ame.loops.schedules.once();
  await ame.watch(async () => {
    const [one, three] = [await runsOf('one'), await runsOf('three')];
    return one.length + three.length === 2 ? true : undefined;
  });
  expect(await runsOf('two')).toEqual([]);
  resolve();
  await looking;
  expect(await runsOf('two')).toMatchObject([{ trigger: 'tick' }]);
  await world.settle();
});

test('a suspended installation holds its schedules, which go on by themselves; another default branch brings its own', async () => {
  const { github, ame } = world;
  const own = await github.addInstallation({ account: 'umbrella' });
  const place = { owner: 'umbrella', name: 'moving' };
  const pets = await github.addRepository(own, place);
  await pets.commit({ 'ame.yaml': file.replace('yearly', 'moving') }, { branch: 'main', message: 'before' });
  await world.hear();
  await github.push(pets, { a: '1' });
  await world.settle();
  const schedules = async (): Promise<readonly unknown[]> => {
    const { body } = await ame.api('GET', '/schedules');
    const found = (
      body as { readonly schedules: readonly { readonly name: string; readonly state: string }[] }
    ).schedules;
    return found.map(({ name, state }) => `${name} ${state}`);
  };
  await github.suspend(own);
  await world.settle();
  await tickNow();
  expect(await ame.read.runs(place)).toEqual([]);
  expect(await schedules()).toContain('moving held');

  await github.unsuspend(own);
  await world.hear();
  clock.advance(61);
  await tickNow();
  const [first] = await ame.read.runs(place);
  expect(first).toMatchObject({ trigger: 'tick', state: 'succeeded' });

  await pets.commit({ 'ame.yaml': file.replace('yearly', 'moved') }, { branch: 'trunk', message: 'other' });
  await github.setDefaultBranch(pets, 'trunk');
  await world.hear();
  expect(await schedules()).toContain('moved active');
  expect(await schedules()).not.toContain('moving active');
});
