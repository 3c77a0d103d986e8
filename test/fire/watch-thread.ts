import type { Worker } from 'node:worker_threads';
import { watchedNow } from './points.ts';

type AnyFunction = (...args: unknown[]) => unknown;

/**
 * Work that is given to a thread, which reads and writes files on its own: the thread is gone before it hears of it, or
 * gone before it answers, or answers a process that is gone.
 */
export function watchThread(own: AnyFunction): AnyFunction {
  return function (this: Worker, ...args: unknown[]): unknown {
    const watched = watchedNow();
    const way = watched === undefined || watched.life.dead ? null : watched.meet('thread', 'postMessage');
    if (way !== 'before') Reflect.apply(own, this, args);
    if (way === 'before' || way === 'lost') void this.terminate();
    if (way === 'after') this.once('message', () => void (watched && (watched.life.dead = true)));
    return undefined;
  };
}
