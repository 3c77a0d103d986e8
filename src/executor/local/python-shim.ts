import { access, chmod, constants, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/**
 * Makes a directory in which `python` is `python3`, for a PATH that has the one and not the other; `null` where
 * no such directory is needed. A script rather than a link: Python derives where it is installed from the link.
 */
export async function preparePythonShim(directory: string, path: string): Promise<string | null> {
  if ((await isOnPath('python', path)) || !(await isOnPath('python3', path))) return null;
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const shim = join(directory, 'python');
  await writeFile(`${shim}.new`, '#!/bin/sh\nexec python3 "$@"\n');
  await chmod(`${shim}.new`, 0o755);
  await rename(`${shim}.new`, shim);
  return directory;
}

async function isOnPath(name: string, path: string): Promise<boolean> {
  for (const directory of path.split(delimiter)) {
    const file = join(directory, name);
    const found = await access(file, constants.X_OK)
      .then(() => stat(file))
      .then(
        (it) => it.isFile(),
        () => false,
      );
    if (found) return true;
  }
  return false;
}
