import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSignedContent } from '../../src/agent/signed-content.ts';
import { createStoreReach } from '../../src/agent/store-reach.ts';
import { BlobMismatchError, BlobMissingError } from '../../src/core/blob.ts';
import type { SignedDoor } from '../../src/core/attempt.ts';
import { digestOf } from '../../src/core/snapshot.ts';
import { openS3Storage, type S3Storage } from '../../src/storage/s3.ts';
import { createFakeS3, sendXml, type Fault } from '../storage/s3-fake.ts';
import { testBucket } from '../storage/s3-server.ts';
import { createBlobDoor } from './blob-door.ts';
import { createHastyClock } from './manual-clock.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ame-signed-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** What `attempt/signed.ts` makes of a store, without rows. */
function signedBy(storage: S3Storage): SignedDoor {
  return {
    reads: async (_, digests) =>
      new Map(await Promise.all(digests.map(async (one) => [one, await storage.presignRead(one)] as const))),
    writes: async (_, digests) =>
      new Map(
        await Promise.all(
          digests.map(async (one) => {
            const write = await storage.presignWrite(one);
            return [one, { ...write, checked: write.upload === '' }] as const;
          }),
        ),
      ),
    async confirm(_, uploads) {
      const refused = new Set<string>();
      for (const { digest, upload } of uploads)
        await storage.confirmWrite(digest, upload).catch((error: unknown) => {
          if (!(error instanceof BlobMissingError || error instanceof BlobMismatchError)) throw error;
          refused.add(digest);
        });
      return refused;
    },
  };
}

function contentOf(signed: SignedDoor, largestPut?: number) {
  const door = { ...createBlobDoor(), signed };
  const signal = new AbortController().signal;
  const options = { door, attempt: 1, clock: createHastyClock(), signal };
  return { door, ...createSignedContent(largestPut === undefined ? options : { ...options, largestPut }) };
}

let files = 0;
async function fileOf(bytes: Uint8Array): Promise<Buffer> {
  const path = join(root, `file-${(files += 1)}`);
  await writeFile(path, bytes);
  return Buffer.from(path);
}
const freePath = (): Buffer => Buffer.from(join(root, `new-${(files += 1)}`));

const large = Buffer.alloc(300_000, 'content of a file that comes in several pieces\n');
const contents = [Buffer.alloc(0), Buffer.from('small'), large];

async function roundTrip(storage: S3Storage): Promise<void> {
  const { door, place, put } = contentOf(signedBy(storage));
  for (const bytes of contents) {
    const digest = digestOf(bytes);
    expect(await put(await fileOf(bytes), digest, bytes.length)).toBe(true);
    const path = freePath();
    await place(digest, path, 0o640);
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  }
  // A file that is not what it was when it was hashed.
  expect(await put(await fileOf(Buffer.from('other')), digestOf(Buffer.from('hours')), 5)).toBe(false);
  expect(await storage.has(digestOf(Buffer.from('hours')))).toBe(false);
  expect(door.written).toEqual([]);
  expect(door.blobs.size).toBe(0);
}

