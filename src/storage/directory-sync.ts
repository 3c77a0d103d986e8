import { open } from 'node:fs/promises';

/**
 * Makes a change of a directory's names survive a loss of power. Callers that come while a sync of the same
 * directory waits share it: many small files are renamed at once, and one sync costs as much as one file.
 */
export function createDirectorySync(): (path: string) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<void>>();
  return (path) => {
    const next = waiting.get(path);
    if (next !== undefined) return next;
    const before = running.get(path) ?? Promise.resolve();
    const mine = before
      // Whoever waited for the earlier sync hears of its failure; this one is another try.
      .catch(() => undefined)
      .then(() => {
        waiting.delete(path);
        const sync = syncDirectory(path).finally(() => {
          if (running.get(path) === sync) running.delete(path);
        });
        running.set(path, sync);
        return sync;
      });
    waiting.set(path, mine);
    return mine;
  };
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
