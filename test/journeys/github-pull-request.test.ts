import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FakeRepository } from '../fakes/github/repository.ts';
import type { FakeInstallation, FakePull } from '../fakes/github/world.ts';
import { createStoppedClock } from './harness.ts';
import { createGithubAme, type GithubAme } from './github.ts';
import { text } from './text.ts';

let world: GithubAme;
let installation: FakeInstallation;
let repositories = 0;

beforeAll(async () => {
  world = await createGithubAme({ clock: createStoppedClock() });
  installation = await world.github.addInstallation({ account: 'acme' });
});
afterAll(() => world[Symbol.asyncDispose]());

const file = (on: string, task = 'echo', busy = 'allow'): string => text`
  projectname: pets
  on: ${on}
  concurrency: {when_busy: ${busy}}
  tasks:
    main: ${task}
`;

async function repository(on: string, busy?: string): Promise<FakeRepository> {
  const name = `pulls-${(repositories += 1)}`;
  const made = await world.github.addRepository(installation, { owner: 'acme', name });
  await made.commit(
    { 'ame.yaml': file(on, 'echo', busy), 'src/a.py': '1\n' },
    { branch: 'main', message: 'before' },
  );
  await world.hear();
  return made;
}

function runsOf(of: FakeRepository) {
  return world.ame.read.runs({ owner: 'acme', name: of.name });
}

