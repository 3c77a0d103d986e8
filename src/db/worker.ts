import pg from 'pg';
import { connectionTimeoutMs } from './connect.ts';
import { workerLockClass } from './due.ts';

/** A worker's number, alive as long as its session: what it claimed is freed when the session ends. */
export type WorkerSession = {
  readonly worker: number;
  readonly lost: Promise<Error>;
  close(): Promise<void>;
};

/**
 * Opens the session that vouches for a worker and, where `onNotice` is given, hears the wakes of others.
 * `lost` resolves when the session breaks; the worker must then open another, under a new number.
 */
export async function openWorkerSession(
  url: string,
  onNotice: ((queue: string) => void) | null,
): Promise<WorkerSession> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'ame-worker',
    keepAlive: true,
    connectionTimeoutMillis: connectionTimeoutMs,
  });
  const lost = new Promise<Error>((resolve) => {
    client.on('error', resolve);
    client.on('end', () => resolve(new Error('the session ended')));
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ worker: number }>(
      `select nextval('worker_numbers')::int as worker`,
    );
    const worker = rows[0]?.worker;
    if (worker === undefined) throw new Error('worker_numbers gave no number');
    await client.query('select pg_advisory_lock($1, $2)', [workerLockClass, worker]);
    if (onNotice) {
      client.on('notification', (message) => onNotice(message.payload ?? ''));
      await client.query('listen ame');
    }
    return { worker, lost, close: () => client.end() };
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}
