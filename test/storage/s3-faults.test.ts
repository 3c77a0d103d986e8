import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/snapshot.ts';
import { openS3Storage } from '../../src/storage/s3.ts';
import { BlobMismatchError, BlobMissingError } from '../../src/core/blob.ts';
import { StorageAwayError, StorageRefusedError } from '../../src/storage/storage.ts';
import { createFakeS3, sendXml, type Asked, type Fault } from './s3-fake.ts';
import { bytesOf, largeContent, spam, streamOf, textOf } from './suite.ts';

const spamKey = `blobs/${spam.slice(0, 2)}/${spam}`;
const slowDown = ({ response }: Asked): void =>
  sendXml(response, 503, '<Error><Code>SlowDown</Code></Error>');
const hangUp = ({ response }: Asked): void => void response.socket?.destroy();

/** The first `times` requests that are meant meet the fault. */
function first(times: number, meant: (asked: Asked) => boolean, fault: (asked: Asked) => void): Fault {
  let left = times;
  return (asked) => {
    if (left === 0 || !meant(asked)) return false;
    left -= 1;
    return fault(asked);
  };
}
const always = () => true;

/** What a promise fails with. */
async function faultOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

describe('a server that is busy or away', () => {
  test.each([
    ['busy', slowDown],
    ['broken', ({ response }: Asked) => void response.writeHead(500).end()],
    ['cut off', hangUp],
  ])('for a moment is asked again: %s', async (_, fault) => {
    await using fake = await createFakeS3(first(3, always, fault));
    const storage = openS3Storage(fake.options);
    expect(await storage.write(spam, streamOf('spam'))).toBe(4);
    expect(fake.objects.get(spamKey)?.toString()).toBe('spam');
    expect(fake.pauses).toHaveLength(3);
    for (const [tries, pause] of fake.pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(100 * 2 ** tries);
      expect(pause).toBeLessThanOrEqual(200 * 2 ** tries);
    }
  });

  test.each([
    ['busy', slowDown, 20, 60_000],
    ['cut off', hangUp, 20, 60_000],
    // On a busy machine some are given up before they have left.
    ['silent', () => {}, 0, 20],
  ])('for longer is away, and nobody is to blame: %s', async (_, fault, atLeast, silenceMs) => {
    await using fake = await createFakeS3(fault);
    const storage = openS3Storage({ ...fake.options, silenceMs });
    for (const work of [
      () => storage.has(spam),
      () => storage.read(spam),
      () => storage.write(spam, streamOf('spam')),
      () => storage.presignWrite(spam),
    ]) {
      const error = await faultOf(work());
      expect(error).toBeInstanceOf(StorageAwayError);
      expect(error).not.toBeInstanceOf(StorageRefusedError);
      expect(String(error)).not.toContain('hunter2');
    }
    expect(fake.asked.length).toBeGreaterThanOrEqual(atLeast);
    expect(fake.asked.length).toBeLessThanOrEqual(20);
  });

  test('is asked by few at once', async () => {
    await using fake = await createFakeS3(({ serve }) => void setImmediate().then(serve));
    const storage = openS3Storage(fake.options);
    await storage.write(spam, streamOf('spam'));
    const digests = Array.from({ length: 200 }, (_, i) => digestOf(bytesOf(`text ${i}`)));
    expect(await storage.present([...digests, spam])).toEqual(new Set([spam]));
    expect(fake.mostAtOnce()).toBeLessThanOrEqual(16);
    expect(fake.asked).toHaveLength(202);
  });
});

