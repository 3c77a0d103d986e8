import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Removes a directory with all that is in it, also where a task has left directories that cannot be written. */
export async function removeDirectory(directory: string): Promise<void> {
  // Retries: a process that was killed a moment ago may still have been writing.
  const options = { recursive: true, force: true, maxRetries: 3, retryDelay: 20 };
  try {
    await rm(directory, options);
  } catch {
    // -R follows no symbolic links that it meets on its way.
    await run('chmod', ['-R', 'u+rwx', '--', directory], { env: { PATH: '/usr/bin:/bin' } }).catch(
      () => null,
    );
    await rm(directory, options);
  }
}
