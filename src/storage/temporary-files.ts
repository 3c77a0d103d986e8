import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/*
 * A temporary file is called `<process id>.<this process' own random word>.<random>`. After a crash its maker is
 * gone; but a process id comes back (in a container it is the same each time), hence the word.
 */
const session = randomUUID();

/** A new name for a temporary file in this directory. */
export function temporaryName(directory: string): string {
  return join(directory, `${process.pid}.${session}.${randomUUID()}`);
}

/** Makes the directory where it is missing, and removes what processes that are gone left in it. */
export async function prepareTemporaryFiles(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const name of await readdir(directory))
    if (isStale(name)) await rm(join(directory, name), { force: true });
}

function isStale(name: string): boolean {
  const [id, maker] = name.split('.');
  if (maker === session) return false;
  return Number(id) === process.pid || !isAlive(Number(id));
}

function isAlive(id: number): boolean {
  if (!Number.isSafeInteger(id) || id <= 0) return false;
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    // EPERM: alive, and somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