describe('a server that refuses', () => {
  test.each([
    [403, 'RequestTimeTooSkewed', /clock is wrong/],
    [404, 'NoSuchBucket', /AME_S3_BUCKET/],
    [403, 'AccessDenied', /its key may not do this/],
    [400, 'AuthorizationHeaderMalformed', /AME_S3_REGION/],
    [301, 'PermanentRedirect', /another AME_S3_ENDPOINT/],
    [307, 'TemporaryRedirect', /TemporaryRedirect/],
  ])('is not asked again: %i %s', async (status, code, words) => {
    await using fake = await createFakeS3(({ response }) => {
      response.setHeader('location', '/elsewhere');
      sendXml(response, status, `<Error><Code>${code}</Code><AWSAccessKeyId>ame</AWSAccessKeyId></Error>`);
    });
    const storage = openS3Storage(fake.options);
    for (const work of [() => storage.read(spam), () => storage.write(spam, streamOf('spam'))]) {
      const error = await faultOf(work());
      expect(error).toBeInstanceOf(StorageRefusedError);
      expect(String(error)).toMatch(words);
    }
    expect(fake.asked).toHaveLength(2);
  });

  test('parts is not believed about the whole', async () => {
    await using fake = await createFakeS3(({ response, method }) =>
      method === 'GET' ? void response.writeHead(200).end('spam') : false,
    );
    await expect(openS3Storage(fake.options).read(spam, { from: 1, to: 2 })).rejects.toThrow(
      StorageRefusedError,
    );
  });
});

describe('a reading', () => {
  /** Sends the head and so many of the bytes, then cuts the wire. */
  const cutAfter = (bytes: number, whole: Buffer) => (asked: Asked) => {
    const from = Number(/\d+/.exec(asked.headers.range ?? '0')?.[0]);
    asked.response.writeHead(asked.headers.range ? 206 : 200, { 'content-length': whole.length - from });
    asked.response.write(whole.subarray(from, from + bytes), () => hangUp(asked));
  };
  const isGet = ({ method }: Asked) => method === 'GET';

  test('that is cut off goes on where it was', async () => {
    const { stream, digest } = largeContent(2);
    const whole = Buffer.concat(await Array.fromAsync(stream()));
    const ranges: string[] = [];
    const cut = first(3, isGet, cutAfter(100_000, whole));
    await using fake = await createFakeS3((asked) => {
      if (isGet(asked)) ranges.push(asked.headers.range ?? 'whole');
      return cut(asked);
    });
    const storage = openS3Storage(fake.options);
    await storage.write(digest, stream());
    expect(Buffer.concat(await Array.fromAsync(await storage.read(digest))).equals(whole)).toBe(true);
    expect(ranges).toEqual(['whole', 'bytes=100000-', 'bytes=200000-', 'bytes=300000-']);
  });

  test('of a part goes on to its own end', async () => {
    const whole = bytesOf('spam');
    await using fake = await createFakeS3(first(1, isGet, cutAfter(1, whole)));
    fake.objects.set(spamKey, whole);
    expect(await textOf(await openS3Storage(fake.options).read(spam, { from: 1, to: 2 }))).toBe('pa');
  });

  test('that gets nowhere ends', async () => {
    const cut = cutAfter(0, bytesOf('spam'));
    await using fake = await createFakeS3((asked) => (isGet(asked) ? cut(asked) : false));
    await expect(textOf(await openS3Storage(fake.options).read(spam))).rejects.toThrow(StorageAwayError);
    expect(fake.asked).toHaveLength(5);
  });

  test('of false bytes never comes to its end', async () => {
    const { stream, digest } = largeContent(1);
    const whole = Buffer.concat(await Array.fromAsync(stream()));
    await using fake = await createFakeS3();
    const storage = openS3Storage(fake.options);
    await storage.write(digest, stream());
    const [key = ''] = fake.objects.keys();
    fake.objects.set(key, Buffer.from(whole).fill(0, 0, 1).fill('x', 5, 6));
    let seen = 0;
    const reading = (async () => {
      for await (const chunk of await storage.read(digest)) seen += chunk.length;
    })();
    await expect(reading).rejects.toThrow(BlobMismatchError);
    expect(seen).toBeLessThan(whole.length);
  });

  test('of a server that falls silent in the middle goes on', async () => {
    await using fake = await createFakeS3(
      first(1, isGet, ({ response }) => {
        response.writeHead(200, { 'content-length': 4 });
        response.write('sp');
      }),
    );
    fake.objects.set(spamKey, bytesOf('spam'));
    const storage = openS3Storage({ ...fake.options, silenceMs: 200 });
    expect(await textOf(await storage.read(spam))).toBe('spam');
  });
});

