import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAme, type Ame } from './harness.ts';
import { text } from './text.ts';

let ame: Ame;
beforeAll(async () => {
  ame = await createAme();
});
afterAll(() => ame[Symbol.asyncDispose]());

const fine = 'projectname: fine\non: push\ntasks:\n  main: "true"\n';

test('every problem of a file is answered with line and column, and nothing runs', async () => {
  const repository = await ame.repository();
  const pushed = await repository.push({
    'ame.yaml': text`
      projectname: wrong
      on: push
      tasks:
        main:
          pipeline:
            one: {runcomand: echo}
            two: {needs: [nobody], runcommand: echo, timeout: soon}
    `,
  });
  expect(pushed.code).toBe(0);
  expect(pushed.lines[0]).toMatch(/^ame\.yaml: failure: \d errors in ame\.yaml$/);
  expect(pushed.lines).toContainEqual(expect.stringMatching(/^ame\.yaml:6:13: error: .*runcomand/));
  expect(pushed.lines).toContainEqual(expect.stringMatching(/^ame\.yaml:7:21: error: .*nobody/));
  expect(pushed.lines).toContainEqual(expect.stringMatching(/^ame\.yaml:7:57: error: .*soon/));
  const check = await ame.read.check(pushed.commit, null);
  expect(check.says).toMatchObject({ name: 'ame.yaml', status: 'completed', conclusion: 'failure' });
  expect(check.says.annotations.map(({ line, column, level }) => [line, column, level])).toEqual(
    expect.arrayContaining([
      [6, 13, 'failure'],
      [7, 21, 'failure'],
      [7, 57, 'failure'],
    ]),
  );
  await ame.settle();
  expect(await ame.read.runs(repository)).toEqual([]);
  expect(await ame.read.decisions(repository)).toMatchObject([
    { outcome: 'problems', rule: 'file-invalid', commit: pushed.commit },
  ]);
  const said = await ame.read.check(pushed.commit, null);
  expect([said.said, said.dueAt]).toEqual([said.says, null]);
});

test('a file with warnings runs, and says them', async () => {
  const repository = await ame.repository();
  const pushed = await repository.push({
    'ame.yaml': 'name: older\non: push\ntasks:\n  - name: main\n    command: echo it runs\n',
  });
  expect(pushed.lines[0]).toMatch(/^ame\.yaml: success: \d warnings\. Runs main$/);
  expect(pushed.lines.filter((line) => line.includes(': warning: ')).length).toBeGreaterThanOrEqual(2);
  await ame.settle();
  expect(await ame.read.log(await ame.read.run(repository), 'main')).toBe('it runs\n');
});

test('a file that is broken in indentation only runs, with a warning at each line that must move', async () => {
  const repository = await ame.repository();
  const pushed = await repository.push({
    'ame.yaml': text`
      projectname: crooked
      on: push
      tasks:
        main:
          pipeline:
            one:
              runcommand: echo one
           two:
              runcommand: echo two
    `,
  });
  expect(pushed.lines).toContainEqual(expect.stringMatching(/^ame\.yaml:8:\d+: warning: /));
  await ame.settle();
  expect(await ame.read.states(await ame.read.run(repository))).toEqual(['one succeeded', 'two succeeded']);
});

test('a plan that only as a whole is too large is the fault of the file, and said on its check', async () => {
  const repository = await ame.repository();
  const levels = ['a', 'b', 'c', 'd'].map((name, at, all) => {
    const below = all[at + 1];
    const entries = Array.from({ length: 12 }, (_, n) =>
      below === undefined ? `t${n}: "true"` : `t${n}: {taskref: ${below}}`,
    );
    return `  ${name}: {pipeline: {${entries.join(', ')}}}`;
  });
  const pushed = await repository.push({
    'ame.yaml': `projectname: huge\non: {push: {run: [a]}}\ntasks:\n${levels.join('\n')}\n`,
  });
  expect(pushed.lines[0]).toMatch(/^ame\.yaml: (failure|neutral): /);
  expect(await ame.read.runs(repository)).toEqual([]);
  const [decision] = await ame.read.decisions(repository);
  expect(decision).toMatchObject({ outcome: 'problems' });
});

describe('what is said about files that are not read', () => {
  test('a file of the other name beside the right one', async () => {
    const repository = await ame.repository();
    const pushed = await repository.push({ 'ame.yaml': fine, 'ame.yml': fine });
    expect(pushed.lines).toContainEqual(expect.stringMatching(/notice: .*ame\.yml/));
  });

  test('only a file of the other name', async () => {
    const repository = await ame.repository();
    const pushed = await repository.push({ 'ame.yml': fine });
    expect(pushed.lines.join('\n')).toMatch(/ame\.yml.*ame\.yaml/);
    expect(await ame.read.runs(repository)).toEqual([]);
  });

  test('pointers of LFS and submodules get a warning, and the task runs without them', async () => {
    const repository = await ame.repository();
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'4d'.repeat(32)}\nsize 12345\n`;
    await repository.commit({
      'ame.yaml': 'projectname: lfs\non: push\ntasks:\n  main: "ls sub | wc -l"\n',
      'data.bin': pointer,
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      '.gitmodules': '[submodule "sub"]\n\tpath = sub\n\turl = https://example.com/sub.git\n',
    });
    await repository.git('update-index', '--add', '--cacheinfo', `160000,${'12'.repeat(20)},sub`);
    await repository.git('commit', '--quiet', '--amend', '--no-edit');
    const pushed = await repository.push();
    expect(pushed.code, pushed.text).toBe(0);
    expect(pushed.lines).toContainEqual(expect.stringMatching(/warning: .*LFS/));
    expect(pushed.lines).toContainEqual(expect.stringMatching(/warning: .*submodule/i));
    await ame.settle();
    const run = await ame.read.run(repository);
    expect([run.state, (await ame.read.log(run, 'main')).trim()]).toEqual(['succeeded', '0']);
  });
});

test('without `on` a push runs something only where it adds or changes the file', async () => {
  const repository = await ame.repository();
  const file = (command: string): string => `projectname: plain\ntasks:\n  main: ${command}\n`;
  const answers: (string | undefined)[] = [];
  for (const files of [
    { 'readme.md': 'nothing yet\n' },
    { 'ame.yaml': file('echo added') },
    { 'readme.md': 'more\n' },
    { 'ame.yaml': file('echo changed') },
    { 'ame.yaml': null },
    { 'readme.md': 'the end\n' },
  ]) {
    await repository.push(files);
    answers.push((await ame.read.decisions(repository)).at(-1)?.rule);
  }
  expect(answers).toEqual([
    'file-absent',
    'file-added',
    'file-unchanged',
    'file-changed',
    'file-deleted',
    'file-absent',
  ]);
  await ame.settle();
  const runs = await ame.read.runs(repository);
  expect(await Promise.all(runs.map((run) => ame.read.log(run, 'main')))).toEqual(['added\n', 'changed\n']);
});
