import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAme } from './harness.ts';

const file = (trace: string): string => `projectname: traced
on: push
tasks:
  main:
    pipeline:
      a: echo $AME_RUN/$AME_TASK >> ${trace}
      b: {needs: [], runcommand: 'echo $AME_RUN/$AME_TASK >> ${trace}; echo b > b'}
      c: {needs: [a, b], runcommand: 'cat b; echo $AME_RUN/$AME_TASK >> ${trace}'}
`;

test('two workers on one database never double a run or an attempt', async () => {
  await using here = await createAme();
  await using there = await createAme({ beside: here, env: { AME_HOST_NAME: 'there' } });
  const trace = join(here.directory, 'trace');
  const [one, two] = [await here.repository(), await there.repository()];
  for (let n = 0; n < 4; n += 1) {
    await one.commit({ 'ame.yaml': file(`${trace}-one`), n: String(n) });
    await two.commit({ 'ame.yaml': file(`${trace}-two`), n: String(n) });
    // Both step all the time, and each push is decided by whoever comes first.
    await Promise.all([here.during(one.push()), there.during(two.push())]);
  }
  await Promise.all([here.settle(), there.settle()]);
  const hosts = new Set<string | null>();
  for (const [repository, name] of [
    [one, 'one'],
    [two, 'two'],
  ] as const) {
    const runs = await here.read.runs(repository);
    expect(runs.map((run) => [run.number, run.state])).toEqual(
      [1, 2, 3, 4].map((number) => [number, 'succeeded']),
    );
    for (const run of runs) {
      const attempts = await here.read.attempts(run);
      expect(attempts.map((row) => [row.task, row.number, row.state])).toEqual(
        ['a', 'b', 'c'].map((task) => [task, 1, 'succeeded']),
      );
      for (const row of attempts) hosts.add(row.host);
      expect(await there.read.log(run, 'c')).toBe('b\n');
    }
    const lines = (await readFile(`${trace}-${name}`, 'utf8')).trim().split('\n');
    expect(lines.toSorted()).toEqual(
      [1, 2, 3, 4].flatMap((run) => ['a', 'b', 'c'].map((task) => `${run}/${task}`)),
    );
  }
  expect(hosts).toEqual(new Set(['here', 'there']));
});

test('a worker that is gone after a report came leaves nothing undone: another one ends the run', async () => {
  await using here = await createAme();
  await using there = await createAme({ beside: here, env: { AME_HOST_NAME: 'there' } });
  const repository = await here.repository();
  await repository.push({
    'ame.yaml': 'projectname: left\non: push\ntasks:\n  main: {pipeline: {a: echo a > a, b: cat a}}\n',
  });
  await here.step();
  const run = await here.read.run(repository);
  await here.watch(async () => ((await here.read.attempt(run, 'a')).report === null ? undefined : true));
  expect((await here.read.run(repository)).state).not.toBe('succeeded');
  await there.settle();
  expect(await there.read.run(repository)).toMatchObject({ state: 'succeeded' });
  expect((await there.read.attempts(run)).map((row) => [row.task, row.host])).toEqual([
    ['a', 'here'],
    ['b', 'there'],
  ]);
});

test('without a notice and without a hint everything still ends', async () => {
  await using ame = await createAme({ deaf: true });
  const stopping = new AbortController();
  const running = Promise.all(Object.values(ame.loops).map((loop) => loop.run(stopping.signal)));
  const repository = await ame.repository();
  const pushed = await repository.push({
    'ame.yaml': 'projectname: deaf\non: push\ntasks:\n  main: {pipeline: {a: echo a > a, b: cat a}}\n',
  });
  expect(pushed.lines).toContainEqual(expect.stringMatching(/^deaf#1 of main/));
  const run = await ame.watch(async () =>
    (await ame.read.runs(repository)).find((row) => row.finishedAt !== null),
  );
  expect(run.state).toBe('succeeded');
  expect((await ame.read.check(run.commit, run)).says).toMatchObject({ conclusion: 'success' });
  stopping.abort();
  await running;
});
