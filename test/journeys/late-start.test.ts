import { expect, test } from 'vitest';
import { AttemptOverError } from '../../src/core/attempt.ts';
import { createAme } from './harness.ts';

test('a start that was held up until its attempt had reported runs nothing once more', async () => {
  await using ame = await createAme();
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': 'projectname: late\non: push\ntasks:\n  main: echo once\n' });
  await ame.step();
  const run = await ame.read.run(repository);
  await ame.watch(async () => ((await ame.read.attempt(run, 'main')).report === null ? undefined : true));
  // Nobody has looked at the report yet, and whoever meant to start it comes only now.
  const { id, finishedAt } = await ame.read.attempt(run, 'main');
  expect(finishedAt).toBeNull();
  await expect(ame.ctx.door.input(id)).rejects.toThrow(AttemptOverError);
  await ame.settle();
  expect(await ame.read.states(run)).toEqual(['main succeeded']);
});
