import { execFile } from 'node:child_process';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, platform } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Milliseconds; the largest of them takes two minutes. */
const installMs = 900_000;

/** A program of someone else, on this machine and outside of this tree. */
export type Installed = {
  readonly name: string;
  readonly version: string;
  /** A virtual environment of Python, or the directory that holds `node_modules`. */
  readonly directory: string;
};

/**
 * Installs this package of PyPI at this version, and those beside it (`name==version`), into a virtual environment of
 * its own. Kept for the next time. Rejects where there is no Python, or the package cannot be had.
 */
export function installFromPypi(
  name: string,
  version: string,
  others: readonly string[] = [],
): Promise<Installed> {
  return once(name, version, async (directory) => {
    const options = { timeout: installMs };
    await run('python3', ['-m', 'venv', directory], options);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    await run(join(directory, 'bin', 'python3'), [...pip, `${name}==${version}`, ...others], options);
  });
}

/** Installs this package of npm at this version. Kept for the next time. No script of a package runs. */
export function installFromNpm(name: string, version: string): Promise<Installed> {
  return once(name, version, async (directory) => {
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', ['install', '--prefix', directory, ...options, `${name}@${version}`], {
      timeout: installMs,
    });
  });
}

/** A program of a virtual environment. */
export function programOf({ directory }: Installed, name: string): string {
  return join(directory, 'bin', name);
}

/** In the cache under its name, unless it is there; a mark is put beside it last, so that half of it never counts. */
async function once(
  name: string,
  version: string,
  make: (directory: string) => Promise<void>,
): Promise<Installed> {
  const directory = join(cacheDirectory(), 'ame-bench', `${name}-${version}`);
  const mark = `${directory}.installed`;
  if ((await stat(mark).catch(() => null)) === null) {
    console.error(`installing ${name} ${version} into ${directory}`);
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    await make(directory);
    await writeFile(mark, '');
  }
  console.error(`peer: ${name} ${version}`);
  return { name, version, directory };
}

/** Where this system keeps what programs can make again. */
function cacheDirectory(): string {
  if (platform() === 'darwin') return join(homedir(), 'Library', 'Caches');
  return process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
}
