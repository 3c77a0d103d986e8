import { parentPort } from 'node:worker_threads';
import { walk, type Walk, type WalkOrder } from './walk.ts';

/** What the thread answers to an order. */
export type WalkAnswer = { readonly walk: Walk } | { readonly error: unknown };

// The thread in which `scan` walks: one order in, one answer out, again and again.
parentPort?.on('message', (order: WalkOrder) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows, this is a thread
  parentPort?.postMessage(answer(order));
});

function answer(order: WalkOrder): WalkAnswer {
  try {
    return { walk: walk(order) };
  } catch (error) {
    return { error };
  }
}
