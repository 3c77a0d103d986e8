import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Milliseconds after the start: what comes with it is over, and the first work may not have come yet. */
const afterMs = 3_000;

/**
 * Gives back, once, what starting took and nobody uses: V8 keeps the room for young objects that loading the modules made
 * it take. Measured on a server at rest: 171 MiB before, 125 after. Holds nothing up, neither the process nor its end.
 */
export function giveBackSoon(): void {
  setTimeout(collect, afterMs).unref();
}

function collect(): void {
  // The flag would stand between modules that are loaded later and their compiled form in the cache.
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  // The only kind that shrinks the room as well.
  if (typeof gc === 'function') gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
