import { afterAll, beforeAll, expect, test } from 'vitest';
import { listChecks } from '../../src/db/checks.ts';
import { listProjects } from '../../src/db/projects.ts';
import { saveSecret } from '../../src/db/secrets.ts';
import { createAme, createClock, type Ame } from './harness.ts';
import { createPipes } from './pipes.ts';

const clock = createClock();
let ame: Ame;
beforeAll(async () => {
  ame = await createAme({ clock });
});
afterAll(() => ame[Symbol.asyncDispose]());

test('a file with text that nothing can hold is answered like any other mistake', async () => {
  const repository = await ame.repository();
  const { lines, commit } = await repository.push({
    'ame.yaml': 'projectname: nul\non: push\ntasks:\n  main: "echo a\\0b"\n  "half\\ud800": "true"\n',
  });
  expect(lines[0]).toBe('ame.yaml: failure: 2 errors in ame.yaml');
  expect(lines.join('\n')).toMatch(/ame\.yaml:4:\d+: error: .*NUL/);
  expect((await ame.read.decisions(repository)).at(-1)).toMatchObject({ outcome: 'problems', commit });
});

test('what a task prints cannot keep its ending from being stored', async () => {
  const repository = await ame.repository();
  const script = `printf '%b' 'sh: 1: a\\0000b: not found\\n' >&2; exit 127`;
  await repository.push({
    'ame.yaml': `projectname: nul127\non: push\ntasks:\n  main: ${JSON.stringify(script)}\n`,
  });
  await ame.settle();
  const run = await ame.read.run(repository);
  expect(run).toMatchObject({ state: 'failed', class: 'command_not_found' });
});

test('several refs on one commit: each is answered for itself, and none takes back what another runs', async () => {
  const repository = await ame.repository();
  const file = 'projectname: refs\non: {push: {branches: [main, side]}}\ntasks:\n  main: "true"\n';
  const { commit, lines } = await repository.push(
    { 'ame.yaml': file },
    { refspecs: ['HEAD:refs/heads/main', 'HEAD:refs/heads/other', 'HEAD:refs/heads/side'] },
  );
  const answers = lines.filter((line) => /^(main|other|side):$|^ame\.yaml: /.test(line));
  expect(answers).toEqual([
    'main:',
    'ame.yaml: success: Runs main',
    'other:',
    expect.stringMatching(/^ame\.yaml: neutral: Nothing runs: /),
    'side:',
    'ame.yaml: success: Runs main',
  ]);
  expect(
    lines
      .filter((line) => /^refs#\d of main: /.test(line))
      .map((line) => line.slice(0, 6))
      .toSorted(),
  ).toEqual(['refs#1', 'refs#2']);
  const tagged = await repository.push(undefined, { refspecs: ['HEAD:refs/tags/v1'] });
  expect(tagged.lines[0]).toMatch(/^ame\.yaml: neutral: Nothing runs: .*tag/);
  const [check] = await listChecks(ame.ctx.db, { sha: commit });
  expect(check?.says).toMatchObject({ conclusion: 'success', title: 'Runs main' });
});

test('only the default branch says what a project is called', async () => {
  const repository = await ame.repository();
  const named = (name: string): string => `projectname: ${name}\non: push\ntasks:\n  main: "true"\n`;
  await repository.push({ 'ame.yaml': named('first') });
  const side = await repository.push({ 'ame.yaml': named('usurper') }, { branch: 'side' });
  expect(side.lines.join('\n')).toContain('first#2 of main: ');
  const names = async (): Promise<readonly string[]> =>
    (await listProjects(ame.ctx.db))
      .filter((project) => project.repository.name === repository.name)
      .map((project) => project.name);
  expect(await names()).toEqual(['first']);
  await repository.push({ 'ame.yaml': named('second') }, { branch: 'main' });
  expect(await names()).toEqual(['second']);
});

test('a secret in the name of what is refused is hidden in the reason', async () => {
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': 'projectname: veiled\ntasks:\n  main: "true"\n' });
  const [project] = (await listProjects(ame.ctx.db)).filter(({ name }) => name === 'veiled');
  await saveSecret(ame.ctx.db, ame.ctx.secretKey, {
    projectId: project?.id ?? 0,
    name: 'TOK',
    value: 'hunter2secret',
  });
  await repository.push({
    'ame.yaml':
      'projectname: veiled\non: push\ntasks:\n  main: {runcommand: mkfifo "pipe-$TOK", secrets: [TOK]}\n',
  });
  await ame.settle();
  const run = (await ame.read.runs(repository)).at(-1);
  expect(run).toMatchObject({ state: 'failed', class: 'content_refused' });
  expect(run?.reason).toContain('pipe-***');
  expect(JSON.stringify(await listChecks(ame.ctx.db, { runId: run?.id ?? 0 }))).not.toContain(
    'hunter2secret',
  );
});

test('while a run goes on, its check says of each task how it is', async () => {
  await using pipes = await createPipes();
  const [up, hold] = [await pipes.listen(), await pipes.hold()];
  const repository = await ame.repository();
  const { commit } = await repository.push({
    'ame.yaml': `projectname: goes-on
on: push
tasks:
  main:
    pipeline:
      first: "true"
      second: "echo up > ${up.path}; read _ < ${hold.path}"
`,
  });
  await ame.during(up.first);
  const run = await ame.read.run(repository);
  const check = await ame.until(async () => {
    clock.advance(1);
    const { says } = await ame.read.check(commit, run);
    return says.lines.some((line) => line.startsWith('second running')) ? says : undefined;
  });
  expect(check.status).toBe('in_progress');
  expect(check.lines[0]).toMatch(/^first succeeded/);
  hold.release();
  await ame.settle();
  expect((await ame.read.check(commit, run)).says).toMatchObject({
    status: 'completed',
    conclusion: 'success',
  });
});
