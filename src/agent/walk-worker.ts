import { parentPort, workerData } from 'node:worker_threads';
import { walk, type WalkOrder } from './walk.ts';

// The thread in which `scan` walks: one order in, one walk out. Whatever it throws reaches `scan` as 'error'.
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows, this is a thread
parentPort?.postMessage(walk(workerData as WalkOrder));
