import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { DataDirectoryError, reason } from './error.ts';
import { createPrivate, errorCode } from './private-file.ts';

/** Another AME has the data directory. What is not known yet (it is just starting) is absent. */
export class DataDirectoryBusyError extends DataDirectoryError {
  override name = 'DataDirectoryBusyError';
  readonly pid: number | undefined;
  readonly address: string | undefined;
  constructor(path: string, holder: Partial<Holder>) {
    const who = holder.pid === undefined ? 'in another process' : `as process ${holder.pid}`;
    const where = holder.address === undefined ? ', which is still starting' : ` at ${holder.address}`;
    super(`AME runs already ${who}${where} (data directory ${path})`);
    this.pid = holder.pid;
    this.address = holder.address;
  }
}

const Holder = z.object({ pid: z.number().int(), address: z.string().optional() });
/** What `server.json` says of the process that has the lock. */
export type Holder = z.infer<typeof Holder>;

/** A lock that nobody refers to would be collected as garbage, and end by that. */
const held = new Set<DatabaseSync>();

/**
 * Node has no file locks, but its SQLite takes them (POSIX record locks, LockFileEx): the system ends them with
 * the process, a kill leaves nothing to clean up, and a process number used again or seen from another container
 * confuses nobody. Children do not inherit them. The file stays empty and must not be opened twice in a process,
 * since closing it once would end the lock. Answers with the function that gives the lock back.
 */
export async function takeLock(directory: string): Promise<() => void> {
  const until = Date.now() + 2_000;
  for (;;) {
    const lock = await tryLock(join(directory, 'lock'));
    if (lock !== undefined) {
      held.add(lock);
      return () => {
        if (held.delete(lock)) lock.close();
      };
    }
    // Of several that try at the same instant each may see the others; and a new holder needs a moment to say who it is.
    const holder = await readHolder(directory);
    if ((holder?.address !== undefined && exists(holder.pid)) || Date.now() > until) {
      throw new DataDirectoryBusyError(directory, holder ?? {});
    }
    await delay(5 + Math.random() * 45);
  }
}

async function tryLock(path: string): Promise<DatabaseSync | undefined> {
  let database: DatabaseSync | undefined;
  try {
    // Made by us and not by SQLite, for its mode: whoever may read the file may lock it too.
    await createPrivate(path, () => '');
    database = openSqlite(path);
    database.exec('begin exclusive');
    return database;
  } catch (error) {
    database?.close();
    const busy = error instanceof Error && 'errcode' in error && error.errcode === 5;
    if (busy) return undefined;
    throw new DataDirectoryError(`${path} cannot be locked: ${reason(error)}`);
  }
}

/** Node 22.18 and 24.0 print a warning when SQLite is loaded, which says nothing to the person who starts AME. */
function openSqlite(path: string): DatabaseSync {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
    return new DatabaseSync(path, { timeout: 0 });
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Whether a process has this number; as far as can be seen from here, which is not into other containers. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** Who has the directory, as far as it said so. What a killed process said stays until the next start. */
export async function readHolder(directory: string): Promise<Holder | undefined> {
  const text = await readFile(holderFile(directory), 'utf8').catch(() => '');
  try {
    return Holder.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Where the process that has the lock says who and where it is. */
export function holderFile(directory: string): string {
  return join(directory, 'server.json');
}
