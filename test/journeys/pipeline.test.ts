import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAme, type Ame } from './harness.ts';

let ame: Ame;
beforeAll(async () => {
  ame = await createAme();
});
afterAll(() => ame[Symbol.asyncDispose]());

test('a push of one task is answered with its run, and the run ends', async () => {
  const repository = await ame.repository();
  const pushed = await repository.push({
    'ame.yaml': 'projectname: spam\non: push\ntasks:\n  train: python3 train.py\n',
    'train.py': 'print("loss 0.1")\n',
  });
  expect(pushed.code, pushed.text).toBe(0);
  expect(pushed.lines).toContainEqual(expect.stringMatching(/^ame\.yaml: success: Runs train/));
  expect(pushed.lines).toContainEqual(expect.stringMatching(/^spam#1 of train: http:\/\/127\.0\.0\.1:\d+\/runs\/\d+\?token=/));
  await ame.settle();
  const run = await ame.read.run(repository);
  expect(run).toMatchObject({ state: 'succeeded', class: 'succeeded', number: 1, ref: 'refs/heads/main' });
  expect(await ame.read.log(run, 'train')).toBe('loss 0.1\n');
  expect(await ame.read.check(pushed.commit, run)).toMatchObject({ says: { conclusion: 'success' } });
});
