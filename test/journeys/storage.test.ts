import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { StorageAwayError } from '../../src/storage/storage.ts';
import { createFakeS3, sendXml } from '../storage/s3-fake.ts';
import { createAme } from './harness.ts';

const file = `projectname: shop
on: push
tasks:
  main:
    pipeline:
      make: echo made > result
      use: {needs: make, runcommand: "cat result && echo used >> result"}
`;

test('content lies in a bucket, and a bucket that is away costs a run nothing but time', async () => {
  let busy = 2;
  await using fake = await createFakeS3(({ method, response }) => {
    if (method !== 'PUT' || busy === 0) return false;
    busy -= 1;
    return sendXml(response, 503, '<Error><Code>SlowDown</Code></Error>');
  });
  const { endpoint, bucket, accessKeyId, secretAccessKey } = fake.options;
  let away = false;
  let refused = 0;
  await using ame = await createAme({
    env: {
      AME_S3_ENDPOINT: endpoint,
      AME_S3_BUCKET: bucket,
      AME_S3_ACCESS_KEY_ID: accessKeyId,
      AME_S3_SECRET_ACCESS_KEY: secretAccessKey,
      AME_S3_PREFIX: 'content',
    },
    seams: {
      storage: (own) => ({
        ...own,
        async read(digest, range) {
          if (away || (refused += 1) === 1) throw new StorageAwayError('S3 does not answer');
          return own.read(digest, range);
        },
      }),
    },
  });
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': file });
  await ame.settle();
  const run = await ame.read.run(repository);
  expect(await ame.read.states(run)).toEqual(['make succeeded', 'use succeeded']);
  expect((await ame.read.attempts(run)).map(({ number }) => number)).toEqual([1, 1]);
  expect(await ame.read.log(run, 'use', 1)).toBe('made\n');
  const [artifact] = await ame.read.artifacts(run, 'use');
  expect(artifact && (await ame.read.content(artifact))).toBe('made\nused\n');
  expect([...fake.objects.keys()].every((key) => key.startsWith('content/blobs/'))).toBe(true);
  expect(await readdir(join(ame.directory, ame.ctx.config.host))).not.toContain('content');
  expect(busy).toBe(0);

  away = true;
  const path = `/artifacts/${artifact?.id ?? 0}/content`;
  expect(await ame.api('GET', path)).toMatchObject({ status: 503 });
});
