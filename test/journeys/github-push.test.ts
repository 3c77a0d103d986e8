import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FakeRepository } from '../fakes/github/repository.ts';
import type { FakeInstallation } from '../fakes/github/world.ts';
import { createGithubAme, type GithubAme } from './github.ts';
import { text } from './text.ts';

let world: GithubAme;
let installation: FakeInstallation;
let repositories = 0;

beforeAll(async () => {
  world = await createGithubAme();
  installation = await world.github.addInstallation({ account: 'acme' });
});
afterAll(() => world[Symbol.asyncDispose]());

/** A repository that AME has looked at. */
async function repository(files: Readonly<Record<string, string>> = {}): Promise<FakeRepository> {
  const name = `pets-${(repositories += 1)}`;
  const made = await world.github.addRepository(installation, { owner: 'acme', name });
  if (Object.keys(files).length > 0) await made.commit(files, { branch: 'main', message: 'before' });
  await world.hear();
  return made;
}

const file = (task: string, on = 'push'): string => text`
  projectname: pets
  on: ${on}
  tasks:
    main: ${task}
`;

test('a push has its run and its answer on the commit', async () => {
  const { github, settle, told } = world;
  const pets = await repository();
  const pushed = await github.push(pets, {
    'ame.yaml': file('echo trained > model.txt'),
    'data.csv': '1,2\n',
  });
  await settle();
  expect(told(pets, pushed.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
  const [ofFile, ofRun] = github.checkRuns(pets).toSorted((a, b) => b.name.localeCompare(a.name));
  expect(ofFile).toMatchObject({ title: 'Runs main', externalId: expect.stringMatching(/^file:/) });
  expect(ofRun?.text).toContain('model&#46;txt');
  expect(ofRun?.detailsUrl).toMatch(/\/runs\/\d+$/);
  expect(ofRun?.actions).toEqual([]);
});

describe('a push that runs nothing', () => {
  test('of a file that is not there asks GitHub once and says nothing', async () => {
    const { github, settle, told, requestsOf } = world;
    const pets = await repository({ 'README.md': 'pets\n' });
    const pushed = await github.push(pets, { 'README.md': 'more pets\n' });
    const asked = await requestsOf(settle);
    expect(asked).toHaveLength(1);
    expect(told(pets, pushed.after)).toEqual([]);
  });

  test('by its filter is told the rule, the line and what would say yes', async () => {
    const { github, settle, told } = world;
    const pets = await repository();
    const pushed = await github.push(pets, { 'ame.yaml': file('echo', '{push: {branches: [release]}}') });
    await settle();
    expect(told(pets, pushed.after)).toEqual(['ame.yaml: neutral']);
    const [check] = github.checkRuns(pets);
    expect(check?.title).toContain('No pattern of `branches` in line 2 matches the branch');
    expect(check?.summary).toContain('branches: [');
  });

  test('with problems has them on their lines, fifty at a time', async () => {
    const { github, settle, told, requestsOf } = world;
    const pets = await repository();
    const keys = Array.from({ length: 120 }, (_, at) => `      wrong_${at}: 1`).join('\n');
    const pushed = await github.push(pets, {
      'ame.yaml': `projectname: pets\ntasks:\n  main:\n    runcommand: echo\n${keys.replaceAll('      ', '    ')}\n`,
    });
    const asked = await requestsOf(settle);
    expect(told(pets, pushed.after)).toEqual(['ame.yaml: failure']);
    const [check] = github.checkRuns(pets);
    expect(check?.annotations).toHaveLength(120);
    expect(check?.annotations[0]).toMatchObject({ path: 'ame.yaml', start_line: 5, end_line: 5 });
    // One to read, one to make the check, and one for each further fifty.
    expect(asked).toHaveLength(4);
  });
});

test('paths are compared over a force push too', async () => {
  const { github, settle, told } = world;
  const only = file('echo', '{push: {paths: [src/**]}}');
  const pets = await repository({ 'ame.yaml': only, 'src/a.py': '1', 'docs/a.md': '1' });
  const docs = await github.push(pets, { 'docs/a.md': '2' });
  await settle();
  expect(told(pets, docs.after)).toEqual(['ame.yaml: neutral']);
  const forced = await pets.forcePush(
    { 'ame.yaml': only, 'src/a.py': '3', 'docs/a.md': '2' },
    { branch: 'main', from: null },
  );
  await github.deliverPush(pets, forced);
  await settle();
  expect(told(pets, forced.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
});

test('a push with one run costs at most five requests until it is in progress and eight in its life', async () => {
  const { github, settle, requestsOf, told } = world;
  const only = file('echo', '{push: {paths: [src/**]}}');
  const pets = await repository({ 'ame.yaml': only, 'src/a.py': '1' });
  const pushed = await github.push(pets, { 'src/a.py': '2' });
  const asked = await requestsOf(settle);
  expect(told(pets, pushed.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
  expect(asked.length).toBeLessThanOrEqual(8);
  const started = asked.findIndex(({ body }) => JSON.stringify(body ?? null).includes('"in_progress"'));
  expect(started).toBeLessThan(5);
});

test('an exception stands beside its line, and the end of the log below the table', async () => {
  const { github, settle, told } = world;
  const pets = await repository();
  const pushed = await github.push(pets, {
    'ame.yaml': file('python3 src/train.py'),
    'src/train.py': 'import json\n\n\ndef main():\n    json.loads("nothing")\n\n\nmain()\n',
  });
  await settle();
  expect(told(pets, pushed.after)).toEqual(['ame.yaml: success', 'ame / main: failure']);
  const check = github.checkRuns(pets).find(({ name }) => name === 'ame / main');
  expect(check?.annotations).toMatchObject([
    {
      path: 'src/train.py',
      start_line: 5,
      annotation_level: 'failure',
      title: expect.stringContaining('JSONDecodeError'),
    },
  ]);
  expect(check?.text).toContain('JSONDecodeError');
  expect(check?.text).toMatch(/running \d/);
});

test('a script that cannot be compiled has its line too, and the end of the log is thirty lines', async () => {
  const { github, settle } = world;
  const pets = await repository();
  await github.push(pets, {
    'ame.yaml': file('seq 100; python3 src/train.py'),
    'src/train.py': 'import json\n\ndef (:\n    pass\n',
  });
  await settle();
  const check = github.checkRuns(pets).find(({ name }) => name === 'ame / main');
  expect(check?.annotations).toMatchObject([
    { path: 'src/train.py', start_line: 3, title: expect.stringContaining('SyntaxError') },
  ]);
  const [, log = ''] = /```\n([\s\S]*?)\n```/.exec(check?.text ?? '') ?? [];
  expect(log.split('\n')).toHaveLength(30);
  expect(log).toMatch(/^75\n[\s\S]*SyntaxError: .*$/);
});

test('a tag, a deleted branch and a commit that comes back have their answers', async () => {
  const { github, settle, told, ame } = world;
  const pets = await repository({ 'ame.yaml': file('echo', '{push: {branches: ["**"], tags: ["v*"]}}') });
  const first = await github.push(pets, { a: '1' }, { branch: 'topic' });
  await settle();
  const tagged = await pets.tag('v1', first.after, { message: 'one' });
  await github.deliverPush(pets, tagged);
  await settle();
  expect(told(pets, first.after)).toEqual([
    'ame.yaml: success',
    'ame / main: success',
    'ame / main: success',
  ]);
  const gone = await pets.deleteRef('refs/heads/topic');
  await github.deliverPush(pets, gone);
  await settle();
  const decisions = await ame.read.decisions({ owner: 'acme', name: pets.name });
  expect(decisions.at(-1)).toMatchObject({ rule: 'ref-deleted', outcome: 'no_run' });
});
