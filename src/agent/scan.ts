import { Worker } from 'node:worker_threads';
import type { Walk, WalkOrder } from './walk.ts';

/*
 * The thread's program lies beside this one. Unbuilt that is a `.ts`; the bundle has to hold it as an entry of its
 * own, `walk-worker.mjs` in the same folder as the file that this one went into.
 */
const program = new URL(
  import.meta.url.endsWith('.ts') ? './walk-worker.ts' : './walk-worker.mjs',
  import.meta.url,
);

/** Walks and hashes a workspace in a thread of its own, which ends with it or with the signal. */
export async function scan(order: WalkOrder, signal?: AbortSignal): Promise<Walk> {
  signal?.throwIfAborted();
  // It needs nothing from the environment, which holds the server's secrets, and none of the server's flags: some
  // are meant for the main thread alone and would stop it.
  const worker = new Worker(program, { workerData: order, env: {}, execArgv: [], name: 'walk' });
  const { promise, resolve, reject } = Promise.withResolvers<Walk>();
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', () => reject(new Error('the walk ended without a result')));
  const stop = () => reject(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
