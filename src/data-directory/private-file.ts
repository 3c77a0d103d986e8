import { randomBytes } from 'node:crypto';
import { chmod, link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { DataDirectoryError, reason } from './error.ts';

/**
 * Reads a file, or makes it: of several that do so at once all get what one of them wrote. Its mode becomes 0600.
 * Throws `DataDirectoryError`.
 */
export async function readOrCreate(path: string, content: () => string): Promise<string> {
  try {
    await createPrivate(path, content);
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new DataDirectoryError(`${path} cannot be used: ${reason(error)}`);
  }
}

/** Makes a file for our user alone, with all of its content or not at all, unless it is there. */
export async function createPrivate(path: string, content: () => string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) !== undefined) return;
  const unfinished = `${path}.${randomBytes(6).toString('hex')}`;
  await write(unfinished, content());
  await link(unfinished, path).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
  await rm(unfinished, { force: true });
}

/** Replaces a file, whole or not at all. */
export async function replace(path: string, content: string): Promise<void> {
  const unfinished = `${path}.unfinished`;
  await rm(unfinished, { force: true });
  await write(unfinished, content);
  await rename(unfinished, path);
}

async function write(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The system's name of an error, such as ENOENT. */
export function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
