import { exitCodes } from './fault.ts';
import { note, type Terminal } from './terminal.ts';

/**
 * npm sends its child the Ctrl-C that the child has already got from the terminal. Mostly the two become one, but
 * they need not; a person needs longer to press twice.
 */
const samePressMs = 250;

export type EndWish = {
  /** Aborts at the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Resolves at the first Ctrl-C. */
  readonly wished: Promise<void>;
  stopListening(): void;
};

/** The first Ctrl-C is a wish, said with `firstLine`; a second one ends the process at once. */
export function listenForEnd(terminal: Terminal, firstLine: string): EndWish {
  const wish = new AbortController();
  const wished = new Promise<void>((resolve) => wish.signal.addEventListener('abort', () => resolve()));
  let first = -Infinity;
  const stopListening = terminal.onSignal(() => {
    const now = performance.now();
    if (wish.signal.aborted) {
      if (now - first > samePressMs) terminal.exit(exitCodes.interrupted);
      return;
    }
    first = now;
    note(terminal, firstLine);
    wish.abort();
  });
  return { signal: wish.signal, wished, stopListening };
}
