import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findDelivery } from '../../src/db/deliveries.ts';
import { createAme, type Ame, type Repository } from './harness.ts';

let ame: Ame;
beforeAll(async () => {
  ame = await createAme();
});
afterAll(() => ame[Symbol.asyncDispose]());

const fileWith = (on: string, rest = ''): string =>
  `projectname: when\n${on}\ntasks:\n  main: "true"\n${rest}`;

/** The last answer: rule and line, and the commits that have runs by now. */
async function answer(
  repository: Repository,
): Promise<readonly [rule: string, line: number | null, runs: number]> {
  const decisions = await ame.read.decisions(repository);
  const last = decisions.at(-1);
  if (!last) throw new Error('nothing was decided');
  const delivery = await findDelivery(ame.ctx.db, last.deliveryId ?? '');
  expect(delivery).toMatchObject({ outcome: 'decided', dueAt: null });
  return [last.rule, last.line, (await ame.read.runs(repository)).length];
}

test('branches: the last match wins, and the answer names the line that said no and the one that would say yes', async () => {
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': fileWith('on:\n  push:\n    branches: ["**", "!wip/*", "wip/keep"]') });
  expect(await answer(repository)).toEqual(['push', 3, 1]);
  const refused = await repository.push({ a: '1' }, { branch: 'wip/x' });
  expect(await answer(repository)).toEqual(['branches-excluded', 4, 1]);
  expect(refused.lines[0]).toMatch(/^ame\.yaml: neutral: Nothing runs: .*line 4/);
  expect(refused.lines).toContain('  branches: ["**", "!wip/*", "wip/keep", "wip/x"]');
  await repository.push({ a: '2' }, { branch: 'wip/keep' });
  expect(await answer(repository)).toEqual(['push', 3, 2]);
  await repository.push({}, { refspecs: ['HEAD:refs/tags/v1'] });
  expect(await answer(repository)).toEqual(['tags-not-listed', 4, 2]);
});

test('tags: light and annotated ones, and branches do not count then', async () => {
  const repository = await ame.repository();
  const commit = await repository.commit({ 'ame.yaml': fileWith('on: {push: {tags: ["v*"]}}') });
  await repository.push();
  expect(await answer(repository)).toEqual(['branches-not-listed', 2, 0]);
  await repository.push(undefined, { refspecs: ['HEAD:refs/tags/v1'] });
  expect(await answer(repository)).toEqual(['push', 2, 1]);
  await repository.git('tag', '-a', '-m', 'the second', 'v2');
  await repository.push(undefined, { refspecs: ['refs/tags/v2'] });
  expect(await answer(repository)).toEqual(['push', 2, 2]);
  await repository.push(undefined, { refspecs: ['HEAD:refs/tags/x1'] });
  expect(await answer(repository)).toEqual(['tags-not-matched', 2, 2]);
  const runs = await ame.read.runs(repository);
  expect(runs.map((run) => [run.ref, run.commit])).toEqual([
    ['refs/tags/v1', commit],
    ['refs/tags/v2', commit],
  ]);
});

test('paths: trees before and after, whatever the number of commits, forced or not', async () => {
  const repository = await ame.repository();
  await repository.push({
    'ame.yaml': fileWith('on: {push: {paths: ["src/**", "!src/docs/**"]}}'),
    'src/a': '1',
  });
  const rules: string[] = [];
  const say = async (): Promise<void> => void rules.push((await answer(repository))[0]);
  await say();
  await repository.push({ 'docs/a': '1', 'src/docs/a': '1' });
  await say();
  await repository.push({ 'src/a': '2' });
  await say();
  // There and back again: nothing has changed between before and after.
  await repository.commit({ 'src/a': '3' });
  await repository.commit({ 'src/a': '2' });
  await repository.push();
  await say();
  // A forced push leaves the last change of src/a behind.
  await repository.git('reset', '--quiet', '--hard', 'HEAD~3');
  await repository.push({ other: '1' }, { force: true });
  await say();
  // Again a forced push, to something with the same src.
  await repository.git('reset', '--quiet', '--hard', 'HEAD~1');
  await repository.push({ another: '1' }, { force: true });
  await say();
  expect(rules).toEqual([
    'push',
    'paths-not-matched',
    'push',
    'paths-not-matched',
    'push',
    'paths-not-matched',
  ]);
});

test('a new branch is compared with the default branch', async () => {
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': fileWith('on: {push: {paths: ["src/**"]}}'), 'src/a': '1' });
  await repository.push(undefined, { refspecs: ['HEAD:refs/heads/same'] });
  expect(await answer(repository)).toEqual(['paths-not-matched', 2, 1]);
  await repository.push({ docs: '1' }, { branch: 'docs' });
  expect(await answer(repository)).toEqual(['paths-not-matched', 2, 1]);
  await repository.push({ 'src/a': '2' }, { branch: 'work' });
  expect(await answer(repository)).toEqual(['push', 2, 2]);
});

