import { randomUUID } from 'node:crypto';
import { digestOf, type Digest } from '../../core/snapshot.ts';
import { BlobMissingError } from '../../core/blob.ts';
import { StorageAwayError, StorageRefusedError } from '../storage.ts';
import type { S3Client } from './client.ts';

/** A request that whoever holds it may make without a key, until it expires; `headers` must be sent as they are. */
export type PresignedWrite = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty: it goes straight to its place. Else the name under which it waits until it is confirmed. */
  readonly upload: string;
};

/** Seconds: enough to begin a transfer in, which may take longer. */
export const presignedSeconds = 300;

/** Signs a PUT that only content of this digest passes, where the server checks that. */
export async function presignBound(
  { bucket }: S3Client,
  key: string,
  digest: Digest,
): Promise<PresignedWrite> {
  const headers = { 'x-amz-checksum-sha256': Buffer.from(digest, 'hex').toString('base64') };
  return {
    url: await bucket.getPresignedUrl('PUT', key, presignedSeconds, {}, headers),
    headers,
    upload: '',
  };
}

/** Signs a PUT to where content waits that nobody has verified. */
export async function presignUnbound(
  { bucket }: S3Client,
  incoming: string,
  digest: Digest,
): Promise<PresignedWrite> {
  const upload = randomUUID();
  const key = incomingKey(incoming, digest, upload);
  return { url: await bucket.getPresignedUrl('PUT', key, presignedSeconds), headers: {}, upload };
}

/** Where an upload waits. Its name comes back from a pod: throws `BlobMissingError` where it is none of ours. */
export function incomingKey(incoming: string, digest: Digest, upload: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(upload))
    throw new BlobMissingError(`not an upload: ${JSON.stringify(upload)}`);
  return `${incoming}${digest}.${upload}`;
}

/**
 * Whether this server checks the digest of what is put through a signed address: it is offered other content. Servers
 * that know nothing of checksums pass over the header.
 */
export async function bindsDigests(client: S3Client, incoming: string): Promise<boolean> {
  const key = `${incoming}probe.${randomUUID()}`;
  const { url, headers } = await presignBound(client, key, digestOf(Buffer.from('what is promised')));
  const status = await client.ask('try a signed write', async () => {
    const response = await fetch(url, {
      method: 'PUT',
      headers,
      body: 'what is sent',
      redirect: 'manual',
      signal: AbortSignal.timeout(client.silenceMs),
    });
    await response.body?.cancel();
    if (response.status >= 500)
      throw new StorageAwayError(`S3 cannot answer now (status ${response.status})`);
    return response.status;
  });
  if (status === 400) return true;
  if (status >= 200 && status < 300) {
    await client.ask('remove a trial', async () => client.bucket.deleteObject(key));
    return false;
  }
  throw new StorageRefusedError(`S3 refuses a signed write (status ${status})`);
}
