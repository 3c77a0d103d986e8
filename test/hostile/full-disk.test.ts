import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/core/snapshot.ts';
import { openDirectoryStorage } from '../../src/storage/directory.ts';
import { canMount, smallDisk } from './small-disk.ts';

const possible = await canMount();

const bytesOf = (size: number, fill: number): Buffer => Buffer.alloc(size, fill);
const streamOf = (bytes: Buffer): ReadableStream<Uint8Array> => new Blob([Buffer.from(bytes)]).stream();

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

test.skipIf(!possible)(
  'a store on a full disk says so, keeps nothing by halves, and goes on once there is room',
  async () => {
    await using disk = await smallDisk(1);
    if (disk === null) throw new Error('the disk of before cannot be made any more');
    const store = await openDirectoryStorage(join(disk.path, 'content'));
    const [first, large, small] = [bytesOf(300_000, 1), bytesOf(2_000_000, 2), bytesOf(400_000, 3)];
    await store.write(digestOf(first), streamOf(first));
    expect(await codeOf(store.write(digestOf(large), streamOf(large)))).toBe('ENOSPC');
    expect(await store.has(digestOf(large))).toBe(false);
    expect(await readdir(join(disk.path, 'content', 'incoming'))).toEqual([]);
    // What was there is whole.
    const read = await Array.fromAsync(await store.read(digestOf(first)));
    expect(Buffer.concat(read).equals(first)).toBe(true);
    expect(await codeOf(store.write(digestOf(small), streamOf(small)))).toBe('done');
    expect(await store.has(digestOf(small))).toBe(true);
  },
);

test.skipIf(!possible)(
  'a store that became read-only refuses to write and to remove, and reads on',
  async () => {
    await using disk = await smallDisk(1);
    if (disk === null) throw new Error('the disk of before cannot be made any more');
    const store = await openDirectoryStorage(join(disk.path, 'content'));
    const [first, second] = [bytesOf(1_000, 1), bytesOf(1_000, 2)];
    await store.write(digestOf(first), streamOf(first));
    disk.remount('ro');
    expect(await codeOf(store.write(digestOf(second), streamOf(second)))).toBe('EROFS');
    expect(await codeOf(store.remove(digestOf(first)))).toBe('EROFS');
    expect([await store.has(digestOf(first)), await store.has(digestOf(second))]).toEqual([true, false]);
    const read = await Array.fromAsync(await store.read(digestOf(first)));
    expect(Buffer.concat(read).equals(first)).toBe(true);
    disk.remount('rw');
    expect(await codeOf(store.write(digestOf(second), streamOf(second)))).toBe('done');
  },
);

test('out of file handles a write fails whole, and succeeds once there are some', async () => {
  // In a process of its own, whose limit is its own.
  const directory = await mkdtemp(join(tmpdir(), 'ame-handles-'));
  chmodSync(directory, 0o700);
  const script = join(import.meta.dirname, 'out-of-handles.ts');
  const out = execFileSync('sh', [
    '-c',
    'ulimit -n 64; exec "$0" "$1" "$2"',
    process.execPath,
    script,
    directory,
  ]);
  await rm(directory, { recursive: true });
  expect(JSON.parse(out.toString())).toEqual({ refused: 'EMFILE', there: false, left: [], after: true });
});
