import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type SmallDisk = AsyncDisposable & { readonly path: string; remount(options: string): void };

/** A disk of so many MiB; null where this user may not mount one. */
export async function smallDisk(mebibytes: number): Promise<SmallDisk | null> {
  const path = await mkdtemp(join(tmpdir(), 'ame-small-disk-'));
  const remount = (options: string): void => {
    execFileSync('mount', ['-o', `remount,${options}`, path], { stdio: 'pipe' });
  };
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'tmpfs', path], {
      stdio: 'pipe',
    });
  } catch {
    await rm(path, { recursive: true });
    return null;
  }
  return {
    path,
    remount,
    async [Symbol.asyncDispose]() {
      execFileSync('umount', [path], { stdio: 'pipe' });
      await rm(path, { recursive: true });
    },
  };
}

/** Whether there may be such a disk here; says so where not. */
export async function canMount(): Promise<boolean> {
  const disk = await smallDisk(1);
  if (disk === null) console.log('skipped: a disk that is full needs a mount, which this user may not make');
  await disk?.[Symbol.asyncDispose]();
  return disk !== null;
}
