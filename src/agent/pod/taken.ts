import { existsSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock } from '../clock.ts';

/** A watch may miss what it is told of; then the next look finds it. */
const lookEveryMs = 2_000;

/**
 * Aborts `signal` as soon as a file is there: the preStop hook of the agent makes it, at once when the pod is deleted,
 * while TERM comes only after everybody's hooks.
 */
export function watchTaken(
  file: string,
  clock: Clock,
): { readonly signal: AbortSignal; take(): void; close(): void } {
  const taken = new AbortController();
  let cancel = (): void => {};
  const watcher = watchDirectory(dirname(file), (name) => {
    if (name === null || name === basename(file)) look();
  });

  function take(): void {
    taken.abort(new Error('the pod is being taken away'));
    close();
  }
  function look(): void {
    if (!taken.signal.aborted && existsSync(file)) take();
  }
  function plan(): void {
    cancel = clock.after(lookEveryMs, () => {
      look();
      if (!taken.signal.aborted) plan();
    });
  }
  function close(): void {
    cancel();
    watcher?.close();
  }
  plan();
  look();
  return { signal: taken.signal, take, close };
}

/** Nothing where the system has no watch to give: looking is enough. */
function watchDirectory(directory: string, changed: (name: string | null) => void): FSWatcher | null {
  try {
    const watcher = watch(directory, (_, name) => changed(name));
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}
