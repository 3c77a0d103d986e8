import pg from 'pg';
import { connectionTimeoutMs } from './connect.ts';
import { workerLockClass } from './due.ts';
import { closeSockets, createSocket, keepAliveMs } from './socket.ts';

/** A worker's number, alive as long as its session: what it claimed is freed when the session ends. */
export type WorkerSession = {
  readonly worker: number;
  readonly lost: Promise<Error>;
  close(): Promise<void>;
};

/** Milliseconds between two questions whether the session is still there, and until one counts as unanswered. */
const usualPace = { beatMs: 10_000, answerMs: 20_000 };

/** Milliseconds that the goodbye of a session may take. */
const goodbyeMs = 1_000;

/**
 * Opens the session that vouches for a worker and, where `onNotice` is given, hears the wakes of others.
 * `lost` resolves when the session breaks or the database falls silent; the worker must then open another, under a
 * new number.
 */
export async function openWorkerSession(
  url: string,
  onNotice: ((queue: string) => void) | null,
  pace: { readonly beatMs: number; readonly answerMs: number } = usualPace,
): Promise<WorkerSession> {
  const socket = createSocket(pace.answerMs);
  const client = new pg.Client({
    connectionString: url,
    application_name: 'ame-worker',
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    connectionTimeoutMillis: connectionTimeoutMs,
    stream: () => socket,
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
    const endBeat = beat(client, pace.beatMs);
    void lost.then(endBeat);
    return {
      worker,
      lost,
      async close() {
        endBeat();
        await Promise.all([client.end(), closeSockets([socket], goodbyeMs)]);
      },
    };
  } catch (error) {
    await Promise.all([client.end().catch(() => {}), closeSockets([socket], goodbyeMs)]);
    throw error;
  }
}

/**
 * Asks again and again, so that a database that fell silent is noticed by the socket: a session that only listens
 * hears no difference. Answers with what ends the asking.
 */
function beat(client: pg.Client, everyMs: number): () => void {
  let asking = false;
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    client
      .query('select 1')
      .then(() => {
        asking = false;
      })
      // What broke is told by `lost`.
      .catch(() => {});
  }, everyMs).unref();
  return () => clearInterval(timer);
}
