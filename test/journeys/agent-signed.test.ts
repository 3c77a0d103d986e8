import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHttpDoor } from '../../src/agent/http-door.ts';
import { createSignedContent } from '../../src/agent/signed-content.ts';
import { systemClock } from '../../src/agent/clock.ts';
import { attemptToken } from '../../src/attempt/token.ts';
import { AttemptFaultError, type SignedDoor } from '../../src/core/attempt.ts';
import { doorLimits } from '../../src/core/door-wire.ts';
import { digestOf } from '../../src/core/snapshot.ts';
import { createFakeS3 } from '../storage/s3-fake.ts';
import { createAme, type Ame, type AmeOptions } from './harness.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ame-signed-door-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** An attempt that runs until the house is torn down, and its door over HTTP. */
async function runningAttempt(ame: Ame) {
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': 'projectname: s\non: push\ntasks:\n  wait: sleep 600\n' });
  const attempt = await ame.until(async () => {
    const [run] = await ame.read.runs(repository);
    const [first] = run === undefined ? [] : await ame.read.attempts(run);
    return first?.state === 'running' ? first.id : undefined;
  });
  const token = attemptToken(ame.ctx.ownKey, attempt);
  const { signed, ...door } = createHttpDoor({ url: ame.address, attempt, token });
  if (signed === undefined) throw new Error('the door over HTTP knows of ways past it');
  return { attempt, door, signed };
}

test('files go straight to a bucket and come from it, as far as the rows allow it', async () => {
  await using fake = await createFakeS3();
  const { endpoint, bucket, accessKeyId, secretAccessKey } = fake.options;
  const options: AmeOptions = {
    env: {
      AME_S3_ENDPOINT: endpoint,
      AME_S3_BUCKET: bucket,
      AME_S3_ACCESS_KEY_ID: accessKeyId,
      AME_S3_SECRET_ACCESS_KEY: secretAccessKey,
    },
  };
  await using ame = await createAme(options);
  const { attempt, door, signed } = await runningAttempt(ame);
  const bytes = Buffer.from('what a task made');
  const digest = digestOf(bytes);
  const path = join(directory, 'made');
  await writeFile(path, bytes);
  const through: string[] = [];
  const content = createSignedContent({
    door: {
      signed,
      async readBlob(...asked) {
        through.push('read');
        return door.readBlob(...asked);
      },
      async writeBlob(...asked) {
        through.push('write');
        await door.writeBlob(...asked);
      },
    },
    attempt,
    clock: systemClock,
    signal: new AbortController().signal,
  });
  expect([...(await door.missingBlobs(attempt, [digest]))]).toEqual([digest]);
  expect(await content.put(Buffer.from(path), digest, bytes.length)).toBe(true);
  expect([...(await door.missingBlobs(attempt, [digest]))]).toEqual([]);
  const back = join(directory, 'back');
  await content.place(digest, Buffer.from(back), 0o600);
  expect(await readFile(back, 'utf8')).toBe('what a task made');
  expect(through).toEqual([]);

  // What lies in the store is not for everybody who can name it, and nothing is believed that nobody put there.
  const secret = Buffer.from('of another repository');
  await ame.ctx.storage.write(digestOf(secret), new Blob([secret]).stream());
  const [theirs, mine] = [digestOf(secret), digest];
  expect([...((await signed.reads(attempt, [theirs, mine])) ?? [])].map(([one]) => one)).toEqual([mine]);
  expect(await signed.writes(attempt, [theirs])).toEqual(new Map());
  const never = digestOf(Buffer.from('never put'));
  const offers = [
    { digest: never, upload: (await signed.writes(attempt, [never]))?.get(never)?.upload ?? '' },
    { digest: theirs, upload: '' },
    { digest: theirs, upload: `.${'A'.repeat(43)}` },
  ];
  for (const offer of offers) expect([...(await signed.confirm(attempt, [offer]))]).toEqual([offer.digest]);
  expect(await door.missingBlobs(attempt, [never, theirs])).toEqual(new Set([never, theirs]));
  const many = Array.from({ length: doorLimits.signed + 1 }, (_, at) => digestOf(Buffer.from(String(at))));
  await expect(signed.reads(attempt, many)).rejects.toThrow(AttemptFaultError);
});

test('with content in the data directory there is no way past the door', async () => {
  await using ame = await createAme();
  const { attempt, signed } = await runningAttempt(ame);
  const digest = digestOf(Buffer.from('x'));
  const asked = async (one: SignedDoor) => ({
    reads: await one.reads(attempt, [digest]),
    writes: await one.writes(attempt, [digest]),
    refused: [...(await one.confirm(attempt, [{ digest, upload: '' }]))],
  });
  expect(await asked(signed)).toEqual({ reads: null, writes: null, refused: [digest] });
});
