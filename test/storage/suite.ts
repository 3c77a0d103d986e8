import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/snapshot.ts';
import { BlobMismatchError, BlobMissingError } from '../../src/core/blob.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** A store that has nothing in it yet. */
export type Opened = {
  readonly storage: Storage;
  /** Another process on the same content. */
  readonly again: () => Promise<Storage>;
  /** Names of what lies beside whole content. */
  readonly leftovers: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
};

export const bytesOf = (text: string) => Buffer.from(text);
export const streamOf = (...texts: readonly string[]) => ReadableStream.from(texts.map(bytesOf));
export const textOf = async (stream: ReadableStream<Uint8Array>) =>
  Buffer.concat(await Array.fromAsync(stream)).toString();
export const spam = digestOf(bytesOf('spam'));

/** What is no digest, and would be a bad path. */
export const noDigests = ['..', '../../etc/passwd', spam.toUpperCase(), '', `${spam}/x`];

/** So many MiB, made when they are asked for; each begins with its number. */
export function largeContent(mebibytes: number) {
  const part = (number: number): Buffer => {
    const bytes = Buffer.alloc(1024 * 1024, 'ame');
    bytes.writeUInt32BE(number);
    return bytes;
  };
  const stream = (failAt = Infinity) => {
    let asked = 0;
    return new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (asked === failAt) throw new Error('the line went dead');
          if (asked === mebibytes) controller.close();
          else controller.enqueue(part(asked));
          asked += 1;
        },
      },
      { highWaterMark: 0 },
    );
  };
  const whole = Buffer.concat(Array.from({ length: mebibytes }, (_, number) => part(number)));
  return { stream, digest: digestOf(whole), size: whole.length };
}