describe('files straight from and to the store', () => {
  const address = process.env['AME_TEST_S3'] ?? '';
  test.skipIf(address === '')(
    `with a real server${address === '' ? ' (skipped: set AME_TEST_S3 to http://<access key>:<secret>@<host>:<port>)' : ''}`,
    async () => {
      const place = await testBucket(`signed-${process.pid}/`);
      expect(place).not.toBeNull();
      if (place !== null) await roundTrip(openS3Storage(place));
    },
  );

  test('with one that checks no digests', async () => {
    await using fake = await createFakeS3();
    await roundTrip(openS3Storage(fake.options));
    // Of what was verified nothing waits any more; what nobody confirmed is the sweep's.
    const waiting = [...fake.objects.keys()].filter((key) => key.startsWith('incoming/'));
    expect(waiting.map((key) => key.slice(9, 73))).toEqual([digestOf(Buffer.from('hours'))]);
  });

  test('content that broke off goes on where it was', async () => {
    const from: (string | undefined)[] = [];
    const fault: Fault = ({ method, key, headers, response }) => {
      if (method !== 'GET' || !key.startsWith('blobs/')) return false;
      from.push(headers.range);
      if (from.length > 1) return false;
      response.writeHead(200, { 'content-length': large.length });
      return void response.write(large.subarray(0, 100_000), () => response.destroy());
    };
    await using fake = await createFakeS3(fault);
    const storage = openS3Storage(fake.options);
    await storage.write(digestOf(large), new Blob([large]).stream());
    const path = freePath();
    const { door, place } = contentOf(signedBy(storage));
    await place(digestOf(large), path, 0o600);
    expect((await readFile(path)).equals(large)).toBe(true);
    expect(from[0]).toBeUndefined();
    expect(from[1]).toMatch(/^bytes=[1-9]\d*-$/);
    expect(door.blobs.size).toBe(0);
  });

  test('what the store refuses goes through the door, both ways, from where it was', async () => {
    await using fake = await createFakeS3(({ query, response }) =>
      query.has('X-Amz-Signature')
        ? sendXml(response, 403, '<Error><Code>AccessDenied</Code></Error>')
        : false,
    );
    const storage = openS3Storage(fake.options);
    const signed = signedBy(storage);
    // The trial of the server's checksums is refused as well: the way is given as if it had worked.
    const writes: SignedDoor['writes'] = async (_, digests) =>
      new Map(
        digests.map((one) => [
          one,
          {
            url: `${fake.options.endpoint}/bucket/x?X-Amz-Signature=1`,
            headers: {},
            upload: '',
            checked: true,
          },
        ]),
      );
    const { door, place, put } = contentOf({ ...signed, writes });
    expect(await put(await fileOf(large), digestOf(large), large.length)).toBe(true);
    expect(door.written).toEqual([digestOf(large)]);
    const path = freePath();
    await place(digestOf(large), path, 0o600);
    expect((await readFile(path)).equals(large)).toBe(true);
  });

  test('what is more than one request takes goes through the door, and the rest straight', async () => {
    await using fake = await createFakeS3();
    const storage = openS3Storage(fake.options);
    const fitting = large.subarray(0, 1_000);
    const { door, put } = contentOf(signedBy(storage), fitting.length);
    for (const bytes of [fitting, large])
      expect(await put(await fileOf(bytes), digestOf(bytes), bytes.length)).toBe(true);
    expect(door.written).toEqual([digestOf(large)]);
    expect(await storage.has(digestOf(fitting))).toBe(true);
    expect(await storage.has(digestOf(large))).toBe(false);
  });

  test('a store out of reach is asked a few times, and then no more', async () => {
    let asked = 0;
    const nowhere: SignedDoor = {
      async reads(_, digests) {
        asked += 1;
        return new Map(digests.map((one) => [one, 'http://127.0.0.1:1/x']));
      },
      writes: async () => null,
      confirm: async () => new Set(),
    };
    const { door, place } = contentOf(nowhere);
    for (const text of ['a', 'b', 'c']) await place(door.save(text), freePath(), 0o600);
    expect(asked).toBe(3);
  });

  test('a store that swallows what is sent to it is tried once by all transfers of an attempt together', async () => {
    // It takes connections and never exchanges keys.
    const swallow = createServer((socket) => void socket.on('error', () => {}).resume());
    swallow.listen(0, '127.0.0.1');
    await once(swallow, 'listening');
    const { port } = swallow.address() as AddressInfo;
    let asked = 0;
    const nowhere: SignedDoor = {
      async reads(_, digests) {
        asked += digests.length;
        return new Map(digests.map((one) => [one, `https://127.0.0.1:${port}/x`]));
      },
      writes: async () => expect.unreachable('nothing is asked any more'),
      confirm: async () => new Set(),
    };
    const reach = createStoreReach();
    expect(reach.notice()).toBeNull();
    const door = { ...createBlobDoor(), signed: nowhere };
    const own = { door, attempt: 1, clock: createHastyClock(), signal: new AbortController().signal, reach };
    const fetching = createSignedContent({ ...own, connectMs: 20 });
    for (const text of ['a', 'b', 'c']) await fetching.place(door.save(text), freePath(), 0o600);
    const collecting = createSignedContent({ ...own, connectMs: 20 });
    expect(await collecting.put(await fileOf(Buffer.from('d')), digestOf(Buffer.from('d')), 1)).toBe(true);
    expect([asked, door.written]).toEqual([1, [digestOf(Buffer.from('d'))]]);
    expect(reach.notice()).toContain(`127.0.0.1:${port} could not be reached`);
    await new Promise((resolve) => swallow.close(resolve));
  });

  test('a door that knows no such way is asked once', async () => {
    let asked = 0;
    const none: SignedDoor = {
      reads: async () => null,
      async writes() {
        asked += 1;
        return null;
      },
      confirm: async () => new Set(),
    };
    const { door, put } = contentOf(none);
    for (const text of ['a', 'b', 'c'])
      expect(await put(await fileOf(Buffer.from(text)), digestOf(Buffer.from(text)), 1)).toBe(true);
    expect(asked).toBe(1);
    expect(door.written.length).toBe(3);
  });

  test('what the store gives that is not the digest’s is damage', async () => {
    await using fake = await createFakeS3();
    const storage = openS3Storage(fake.options);
    const digest = digestOf(Buffer.from('right'));
    fake.objects.set(`blobs/${digest.slice(0, 2)}/${digest}`, Buffer.from('wrong'));
    await expect(contentOf(signedBy(storage)).place(digest, freePath(), 0o600)).rejects.toThrow('damaged');
  });
});
