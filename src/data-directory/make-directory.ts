import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errorCode } from './private-file.ts';

/**
 * Makes a directory with the parents that are missing, each of this mode; one that is there stays as it is.
 * Throws the system's error, of the level that it could not make.
 *
 * Not by Node's own `recursive`: where the system answers ENOENT although the parent is there, as everywhere
 * below /proc, that tries for ever (Node 24, Linux).
 */
export async function makeDirectory(path: string, mode = 0o777): Promise<void> {
  const missing: string[] = [];
  let level = resolve(path);
  while (!(await isThere(level))) {
    missing.push(level);
    level = dirname(level);
  }
  for (const each of missing.toReversed()) {
    await mkdir(each, { mode }).catch(async (error: unknown) => {
      // Another process may have made it in the meantime.
      if (errorCode(error) !== 'EEXIST' || !(await isDirectory(each))) throw error;
    });
  }
  // A file in its place: the system says so in its own words.
  if (missing.length === 0 && !(await isDirectory(level))) await mkdir(level);
}

/** A link that leads nowhere is not there, and making it then answers EEXIST. The root always is. */
async function isThere(path: string): Promise<boolean> {
  if (dirname(path) === path) return true;
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