/** What every store does, whatever it keeps content in. */
export function storageSuite(name: string, open: () => Promise<Opened>): void {
  describe(`content in ${name}`, () => {
    let opened: Opened;
    let storage: Storage;
    beforeEach(async () => {
      opened = await open();
      storage = opened.storage;
    });
    afterEach(async () => opened.close());

    test('is there once it is written, and gone once it is removed', async () => {
      expect(await storage.has(spam)).toBe(false);
      expect(await storage.write(spam, streamOf('sp', '', 'am'))).toBe(4);
      expect(await storage.write(spam, streamOf('spam'))).toBe(4);
      expect(await storage.has(spam)).toBe(true);
      expect(await textOf(await storage.read(spam))).toBe('spam');
      await storage.remove(spam);
      await storage.remove(spam);
      expect(await storage.has(spam)).toBe(false);
      await expect(storage.read(spam)).rejects.toThrow(BlobMissingError);
      await expect(storage.read(spam, { from: 1, to: 2 })).rejects.toThrow(BlobMissingError);
    });

    test('is listed by the first two digits of its digest, with its size', async () => {
      const digits = spam.slice(0, 2);
      expect(await storage.list(digits)).toEqual([]);
      await storage.write(spam, streamOf('spam'));
      expect(await storage.list(digits)).toEqual([{ digest: spam, size: 4 }]);
      expect(await storage.list(digits === '00' ? '01' : '00')).toEqual([]);
      await storage.remove(spam);
      expect(await storage.list(digits)).toEqual([]);
    });

    test('survives the process that wrote it', async () => {
      await storage.write(spam, streamOf('spam'));
      expect(await textOf(await (await opened.again()).read(spam))).toBe('spam');
    });

    test('may be empty', async () => {
      const nothing = digestOf(bytesOf(''));
      expect(await storage.write(nothing, streamOf())).toBe(0);
      expect(await textOf(await storage.read(nothing))).toBe('');
      expect(await textOf(await storage.read(nothing, { from: 0, to: 3 }))).toBe('');
    });

    test.each([
      [{ from: 0, to: 0 }, 's'],
      [{ from: 1, to: 2 }, 'pa'],
      [{ from: 2, to: 99 }, 'am'],
      [{ from: 4, to: 9 }, ''],
      [{ from: 3, to: Number.MAX_SAFE_INTEGER }, 'm'],
    ])('is read in part: %j', async (range, text) => {
      await storage.write(spam, streamOf('spam'));
      expect(await textOf(await storage.read(spam, range))).toBe(text);
    });

    test('that is not what it is said to be is not kept, whether or not the digest is known', async () => {
      await expect(storage.write(spam, streamOf('eggs'))).rejects.toThrow(BlobMismatchError);
      expect(await storage.has(spam)).toBe(false);
      await storage.write(spam, streamOf('spam'));
      await expect(storage.write(spam, streamOf('eggs'))).rejects.toThrow(BlobMismatchError);
      expect(await textOf(await storage.read(spam))).toBe('spam');
      expect(await opened.leftovers()).toEqual([]);
    });

    test('whose sender fails leaves nothing', async () => {
      const broken = ReadableStream.from(
        (async function* () {
          yield bytesOf('sp');
          throw new Error('the line went dead');
        })(),
      );
      await expect(storage.write(spam, broken)).rejects.toThrow('the line went dead');
      expect([await storage.has(spam), await opened.leftovers()]).toEqual([false, []]);
    });

    test.each(noDigests)('has no digest %j', async (digest) => {
      await expect(storage.has(digest)).rejects.toThrow(BlobMissingError);
      await expect(storage.present([spam, digest])).rejects.toThrow(BlobMissingError);
      await expect(storage.read(digest)).rejects.toThrow(BlobMissingError);
      await expect(storage.write(digest, streamOf('x'))).rejects.toThrow(BlobMissingError);
    });

    test('is looked for in one call', async () => {
      const texts = Array.from({ length: 40 }, (_, i) => `text ${i}`);
      const digests = texts.map((text) => digestOf(bytesOf(text)));
      await Promise.all(texts.slice(0, 10).map((text, i) => storage.write(digests[i] ?? '', streamOf(text))));
      expect(await storage.present([])).toEqual(new Set());
      expect(await storage.present([...digests, ...digests])).toEqual(new Set(digests.slice(0, 10)));
    });

    test('comes from many writers at once', async () => {
      const storages = [storage, await opened.again()];
      const texts = Array.from({ length: 20 }, (_, i) => `text ${i % 7}`);
      const write = async (text: string, i: number) =>
        storages[i % 2]?.write(digestOf(bytesOf(text)), streamOf(text));
      expect(await Promise.all(texts.map(write))).toEqual(texts.map(() => 6));
      for (const text of texts) expect(await textOf(await storage.read(digestOf(bytesOf(text))))).toBe(text);
      expect(await opened.leftovers()).toEqual([]);
    });

    test('of any size passes in chunks, again and in part too', async () => {
      const { stream, digest, size } = largeContent(33);
      expect(await storage.write(digest, stream())).toBe(size);
      expect(await storage.write(digest, stream())).toBe(size);
      let [read, most] = [0, 0];
      for await (const chunk of await storage.read(digest)) {
        most = Math.max(most, chunk.length);
        read += chunk.length;
      }
      expect([read, most <= 1024 * 1024]).toEqual([size, true]);
      const from = 20 * 1024 * 1024;
      const part = Buffer.concat(
        await Array.fromAsync(await storage.read(digest, { from, to: from + 1024 * 1024 - 1 })),
      );
      expect([part.length, part.readUInt32BE(0)]).toEqual([1024 * 1024, 20]);
      expect(await opened.leftovers()).toEqual([]);
    });

    test('that is large and false, or breaks off, leaves nothing', async () => {
      const [one, other] = [largeContent(17), largeContent(18)];
      await expect(storage.write(other.digest, one.stream())).rejects.toThrow(BlobMismatchError);
      await expect(storage.write(one.digest, one.stream(12))).rejects.toThrow('the line went dead');
      expect(await storage.present([one.digest, other.digest])).toEqual(new Set());
      expect(await opened.leftovers()).toEqual([]);
      await storage.write(one.digest, one.stream());
      await expect(storage.write(one.digest, other.stream())).rejects.toThrow(BlobMismatchError);
      expect(await storage.has(one.digest)).toBe(true);
    });

    test('may be left in the middle by its reader', async () => {
      const { stream, digest } = largeContent(9);
      await storage.write(digest, stream());
      const reader = (await storage.read(digest)).getReader();
      expect((await reader.read()).done).toBe(false);
      await reader.cancel();
    });
  });
}
