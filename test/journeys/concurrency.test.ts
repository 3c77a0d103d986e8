import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordMoves } from '../../src/db/moves.ts';
import { findLocalRepository } from '../../src/db/repositories.ts';
import { createAme, type Ame, type Repository } from './harness.ts';
import { createPipes, type Holding } from './pipes.ts';

let ame: Ame;
beforeAll(async () => {
  ame = await createAme();
});
afterAll(() => ame[Symbol.asyncDispose]());

/** Pushes that each wait in their task until they are let go; each has a state of its own. */
async function busy(
  concurrency: string,
  pushes: readonly { branch?: string; hold?: Holding }[],
): Promise<{ repository: Repository; states: () => Promise<string[]> }> {
  const repository = await ame.repository();
  for (const [at, { branch, hold }] of pushes.entries()) {
    const command = hold ? `read _ < ${hold.path}` : `echo ${at}`;
    await repository.push(
      {
        'ame.yaml': `projectname: busy\non: push\nconcurrency: ${concurrency}\ntasks:\n  main: ${command}\n`,
      },
      branch === undefined ? {} : { branch },
    );
    await ame.step();
    if (at === 0)
      await ame.until(async () => ((await ame.read.run(repository)).state === 'running' ? true : undefined));
  }
  return {
    repository,
    states: async () => (await ame.read.runs(repository)).map((run) => run.class ?? run.state),
  };
}

test('allow: both run', async () => {
  await using pipes = await createPipes();
  const hold = await pipes.hold();
  const { states, repository } = await busy('{when_busy: allow}', [{ hold }, {}]);
  await ame.until(async () => ((await ame.read.run(repository)).state === 'succeeded' ? true : undefined));
  expect(await states()).toEqual(['running', 'succeeded']);
  hold.release();
  await ame.settle();
  expect(await states()).toEqual(['succeeded', 'succeeded']);
});

test('cancel: the newest takes the place of what runs', async () => {
  await using pipes = await createPipes();
  const { states, repository } = await busy('{when_busy: cancel}', [
    { hold: await pipes.hold() },
    { branch: 'other' },
    { branch: 'main' },
  ]);
  await ame.settle();
  expect(await states()).toEqual(['superseded', 'succeeded', 'succeeded']);
  const [first] = await ame.read.runs(repository);
  expect(first).toMatchObject({ state: 'cancelled', reason: 'Superseded by #3.' });
  expect((await ame.read.check(first?.commit ?? '', first ?? null)).says).toMatchObject({
    conclusion: 'cancelled',
    title: expect.stringContaining('Superseded by #3.'),
  });
});

test('queue: the running one goes on, and of those that wait the newest stays', async () => {
  await using pipes = await createPipes();
  const hold = await pipes.hold();
  const { states, repository } = await busy('{when_busy: queue}', [
    { hold },
    {},
    { branch: 'other' },
    { branch: 'main' },
  ]);
  await ame.until(async () => ((await states())[2] === 'succeeded' ? true : undefined));
  expect(await states()).toEqual(['running', 'superseded', 'succeeded', 'queued']);
  hold.release();
  await ame.until(async () => ((await states())[0] === 'succeeded' ? true : undefined));
  await ame.settle();
  expect(await states()).toEqual(['succeeded', 'superseded', 'succeeded', 'succeeded']);
  expect(await ame.read.log(await ame.read.run(repository), 'main')).toBe('3\n');
});

test('a group of the task reaches across branches', async () => {
  await using pipes = await createPipes();
  const hold = await pipes.hold();
  const { states } = await busy('{group: task, when_busy: queue}', [{ hold }, { branch: 'other' }]);
  expect(await states()).toEqual(['running', 'queued']);
  hold.release();
  await ame.settle();
  expect(await states()).toEqual(['succeeded', 'succeeded']);
});

describe('what is late', () => {
  test('a push that is decided after its ref moved on gets a run, cancelled as superseded', async () => {
    const repository = await ame.repository();
    const file = (n: number) => ({
      'ame.yaml': `projectname: late\non: push\nconcurrency: {when_busy: cancel}\ntasks:\n  main: echo ${n}\n`,
    });
    const first = await repository.push(file(0));
    const row = await findLocalRepository(ame.ctx.db, repository);
    if (!row) throw new Error('the push made the repository');
    const late = await repository.commit(file(1));
    const last = await repository.commit(file(2));
    await repository.git('push', '--quiet', ame.ctx.directoryOf(row), 'main');
    const ref = 'refs/heads/main';
    await recordMoves(ame.ctx.db, row.id, [{ ref, before: late, after: last }], null);
    await ame.settle();
    await recordMoves(ame.ctx.db, row.id, [{ ref, before: first.commit, after: late }], null);
    await ame.settle();
    const runs = await ame.read.runs(repository);
    expect(runs.map((run) => [run.commit, run.class])).toEqual([
      [first.commit, 'superseded'],
      [last, 'succeeded'],
      [late, 'superseded'],
    ]);
    expect(runs.at(-1)?.reason).toMatch(/had moved on/);
  });

  test('a retry of what was superseded cancels nothing', async () => {
    await using pipes = await createPipes();
    const [first, second] = [await pipes.hold(), await pipes.hold()];
    const { states, repository } = await busy('{when_busy: cancel}', [{ hold: first }, { hold: second }]);
    await ame.until(async () => ((await states())[0] === 'superseded' ? true : undefined));
    const [superseded] = await ame.read.runs(repository);
    expect((await ame.api('POST', `/runs/${superseded?.id}/retry`)).status).toBe(201);
    await ame.until(async () =>
      (await states()).join() === 'superseded,running,running' ? true : undefined,
    );
    first.release();
    second.release();
    await ame.settle();
    expect(await states()).toEqual(['superseded', 'succeeded', 'succeeded']);
  });
});

test('where there are more attempts than places, the oldest run goes first', async () => {
  await using pipes = await createPipes();
  await using narrow = await createAme({ env: { AME_LOCAL_SLOTS: '1', AME_HOST_NAME: 'narrow' } });
  const trace = join(narrow.directory, 'trace');
  const hold = await pipes.hold();
  const [one, two] = [await narrow.repository(), await narrow.repository()];
  const file = (name: string, first: string) => ({
    'ame.yaml': `projectname: ${name}\non: push\ntasks:\n  main:\n    pipeline:\n      a: ${first}\n      b: {needs: [], runcommand: 'echo ${name} b >> ${trace}'}\n      c: {needs: [], runcommand: 'echo ${name} c >> ${trace}'}\n`,
  });
  await one.push(file('one', `read _ < ${hold.path}`));
  await narrow.until(async () => ((await narrow.read.run(one)).state === 'running' ? true : undefined));
  await two.push(file('two', `echo two a >> ${trace}`));
  await narrow.step();
  hold.release();
  await narrow.settle();
  expect((await readFile(trace, 'utf8')).trim().split('\n')).toEqual([
    'one b',
    'one c',
    'two a',
    'two b',
    'two c',
  ]);
});
