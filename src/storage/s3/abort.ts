import type { S3Client } from './client.ts';
import { statusOf } from './failure.ts';

/** Removes the parts of an upload. One that is not there is what was wanted. */
export async function abortUpload({ bucket, ask }: S3Client, key: string, id: string): Promise<void> {
  await ask(`abort ${key}`, async () => {
    try {
      await bucket.abortMultipartUpload(key, id);
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
    }
  });
}
