import { Worker } from 'node:worker_threads';
import type { WalkAnswer } from './walk-worker.ts';
import type { Walk, WalkOrder } from './walk.ts';

/*
 * The thread's program lies beside this one. Unbuilt that is a `.ts`; the bundle has to hold it as an entry of its
 * own, `walk-worker.mjs` in the same folder as the file that this one went into.
 */
const program = new URL(
  import.meta.url.endsWith('.ts') ? './walk-worker.ts' : './walk-worker.mjs',
  import.meta.url,
);

/** Threads that wait for the next order; starting one costs 60 to 95 ms, more than most workspaces take. */
const idle: Worker[] = [];
const mostIdle = 2;

/** Walks and hashes a workspace in a thread of its own. Aborting ends the thread at once. */
export async function scan(order: WalkOrder, signal?: AbortSignal): Promise<Walk> {
  signal?.throwIfAborted();
  const worker = idle.pop() ?? startThread();
  const { promise, resolve, reject } = Promise.withResolvers<Walk>();
  const answered = (answer: WalkAnswer) => ('error' in answer ? reject(answer.error) : resolve(answer.walk));
  const broke = (error: Error) => reject(error);
  const ended = () => reject(new Error('the walk ended without a result'));
  const stop = () => {
    void worker.terminate();
    reject(signal?.reason);
  };
  worker.on('message', answered).on('error', broke).on('exit', ended);
  signal?.addEventListener('abort', stop, { once: true });
  worker.ref();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows, this is a thread
  worker.postMessage(order);
  try {
    const walk = await promise;
    keep(worker);
    return walk;
  } catch (error) {
    await worker.terminate();
    throw error;
  } finally {
    worker.off('message', answered).off('error', broke).off('exit', ended);
    signal?.removeEventListener('abort', stop);
  }
}

function startThread(): Worker {
  // It needs nothing from the environment, which holds the server's secrets, and none of the server's flags: some
  // are meant for the main thread alone and would stop it.
  const worker = new Worker(program, { env: {}, execArgv: [], name: 'walk' });
  worker.on('exit', () => {
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
  });
  // One that breaks while nobody waits for it only ends.
  worker.on('error', () => {});
  return worker;
}

/** An idle thread keeps no process alive. */
function keep(worker: Worker): void {
  if (idle.length >= mostIdle) {
    void worker.terminate();
    return;
  }
  worker.unref();
  idle.push(worker);
}