test('a commit that is reached by push and by pull request is checked once and runs once', async () => {
  const { github, settle, told } = world;
  const pets = await repository('[push, pull_request]');
  const pushed = await github.push(pets, { 'src/a.py': '2\n' }, { branch: 'topic' });
  await github.openPullRequest(pets, { head: 'topic', base: 'main' });
  await settle();
  expect(told(pets, pushed.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
  const runs = await runsOf(pets);
  expect(runs.map(({ ref, whenBusy }) => [ref, whenBusy])).toEqual([['refs/heads/topic', 'allow']]);
});

test('a pull request alone runs its head; a newer head takes the place of the one before', async () => {
  const { github, settle, told } = world;
  const pets = await repository('pull_request', 'cancel');
  const first = await pets.commit({ 'src/a.py': '2\n' }, { branch: 'topic', message: 'first' });
  const pull = await github.openPullRequest(pets, { head: 'topic', base: 'main', draft: true });
  const second = await pets.commit({ 'src/a.py': '3\n' }, { branch: 'topic', message: 'second' });
  await github.updatePullRequest(pull, {});
  await settle();
  expect(told(pets, second.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
  const wanted = [
    { commit: second.after, trigger: 'pull_request', whenBusy: 'cancel', state: 'succeeded' },
    { commit: first.after, trigger: 'pull_request', whenBusy: 'cancel', state: 'cancelled', startedAt: null },
  ];
  expect((await runsOf(pets)).toSorted((a, b) => b.state.localeCompare(a.state))).toMatchObject(wanted);
  expect(told(pets, first.after)).toEqual(['ame.yaml: success', 'ame / main: cancelled']);
  await github.updatePullRequest(pull, { draft: false });
  await github.updatePullRequest(pull, { state: 'closed' });
  await github.updatePullRequest(pull, { state: 'open' });
  await settle();
  expect(await runsOf(pets)).toHaveLength(2);
});

test('base branch and paths are those between merge base and head, also beyond 300 files', async () => {
  const { github, settle, told } = world;
  const pets = await repository('{pull_request: {branches: [main], paths: [src/**]}}');
  const many = Object.fromEntries(
    Array.from({ length: 320 }, (_, at) => [`docs/${String(at).padStart(3, '0')}.md`, '1\n']),
  );
  const docs = await pets.commit(many, { branch: 'docs', message: 'docs' });
  // What happened on the base branch since is not of the pull request.
  await pets.commit({ 'src/a.py': '9\n' }, { branch: 'main', message: 'base' });
  await github.openPullRequest(pets, { head: 'docs', base: 'main' });
  await settle();
  expect(told(pets, docs.after)).toEqual(['ame.yaml: neutral']);
  const both = await pets.commit({ ...many, 'src/z.py': '1\n' }, { branch: 'both', message: 'both' });
  const pull = await github.openPullRequest(pets, { head: 'both', base: 'docs' });
  await settle();
  expect(told(pets, both.after)).toEqual(['ame.yaml: neutral']);
  await github.updatePullRequest(pull, { base: 'main' });
  await settle();
  expect(told(pets, both.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
});

test('a fork has the check of its file, and for each task a check that says who may start it', async () => {
  const { github, settle, told } = world;
  const pets = await repository('[push, pull_request]');
  const fork = await github.fork(pets, { owner: 'mallory' });
  const evil = await fork.commit(
    { 'ame.yaml': file('[push, pull_request]', 'echo evil') },
    { branch: 'main', message: 'pwn' },
  );
  await github.openPullRequest(pets, { head: 'main', headRepository: fork, base: 'main' });
  await settle();
  expect(told(pets, evil.after)).toEqual(['ame.yaml: neutral', 'ame / main: action_required']);
  expect(await runsOf(pets)).toEqual([]);
  const check = github.checkRuns(pets).find(({ conclusion }) => conclusion === 'action_required');
  expect(check?.summary).toContain('pull/1/head');
  // Someone who may write pushes it to the repository: now it runs, and its check takes the place.
  await pets.branch('from-fork', evil.after);
  await github.deliverPush(pets, {
    ref: 'refs/heads/from-fork',
    before: '0'.repeat(40),
    after: evil.after,
    forced: false,
  });
  await settle();
  expect(told(pets, evil.after).at(-1)).toMatch(/^ame \/ main: (success|failure)$/);
});

test('what the base branch says about forks counts', async () => {
  const { github, settle, told } = world;
  const pets = await repository('{pull_request: {forks: never}}');
  const fork = await github.fork(pets, { owner: 'eve' });
  const head = await fork.commit({ 'ame.yaml': file('pull_request') }, { branch: 'main', message: 'x' });
  await github.openPullRequest(pets, { head: 'main', headRepository: fork, base: 'main' });
  await settle();
  expect(told(pets, head.after)).toEqual(['ame.yaml: neutral']);
  const broken = await fork.commit({ 'ame.yaml': 'projectname: [\n' }, { branch: 'main', message: 'y' });
  const [pull] = pets.pulls;
  if (!pull) throw new Error('no pull request');
  await github.updatePullRequest(pull, {});
  await settle();
  expect(told(pets, broken.after)).toEqual(['ame.yaml: failure']);
});

test('a head of a fork that was pushed over or closed before anybody looked has the check of its file', async () => {
  const { github, settle, told } = world;
  const pets = await repository('[push, pull_request]');
  const fork = await github.fork(pets, { owner: 'trudy' });
  const commit = (task: string) =>
    fork.commit({ 'ame.yaml': file('pull_request', task) }, { branch: 'main', message: task });
  const first = await commit('echo 1');
  const pull = await github.openPullRequest(pets, { head: 'main', headRepository: fork, base: 'main' });
  const second = await commit('echo 2');
  await github.updatePullRequest(pull, {});
  await settle();
  expect(told(pets, first.after)).toEqual(['ame.yaml: neutral']);
  expect(told(pets, second.after)).toEqual(['ame.yaml: neutral', 'ame / main: action_required']);
  const third = await commit('echo 3');
  await github.updatePullRequest(pull, {});
  await github.updatePullRequest(pull, { state: 'closed' });
  await settle();
  expect(told(pets, third.after)).toEqual(['ame.yaml: neutral']);
  expect(await runsOf(pets)).toEqual([]);
});

describe('a push to a branch with an open pull request is told twice', () => {
  const both = '{push: {paths: [src/**]}, pull_request: {paths: [src/**]}}';
  const orders = ['push first', 'pull request first'] as const;

  /** Both deliveries of one push, in this order; `apart`: the second one comes when all is done. */
  async function pushed(
    of: FakeRepository,
    pull: FakePull,
    files: Readonly<Record<string, string>>,
    { order, apart = false }: { readonly order: (typeof orders)[number]; readonly apart?: boolean },
  ) {
    const { github, settle, requestsOf } = world;
    const head = await of.commit(files, { branch: 'topic', message: 'more' });
    const tell = [() => github.deliverPush(of, head), () => github.updatePullRequest(pull, {})];
    const asked = await requestsOf(async () => {
      for (const one of order === 'push first' ? tell : tell.toReversed()) {
        await one();
        if (apart) await settle();
      }
      await settle();
    });
    return { head, asked };
  }

  async function opened(on: string | null, files: Readonly<Record<string, string>> = {}) {
    const name = `pulls-${(repositories += 1)}`;
    const of = await world.github.addRepository(installation, { owner: 'acme', name });
    await of.commit(
      { 'src/a.py': '1\n', ...(on === null ? {} : { 'ame.yaml': file(on) }), ...files },
      { branch: 'main', message: 'before' },
    );
    await of.commit({ 'README.md': '1\n' }, { branch: 'topic', message: 'topic' });
    const pull = await world.github.openPullRequest(of, { head: 'topic', base: 'main' });
    await world.hear();
    return { of, pull };
  }

  test.each(orders)('without a file it costs one request in all: %s', async (order) => {
    const { of, pull } = await opened(null);
    const { head, asked } = await pushed(of, pull, { 'src/a.py': '2\n' }, { order });
    expect(asked).toHaveLength(1);
    expect(world.told(of, head.after)).toEqual([]);
    const decisions = await world.ame.read.decisions({ owner: 'acme', name: of.name });
    expect(decisions.slice(-2)).toMatchObject([{ rule: 'file-absent' }, { rule: 'file-absent' }]);
  });

  test.each(
    orders.flatMap((order) => [
      [order, '[push, pull_request]', false] as const,
      [order, both, false] as const,
      [order, both, true] as const,
    ]),
  )(
    '%s, on: %s, apart: %s: one run, five requests until it is in progress, eight in all',
    async (...given) => {
      const [order, on, apart] = given;
      const { of, pull } = await opened(on);
      const { head, asked } = await pushed(of, pull, { 'src/a.py': '2\n' }, { order, apart });
      expect(world.told(of, head.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
      expect((await runsOf(of)).filter(({ commit }) => commit === head.after)).toMatchObject([
        { ref: 'refs/heads/topic', whenBusy: 'allow', state: 'succeeded' },
      ]);
      expect(asked.length).toBeLessThanOrEqual(8);
      const started = asked.findIndex(({ body }) => JSON.stringify(body ?? null).includes('"in_progress"'));
      expect(started).toBeLessThan(5);
    },
  );

  test.each(orders)('where only one of the two lets it run, it runs: %s', async (order) => {
    const { of, pull } = await opened('{push: {paths: [docs/**]}, pull_request: {paths: [src/**]}}');
    const { head } = await pushed(of, pull, { 'src/a.py': '2\n' }, { order });
    expect(world.told(of, head.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
  });
});

test('a group of the merge queue has its answer like any other head', async () => {
  const { github, settle, told } = world;
  const pets = await repository('pull_request');
  const head = await pets.commit({ 'src/a.py': '5\n' }, { branch: 'topic', message: 'm' });
  await github.mergeGroup(pets, { head: head.after, base: 'main' });
  await settle();
  const queued = github.checkRuns(pets).filter(({ name }) => name === 'ame / main');
  expect(queued).toMatchObject([{ conclusion: 'success' }]);
  expect(told(pets, queued[0]?.headSha ?? '')).toEqual(['ame.yaml: success', 'ame / main: success']);
});

test('an older delivery that comes late neither cancels nor covers a newer head', async () => {
  const { github, settle, told } = world;
  const pets = await repository('push', 'cancel');
  const first = await pets.commit({ 'src/a.py': '2\n' }, { branch: 'main', message: 'one' });
  const second = await github.push(pets, { 'src/a.py': '3\n' });
  await settle();
  await github.deliverPush(pets, first);
  await settle();
  expect(told(pets, second.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
  expect(told(pets, first.after)).toEqual(['ame.yaml: success', 'ame / main: cancelled']);
  expect((await runsOf(pets)).map(({ state, startedAt }) => [state, startedAt === null])).toEqual([
    ['succeeded', false],
    ['cancelled', true],
  ]);
});
