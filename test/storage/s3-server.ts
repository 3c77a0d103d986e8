import { S3mini } from 's3mini';
import type { S3Place } from '../../src/storage/s3/client.ts';

/**
 * The server that `AME_TEST_S3` names, as `http://<access key>:<secret>@<host>`, with a bucket for tests; null where it
 * names none. Its name is the one thing that this reads from the environment.
 */
export async function testBucket(prefix: string): Promise<S3Place | null> {
  const address = process.env.AME_TEST_S3;
  if (address === undefined || address === '') return null;
  const url = new URL(address);
  const place: S3Place = {
    endpoint: url.origin,
    bucket: 'ame-test',
    region: 'us-east-1',
    accessKeyId: decodeURIComponent(url.username),
    secretAccessKey: decodeURIComponent(url.password),
    prefix,
  };
  await makeBucket(place);
  return place;
}

async function makeBucket(place: S3Place): Promise<void> {
  const maker = new S3mini({
    ...place,
    endpoint: `${place.endpoint}/${place.bucket}`,
    // The library names the region in the body, which servers of this region refuse.
    fetch: async (input, init) => fetch(input, { ...init, body: null }),
  });
  if (await maker.bucketExists()) return;
  await maker.createBucket();
}
