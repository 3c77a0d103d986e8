import { z } from 'zod';
import { StorageRefusedError } from '../storage.ts';
import { abortUpload } from './abort.ts';
import type { S3Client } from './client.ts';

/** One upload is an object where several are a list: that is how XML reads without its schema. */
const upload = z.object({ Key: z.string(), UploadId: z.string(), Initiated: z.coerce.date() });
const listing = z.object({
  ListMultipartUploadsResult: z.object({
    IsTruncated: z.stringbool().catch(false),
    NextKeyMarker: z.string().catch(''),
    NextUploadIdMarker: z.string().catch(''),
    Upload: z.union([z.array(upload), upload.transform((one) => [one])]).default([]),
  }),
});

export type Sweep = {
  readonly blobs: string;
  /** Where signed writes wait to be confirmed. */
  readonly incoming: string;
  /** What began before this was left behind. */
  readonly before: Date;
};

/** Removes uploads that never ended, and what was put and never confirmed. Answers with how many. */
export async function sweepUploads(client: S3Client, { blobs, incoming, before }: Sweep): Promise<number> {
  const { bucket, ask } = client;
  let removed = 0;
  for await (const { Key, UploadId, Initiated } of listUploads(client, blobs)) {
    if (Initiated >= before) continue;
    await abortUpload(client, Key, UploadId);
    removed += 1;
  }
  const waiting = await ask(`list ${incoming}`, () => bucket.listObjects('/', incoming));
  for (const { Key, LastModified } of waiting ?? []) {
    if (new Date(LastModified) >= before) continue;
    await ask(`remove ${Key}`, async () => bucket.deleteObject(Key));
    removed += 1;
  }
  return removed;
}

async function* listUploads(
  { bucket, ask }: S3Client,
  prefix: string,
): AsyncGenerator<z.infer<typeof upload>> {
  let after = {};
  for (;;) {
    // The library's own parameter for the prefix is not sent.
    const answer = await ask(`list uploads of ${prefix}`, () =>
      bucket.listMultipartUploads('/', '', 'GET', { prefix, ...after }),
    );
    const { success, data } = listing.safeParse(answer);
    if (!success) throw new StorageRefusedError('S3 lists uploads in a form that is not known');
    const { Upload, IsTruncated, NextKeyMarker, NextUploadIdMarker } = data.ListMultipartUploadsResult;
    yield* Upload;
    if (!IsTruncated || Upload.length === 0) return;
    after = { 'key-marker': NextKeyMarker, 'upload-id-marker': NextUploadIdMarker };
  }
}
