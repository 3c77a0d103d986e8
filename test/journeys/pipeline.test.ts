import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { planDigest, planTask } from '../../src/core/plan.ts';
import { createAme, type Ame } from './harness.ts';
import { text } from './text.ts';

let ame: Ame;
beforeAll(async () => {
  ame = await createAme();
});
afterAll(() => ame[Symbol.asyncDispose]());

/** Pushes a file that runs its `main`, and waits for the end of the run. */
async function run(file: string) {
  const repository = await ame.repository();
  const pushed = await repository.push({ 'ame.yaml': file });
  expect(pushed.code, pushed.text).toBe(0);
  await ame.settle();
  const ended = await ame.read.run(repository);
  return { run: ended, pushed, states: await ame.read.states(ended), repository };
}

test('a push of one task is answered with its run, and the run ends', async () => {
  const repository = await ame.repository();
  const pushed = await repository.push({
    'ame.yaml': 'projectname: spam\non: push\ntasks:\n  train: python3 train.py\n',
    'train.py': 'print("loss 0.1")\n',
  });
  expect(pushed.code, pushed.text).toBe(0);
  expect(pushed.lines).toContainEqual(expect.stringMatching(/^ame\.yaml: success: Runs train/));
  expect(pushed.lines).toContainEqual(
    expect.stringMatching(/^spam#1 of train: http:\/\/127\.0\.0\.1:\d+\/runs\/\d+\?token=/),
  );
  await ame.settle();
  const run = await ame.read.run(repository);
  expect(run).toMatchObject({ state: 'succeeded', class: 'succeeded', number: 1, ref: 'refs/heads/main' });
  expect(await ame.read.log(run, 'train')).toBe('loss 0.1\n');
  const check = await ame.read.check(pushed.commit, run);
  expect(check).toMatchObject({
    says: { name: 'ame / train', status: 'completed', conclusion: 'success' },
    dueAt: null,
  });
  expect(check.said).toEqual(check.says);
});

test('the plan of a run has the digest that the same file gives anywhere', async () => {
  const file = text`
    projectname: digests
    on: push
    tasks:
      main:
        timeout: 2h
        pipeline:
          a: {runcommand: "true", env: {B: two, A: one}, resources: {memory: 1Gi}}
          b: {needs: [], runcommand: "true"}
  `;
  const { run: row } = await run(file);
  const { project } = parseProjectFile(new TextEncoder().encode(file));
  if (!project) throw new Error('the file is valid');
  const { plan } = planTask(project, 'main');
  expect([row.planDigest, planDigest(row.plan)]).toEqual([planDigest(plan), planDigest(plan)]);
});

test('tasks follow the one above them, or what they need, and each finds what those left', async () => {
  const ended = await run(text`
    projectname: order
    on: push
    tasks:
      main:
        pipeline:
          first: echo 1 >> trace
          second: echo 2 >> trace
          side: {needs: [], runcommand: test ! -e trace && touch side}
          joint: {needs: [second, side], runcommand: [cat trace, test -e side]}
  `);
  expect(ended.states).toEqual(['first succeeded', 'second succeeded', 'side succeeded', 'joint succeeded']);
  expect(await ame.read.log(ended.run, 'joint')).toBe('1\n2\n');
});

test('tasks that need nothing of each other run at the same time', async () => {
  const pipe = join(ame.directory, 'meeting');
  await promisify(execFile)('mkfifo', [pipe]);
  const ended = await run(text`
    projectname: together
    on: push
    tasks:
      main:
        pipeline:
          one: echo met > ${pipe}
          other: {needs: [], runcommand: cat ${pipe}}
  `);
  expect(ended.states).toEqual(['one succeeded', 'other succeeded']);
  expect(await ame.read.log(ended.run, 'other')).toBe('met\n');
});

test('a pipeline inside a pipeline and a task defined elsewhere', async () => {
  const ended = await run(text`
    projectname: nested
    on: push
    tasks:
      main:
        pipeline:
          prepare: echo prepare > order
          inner:
            pipeline:
              one: echo one >> order
              two: echo two >> order
          again: {taskref: both, env: {WORD: again}}
          show: {needs: [inner, again], runcommand: cat order}
      both:
        pipeline:
          x: {runcommand: 'echo x $WORD >> order', env: {WORD: lost, MORE: kept}}
          y: 'echo y $WORD >> order'
  `);
  expect(ended.states).toEqual([
    'prepare succeeded',
    'inner/one succeeded',
    'inner/two succeeded',
    'again/x succeeded',
    'again/y succeeded',
    'show succeeded',
  ]);
  expect(await ame.read.log(ended.run, 'show')).toBe('prepare\none\ntwo\nx again\ny again\n');
});

test('one failure fails the run; `if` decides what still runs, and independent branches go on', async () => {
  const ended = await run(text`
    projectname: conditions
    on: push
    tasks:
      main:
        pipeline:
          good: "true"
          bad: {needs: [], runcommand: [echo half > half.txt, exit 3]}
          after_bad: echo never
          clean_up: {needs: [bad], if: failure, runcommand: cat half.txt}
          no_need: {needs: [good], if: failure, runcommand: echo never}
          report: {needs: [good, after_bad], if: always, runcommand: [cat half.txt, echo reported]}
          independent: {needs: [good], runcommand: test ! -e half.txt}
  `);
  expect(ended.states).toEqual(
    [
      'good succeeded',
      'bad failed exit',
      'after_bad skipped',
      'clean_up succeeded',
      'no_need skipped',
      'report succeeded',
      'independent succeeded',
    ].toSorted((a, b) => order(ended.run.plan.tasks, a) - order(ended.run.plan.tasks, b)),
  );
  expect(ended.run).toMatchObject({
    state: 'failed',
    class: 'exit',
    reason: 'bad: The command ended with exit code 3.',
  });
  expect(await ame.read.log(ended.run, 'clean_up')).toBe('half\n');
  expect(await ame.read.log(ended.run, 'report')).toBe('half\nreported\n');
  const { says } = await ame.read.check(ended.pushed.commit, ended.run);
  expect(says).toMatchObject({ status: 'completed', conclusion: 'failure' });
  expect(says.text).toMatch(
    /^\| <code>bad<\/code> \| failed: exit code \| [\d.]+ s \| [^|]* \| 1 \| The command ended with exit code 3/m,
  );
  expect(says.text).toMatch(
    /^\| <code>after&#95;bad<\/code> \| skipped \|  \|  \| 1 \| <code>bad<\/code> failed/m,
  );
  // It printed nothing, so there is no end of a log to show.
  expect(says.text).not.toContain('The end of the log');
});

test('a run of which nothing may run is skipped', async () => {
  const ended = await run(
    'projectname: none\non: push\ntasks:\n  main: {if: failure, runcommand: echo never}\n',
  );
  expect(ended.run).toMatchObject({ state: 'skipped', class: 'skipped' });
  expect((await ame.read.check(ended.pushed.commit, ended.run)).says).toMatchObject({
    conclusion: 'skipped',
  });
});

test('one push may start several runs, each with a check of its own', async () => {
  const repository = await ame.repository();
  const pushed = await repository.push({
    'ame.yaml': text`
      projectname: several
      on: {push: {run: [lint, train]}}
      tasks:
        lint: "true"
        train: exit 1
    `,
  });
  await ame.settle();
  const runs = await ame.read.runs(repository);
  expect(runs.map((row) => [row.number, row.task, row.state])).toEqual([
    [1, 'lint', 'succeeded'],
    [2, 'train', 'failed'],
  ]);
  for (const row of runs)
    expect((await ame.read.check(pushed.commit, row)).says.name).toBe(`ame / ${row.task}`);
});

test('many tasks side by side, more than there are slots, end', async () => {
  const tasks = Array.from({ length: 10 }, (_, at) => [
    `      a${at}: {needs: [], runcommand: "echo ${at} > n${at}"}`,
    `      b${at}: {needs: [a${at}], runcommand: "cat n${at}"}`,
  ]).flat();
  const ended = await run(
    `projectname: wide\non: push\ntasks:\n  main:\n    pipeline:\n${tasks.join('\n')}\n      end: {needs: [${Array.from({ length: 10 }, (_, at) => `b${at}`).join(', ')}], runcommand: 'cat n* | wc -l'}\n`,
  );
  expect(ended.run.state).toBe('succeeded');
  expect((await ame.read.log(ended.run, 'end')).trim()).toBe('10');
});

function order(tasks: readonly { readonly name: string }[], state: string): number {
  return tasks.findIndex(({ name }) => name === state.split(' ')[0]);
}
