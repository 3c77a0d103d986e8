import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBlobs } from '../../src/git/blobs.ts';
import { lookUp } from '../../src/git/look-up.ts';
import { git, scratch } from './real-git.ts';
import { sampleRepository, zero, type SampleRepository } from './sample-repository.ts';

let temporary: Awaited<ReturnType<typeof scratch>>;
let sample: SampleRepository;

beforeAll(async () => {
  temporary = await scratch();
  sample = await sampleRepository(temporary.path);
});

afterAll(() => temporary[Symbol.asyncDispose]());

test('several things are looked up at once, in order, and what is not there is null', async () => {
  const { dir, work, first } = sample;
  const tag = await git(work, 'rev-parse', 'refs/tags/nested');
  const found = await lookUp(
    dir,
    [
      `${first}^{commit}`,
      `${zero}^{commit}`,
      `${first}^{commit}:ame.yaml`,
      `${first}^{commit}:ame.yml`,
      `${tag}^{commit}`,
      `${zero}:ame.yaml`,
      `${first}:src`,
      `${first}:vendor`,
      `${first}:link`,
      `${first}:empty`,
      `${first}:long`,
      `${first}:ame.yaml^{commit}`,
      `--output=/tmp/x`,
      `${first}:ame.yaml`,
    ],
    20,
  );
  expect(found.map((one) => one?.type ?? null)).toEqual([
    'commit',
    null,
    'blob',
    null,
    'commit',
    null,
    'tree',
    null,
    'blob',
    'blob',
    'blob',
    null,
    null,
    'blob',
  ]);
  expect([found[0]?.id, found[4]?.id]).toEqual([first, first]);
  const text = (at: number): string | undefined => found[at]?.content.toString();
  expect([text(2), text(8), text(9), text(10), text(13)]).toEqual([
    'projectname: spam\n',
    '../outside',
    '',
    'x'.repeat(20),
    'projectname: spam\n',
  ]);
});

test('a name that would be two lines is refused, and no name needs no git', async () => {
  await expect(lookUp(sample.dir, [`${sample.first}\n${sample.first}`], 0)).rejects.toThrow(TypeError);
  expect(await lookUp('/nonexistent', [], 0)).toEqual([]);
  expect(await Array.fromAsync(readBlobs('/nonexistent', []))).toEqual([]);
  await expect(lookUp('/nonexistent', [sample.first], 0)).rejects.toThrow('not found');
});
