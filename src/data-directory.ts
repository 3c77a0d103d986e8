import { randomBytes } from 'node:crypto';
import { chmod, readdir, realpath, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { DataDirectoryError, reason } from './data-directory/error.ts';
import { holderFile, readHolder, takeLock } from './data-directory/lock.ts';
import type { Holder } from './data-directory/lock.ts';
import { makeDirectory } from './data-directory/make-directory.ts';
import { readOrCreate, replace } from './data-directory/private-file.ts';

export type DataDirectory = {
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** Tells a second start where this server is to be found. */
  readonly announce: (address: string) => Promise<void>;
  readonly release: () => Promise<void>;
};

/**
 * AME_DATA, else `ame` below the user's XDG data home, else, as root, `/var/lib/ame`: root's home is closed to the
 * user that Postgres runs as. Root's XDG_DATA_HOME counts where it is set.
 */
export function dataDirectoryPath(
  env: Readonly<Record<string, string | undefined>>,
  uid: number | undefined,
): string {
  const chosen = env['AME_DATA'];
  if (chosen !== undefined && chosen !== '') return chosen;
  const xdg = env['XDG_DATA_HOME'];
  // The XDG specification: a path that is not absolute is to be ignored.
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'ame');
  if (uid === 0) return '/var/lib/ame';
  const home = env['HOME'];
  return join(home !== undefined && isAbsolute(home) ? home : homedir(), '.local', 'share', 'ame');
}

/**
 * Makes the directory where it is missing and takes its lock, which ends with this process however that ends.
 * Throws `DataDirectoryBusyError` where another process has it, `DataDirectoryError` where it cannot be used.
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  const directory = await prepare(path).catch((error: unknown) => {
    throw new DataDirectoryError(`The data directory ${path} cannot be used: ${reason(error)}`);
  });
  const unlock = await takeLock(directory);
  const announce = async (address?: string): Promise<void> => {
    const holder: Holder = { pid: process.pid, ...(address === undefined ? {} : { address }) };
    await replace(holderFile(directory), `${JSON.stringify(holder)}\n`);
  };
  await announce();
  const release = async (): Promise<void> => {
    await rm(holderFile(directory), { force: true });
    unlock();
  };
  let released: Promise<void> | undefined;
  return { path: directory, announce, release: () => (released ??= release()) };
}

/**
 * Process and address of the server that has this directory; absent where none runs or it listens not yet. What a
 * killed server said of itself is not told apart from a live one's: whoever asks the address will see.
 */
export async function findServer(directory: string): Promise<{ pid: number; address: string } | undefined> {
  const holder = await readHolder(directory);
  return holder?.address === undefined ? undefined : { pid: holder.pid, address: holder.address };
}

/** The token that the doors ask for, made at the first start. */
export async function readOrCreateToken(directory: string): Promise<string> {
  const path = join(directory, 'token');
  const token = (await readOrCreate(path, () => `ame_${randomBytes(24).toString('base64url')}\n`)).trim();
  if (!/^[\w-]{16,}$/.test(token)) {
    throw new DataDirectoryError(
      `${path} holds no token. Remove the file and start again: a new one is made.`,
    );
  }
  return token;
}

/**
 * The name under which this directory's attempts are stored, made at the first start from that of the machine. A
 * machine is renamed, a container has a new name each time, and two servers on one machine have the same one: each
 * would lose, or claim for itself, what is running.
 */
export async function readOrCreateHost(directory: string, machine: string): Promise<string> {
  const path = join(directory, 'host');
  const host = (await readOrCreate(path, () => `${machine}-${randomBytes(3).toString('hex')}\n`)).trim();
  if (host === '') throw new DataDirectoryError(`${path} is empty. Remove the file and start again.`);
  return host;
}

/** The key that the secrets are encrypted with: 32 bytes, kept as hexadecimal text. */
export async function readOrCreateKey(directory: string): Promise<Buffer> {
  const path = join(directory, 'secret-key');
  const text = (await readOrCreate(path, () => `${randomBytes(32).toString('hex')}\n`)).trim();
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new DataDirectoryError(
      `${path} is damaged. Restore it from a backup: without it the stored secrets cannot be read.`,
    );
  }
  return Buffer.from(text, 'hex');
}

/** Makes it for our user alone; as root others may pass through, since Postgres runs as one of them. */
async function prepare(path: string): Promise<string> {
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  await makeDirectory(path, mode);
  const directory = await realpath(path);
  if ((await readdir(directory)).length === 0) {
    // An empty one that somebody made for us is only ever closed further, and may not be ours to close (volumes).
    await chmod(directory, (await stat(directory)).mode & mode).catch(() => {});
  }
  return directory;
}
