import { createHash } from 'node:crypto';
import { access, constants, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../config.ts';
import { openS3Storage } from '../storage/s3.ts';
import type { Storage } from '../storage/storage.ts';
import { right, wordsOf, wrong, type Finding } from './finding.ts';

/** Bytes below which a disk is as good as full. */
const leastFreeBytes = 2 ** 30;

/** Looks whether content can be stored and read again. */
export async function examineStorage(s3: Config['s3'], directory: string): Promise<readonly Finding[]> {
  return [s3 === null ? await examineDirectory(directory) : await examineBucket(openS3Storage(s3), s3)];
}

/** Stores, reads and removes a few bytes, as AME does with every file. */
async function examineBucket(
  storage: Storage,
  { endpoint, bucket }: { readonly endpoint: string; readonly bucket: string },
): Promise<Finding> {
  const bytes = new TextEncoder().encode(`ame doctor ${crypto.randomUUID()}\n`);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const at = `the bucket ${bucket} at ${endpoint}`;
  try {
    await storage.write(digest, new Blob([bytes]).stream());
    const read = Buffer.from(await new Response(await storage.read(digest)).bytes());
    await storage.remove(digest);
    if (!read.equals(bytes)) return wrong('storage', `${at} gave back other bytes than it was given`, remedy);
    return right('storage', `Content can be stored, read and removed in ${at}`);
  } catch (error) {
    return wrong('storage', `Content cannot be stored in ${at}: ${wordsOf(error)}`, remedy);
  }
}

/** An address as pods are given them, under which nothing lies; null without S3. Asks the server for nothing. */
export async function signedAddress(s3: Config['s3']): Promise<string | null> {
  if (s3 === null) return null;
  return openS3Storage(s3).presignRead(createHash('sha256').update('ame doctor').digest('hex'));
}

const remedy =
  'Look whether the server answers, the bucket exists, and the key of AME_S3_ACCESS_KEY_ID may get, put, delete and list there';

/** The first directory on the way that exists must be ours to write. */
async function examineDirectory(directory: string): Promise<Finding> {
  const place = await existing(directory);
  try {
    await access(place, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    const message = `This user may not write ${place}, where content would lie`;
    return wrong('storage', message, 'Give it to this user, or let AME_DATA name another directory');
  }
  const { bavail, bsize } = await statfs(place);
  if (bavail * bsize < leastFreeBytes) {
    const message = `The disk of ${place} has ${Math.floor((bavail * bsize) / 2 ** 20)} MiB left`;
    return wrong('storage', message, 'Make room there, or let AME_DATA name a directory on another disk');
  }
  return right('storage', `Content lies in ${directory}`);
}

async function existing(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const there = await access(at).then(
      () => true,
      () => false,
    );
    if (there || at === dirname(at)) return at;
  }
}
