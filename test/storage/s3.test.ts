import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/snapshot.ts';
import { createS3Client, type S3Place } from '../../src/storage/s3/client.ts';
import { openS3Storage } from '../../src/storage/s3.ts';
import { BlobMismatchError, BlobMissingError } from '../../src/core/blob.ts';
import { StorageRefusedError } from '../../src/storage/storage.ts';
import { testBucket } from './s3-server.ts';
import { bytesOf, largeContent, spam, storageSuite, streamOf, textOf } from './suite.ts';

const found = await testBucket(`run-${randomUUID()}/`);
const reason =
  found === null ? ' (skipped: set AME_TEST_S3 to http://<access key>:<secret>@<host>:<port>)' : '';
if (found === null) process.stderr.write(`the tests on a real S3 server are not run${reason}\n`);
const server: S3Place = found ?? {
  endpoint: 'http://127.0.0.1:9',
  bucket: 'nowhere',
  region: 'us-east-1',
  accessKeyId: 'nobody',
  secretAccessKey: 'nothing',
  prefix: '',
};

describe.skipIf(found === null)(`a server that speaks S3${reason}`, () => {
  /** A prefix of its own, emptied at the end. */
  function fresh() {
    const own = { ...server, prefix: `${server.prefix}${randomUUID()}/` };
    const { bucket } = createS3Client(own);
    const keys = async () => ((await bucket.listObjects('/', own.prefix)) ?? []).map(({ Key }) => Key);
    const uploads = async () => {
      const answer = await bucket.listMultipartUploads('/', '', 'GET', { prefix: own.prefix });
      return [...JSON.stringify(answer).matchAll(/"UploadId":"([^"]+)"/g)].map(([, id]) => id ?? '');
    };
    const close = async () => {
      for (const key of await keys()) await bucket.deleteObject(key);
    };
    return { own, bucket, keys, uploads, close, storage: openS3Storage(own) };
  }

  storageSuite('S3', async () => {
    const { own, keys, uploads, close, storage } = fresh();
    return {
      storage,
      again: async () => openS3Storage(own),
      leftovers: async () => [
        ...(await keys()).filter((key) => !key.startsWith(`${own.prefix}blobs/`)),
        ...(await uploads()),
      ],
      close,
    };
  });

  describe('a signed request', () => {
    test('reads, without a key', async () => {
      const { storage, close } = fresh();
      await storage.write(spam, streamOf('spam'));
      const url = await storage.presignRead(spam);
      expect(await (await fetch(url)).text()).toBe('spam');
      expect((await fetch(url, { method: 'PUT', body: 'eggs' })).status).toBe(403);
      expect((await fetch(url.replace(spam, digestOf(bytesOf('eggs'))))).status).toBe(403);
      await close();
    });

    test('writes that content alone, and is believed once it is there', async () => {
      const { storage, close } = fresh();
      const { url, headers, upload } = await storage.presignWrite(spam);
      await expect(storage.confirmWrite(spam, upload)).rejects.toThrow(BlobMissingError);
      expect((await fetch(url, { method: 'PUT', headers, body: 'eggs' })).status).toBe(400);
      expect((await fetch(url, { method: 'PUT', body: 'eggs' })).status).toBe(403);
      expect(await storage.has(spam)).toBe(false);
      expect((await fetch(url, { method: 'PUT', headers, body: 'spam' })).status).toBe(200);
      expect(await storage.confirmWrite(spam, upload)).toBe(4);
      expect(await storage.confirmWrite(spam, upload)).toBe(4);
      expect(await textOf(await storage.read(spam))).toBe('spam');
      await close();
    });
  });

  test('what broke off is removed once it is old, and what is whole stays', async () => {
    const { storage, bucket, own, keys, uploads, close } = fresh();
    await storage.write(spam, streamOf('spam'));
    for (const name of ['a', 'b']) await bucket.getMultipartUploadId(`${own.prefix}blobs/${name}`);
    await bucket.putObject(`${own.prefix}incoming/left`, 'x');
    const aDay = 86_400_000;
    expect(await storage.sweep(new Date(Date.now() - aDay))).toBe(0);
    expect(await uploads()).toHaveLength(2);
    expect(await storage.sweep(new Date(Date.now() + aDay))).toBe(3);
    expect([await uploads(), (await keys()).length, await storage.has(spam)]).toEqual([[], 1, true]);
    await close();
  });

  test('what was changed behind our back is not believed', async () => {
    const { storage, bucket, own, close } = fresh();
    const large = largeContent(9);
    await storage.write(large.digest, large.stream());
    const key = `${own.prefix}blobs/${large.digest.slice(0, 2)}/${large.digest}`;
    await bucket.putObject(key, 'eggs');
    await expect(textOf(await storage.read(large.digest))).rejects.toThrow(BlobMismatchError);
    await close();
  });

  test.each([
    ['secret', { secretAccessKey: 'wrong' }, /refuses \(SignatureDoesNotMatch.*AME_S3_SECRET_ACCESS_KEY/],
    ['key', { accessKeyId: 'nobody' }, /refuses/],
    ['bucket', { bucket: 'ame-no-such-bucket' }, /refuses \(NoSuchBucket.*AME_S3_BUCKET/],
  ])('a wrong %s is told apart', async (_, wrong, message) => {
    const storage = openS3Storage({ ...server, ...wrong });
    const read = storage.read(spam);
    await expect(read).rejects.toThrow(StorageRefusedError);
    await expect(read).rejects.toThrow(message);
    await expect(storage.write(spam, streamOf('spam'))).rejects.toThrow(message);
  });
});
