import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Puts the command where the entry finds it, and beside it a `python` for images that have `python3` alone; the entry
 * looks which of the two are there. A script rather than a link: Python derives where it is installed from the link.
 */
export async function writeScript(directory: string, script: string): Promise<void> {
  const bin = join(directory, 'bin');
  await mkdir(bin, { recursive: true, mode: 0o755 });
  await writeAnew(join(bin, 'python'), '#!/bin/sh\nexec python3 "$@"\n', 0o555);
  await writeAnew(join(directory, 'script'), script, 0o444);
}

/** What an earlier agent wrote may only be read, by us as well. */
async function writeAnew(path: string, text: string, mode: number): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, text, { mode, flag: 'wx' });
  await chmod(path, mode);
}