test('without `on` too: a new branch with the same file adds nothing', async () => {
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': fileWith('') });
  await repository.push({ a: '1' }, { branch: 'work' });
  expect(await answer(repository)).toEqual(['file-unchanged', null, 1]);
  await repository.push(undefined, { refspecs: ['HEAD:refs/tags/v1'] });
  expect(await answer(repository)).toEqual(['tag-without-on', null, 1]);
});

test('a merge of many commits is one push, and its first parent is what it is compared with', async () => {
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': fileWith(''), a: '0' });
  for (let n = 0; n < 12; n += 1) await repository.commit({ a: String(n) }, { branch: 'side' });
  await repository.commit({ 'ame.yaml': fileWith('# changed') }, { branch: 'side' });
  await repository.commit({ b: '1' });
  await repository.git('merge', '--quiet', '--no-ff', '-m', 'merge', 'side');
  await repository.push();
  expect(await answer(repository)).toEqual(['file-changed', null, 2]);
});

test('a deleted branch is a decision too', async () => {
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': fileWith('on: push') });
  await repository.push({ a: '1' }, { branch: 'gone' });
  const pushed = await repository.push(undefined, { refspecs: [':refs/heads/gone'] });
  expect(pushed.lines).toEqual(['The branch `gone` was deleted.']);
  expect(await answer(repository)).toEqual(['ref-deleted', null, 2]);
});

describe('where there is nothing that could run', () => {
  test('no default task: the two lines that would change that are shown', async () => {
    const repository = await ame.repository();
    const pushed = await repository.push({
      'ame.yaml': 'projectname: two\non: push\ntasks:\n  a: "true"\n  b: "true"\n',
    });
    expect((await answer(repository))[2]).toBe(0);
    expect(pushed.lines[0]).toMatch(/^ame\.yaml: neutral: .*Nothing runs/);
    expect(pushed.lines).toContain('It would run with this in ame.yaml:');
  });

  test('recurring tasks alone say when', async () => {
    const repository = await ame.repository();
    await repository.push({
      'ame.yaml': fileWith('', 'recurring_tasks:\n  daily: {taskref: main, schedule: "@daily"}\n'),
    });
    expect(await answer(repository)).toEqual(['only-recurring', 6, 0]);
  });

  test('`on` without push', async () => {
    const repository = await ame.repository();
    await repository.push({ 'ame.yaml': fileWith('on: pull_request') });
    expect(await answer(repository)).toEqual(['push-not-listed', 2, 0]);
  });
});

test('a ref that returns to a commit is answered with the run that it had', async () => {
  const repository = await ame.repository();
  const first = await repository.push({ 'ame.yaml': fileWith('on: push') });
  await repository.push({ a: '1' });
  await repository.git('reset', '--quiet', '--hard', first.commit);
  const again = await repository.push(undefined, { force: true });
  expect(await answer(repository)).toEqual(['push', 2, 2]);
  expect(again.lines).toContainEqual(expect.stringMatching(/^when#1 of main: http/));
  expect((await ame.read.decisions(repository)).at(-1)?.message).toMatch(/had its run already: #1/);
});

test('more than 50 refs at once are refused, and nothing is changed', async () => {
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': fileWith('on: push') });
  const refs = Array.from({ length: 51 }, (_, n) => `HEAD:refs/heads/b${n}`);
  const refused = await repository.push(undefined, { refspecs: refs });
  expect(refused.code).not.toBe(0);
  expect(refused.lines.join('\n')).toMatch(/51 refs at once/);
  expect(await repository.git('ls-remote', '--heads', repository.url)).not.toContain('refs/heads/b0');
  expect(await ame.read.decisions(repository)).toHaveLength(1);
  const some = await repository.push(undefined, { refspecs: refs.slice(0, 5) });
  expect(some.code, some.text).toBe(0);
  expect(await ame.read.decisions(repository)).toHaveLength(6);
});

test('a push that nobody heard of is found by the sweep', async () => {
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': fileWith('on: push') });
  const [known] = await ame.read.runs(repository);
  if (!known) throw new Error('the push was heard');
  await repository.commit({ a: '1' });
  await repository.git(
    'push',
    '--quiet',
    ame.ctx.directoryOf(known.repository),
    'main',
    'HEAD:refs/heads/more',
  );
  await ame.sweep();
  await ame.settle();
  const runs = await ame.read.runs(repository);
  expect(runs.map((run) => `${run.ref} ${run.state}`).toSorted()).toEqual([
    'refs/heads/main succeeded',
    'refs/heads/main succeeded',
    'refs/heads/more succeeded',
  ]);
});