describe('a write in parts', () => {
  const large = largeContent(17);
  const isPart = ({ query }: Asked) => query.has('partNumber');
  const isLast = ({ method, query }: Asked) => method === 'POST' && query.has('uploadId');

  test('has every body checked by the server, and sends what failed again', async () => {
    const sums: boolean[] = [];
    const fail = first(2, isPart, slowDown);
    await using fake = await createFakeS3((asked) => {
      if (isPart(asked)) sums.push(/^[\w+/]{22}==$/.test(String(asked.headers['content-md5'])));
      return fail(asked);
    });
    const storage = openS3Storage(fake.options);
    expect(await storage.write(large.digest, large.stream())).toBe(large.size);
    expect(sums).toEqual([true, true, true, true, true]);
    expect([fake.uploads.size, await storage.has(large.digest)]).toEqual([0, true]);
    expect(digestOf(fake.objects.values().next().value ?? bytesOf(''))).toBe(large.digest);
  });

  test.each([
    ['a part', isPart, slowDown],
    [
      'the last word, said below a good status',
      isLast,
      ({ response }: Asked) => sendXml(response, 200, '<Error><Code>InternalError</Code></Error>'),
    ],
  ])('that fails at %s leaves nothing', async (_, meant, fault) => {
    await using fake = await createFakeS3((asked) => (meant(asked) ? fault(asked) : false));
    const storage = openS3Storage(fake.options);
    await expect(storage.write(large.digest, large.stream())).rejects.toThrow(StorageAwayError);
    expect([fake.uploads.size, fake.objects.size]).toEqual([0, 0]);
  });

  test('whose last answer is lost has ended well', async () => {
    await using fake = await createFakeS3(
      first(1, isLast, (asked) => {
        // Served to the end, while nobody hears it.
        asked.response.socket?.destroy();
        asked.serve();
      }),
    );
    const storage = openS3Storage(fake.options);
    expect(await storage.write(large.digest, large.stream())).toBe(large.size);
    expect(await storage.has(large.digest)).toBe(true);
  });
});

describe('a server that knows no checksums', () => {
  test('is found out, and what comes waits until it is verified', async () => {
    await using fake = await createFakeS3();
    const storage = openS3Storage(fake.options);
    const { url, headers, upload } = await storage.presignWrite(spam);
    expect(fake.objects.size).toBe(0);
    await fetch(url, { method: 'PUT', headers, body: 'spam' });
    expect(await storage.has(spam)).toBe(false);
    expect(await storage.confirmWrite(spam, upload)).toBe(4);
    expect(await storage.confirmWrite(spam, upload)).toBe(4);
    expect([...fake.objects.keys()]).toEqual([spamKey]);
  });

  test('keeps nothing that is something else', async () => {
    await using fake = await createFakeS3();
    const storage = openS3Storage(fake.options);
    const { url, upload } = await storage.presignWrite(spam);
    await expect(storage.confirmWrite(spam, upload)).rejects.toThrow(BlobMissingError);
    await fetch(url, { method: 'PUT', body: 'eggs' });
    await expect(storage.confirmWrite(spam, upload)).rejects.toThrow(BlobMismatchError);
    expect(fake.objects.size).toBe(0);
  });

  test.each(['', '../x', 'x'])('is asked for no upload that is called %j', async (upload) => {
    await using fake = await createFakeS3();
    await expect(openS3Storage(fake.options).confirmWrite(spam, upload)).rejects.toThrow(BlobMissingError);
  });
});
