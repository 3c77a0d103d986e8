import { once } from 'node:events';
import { Socket } from 'node:net';

/** Milliseconds until the system asks a connection that is quiet whether its other end is still there. */
export const keepAliveMs = 10_000;

/**
 * A socket for `pg` that breaks where nothing moves on it for `answerMs`. A connection whose other end is gone
 * without a word (a failover, a frozen proxy) leaves its query waiting for ever. The `query_timeout` of `pg` gives
 * the query up, but not the connection: the pool hands it out again, with the old answer still to come, and every
 * query after waits as well (read and tried with pg 8.23). A socket that breaks fails what waits on it, and the
 * pool drops it; and it bounds silence, not work, so that a large answer may take as long as it comes.
 */
export function createSocket(answerMs: number): Socket {
  const socket = new Socket();
  // `pg` listens too, but only once it has asked the socket to connect: where that throws, nobody would hear the silence
  // that follows, and an error that nobody hears ends the process.
  socket.on('error', () => {});
  socket.setTimeout(answerMs);
  socket.on('timeout', () => {
    const seconds = (socket.timeout ?? answerMs) / 1_000;
    socket.destroy(
      Object.assign(new Error(`the database did not answer within ${seconds} s`), { code: 'ETIMEDOUT' }),
    );
  });
  return socket;
}

/** Waits until all are closed, and cuts after `graceMs` those whose other end does not say goodbye. */
export async function closeSockets(sockets: Iterable<Socket>, graceMs: number): Promise<void> {
  const open = [...sockets].filter((socket) => !socket.closed);
  const cut = setTimeout(() => {
    for (const socket of open) socket.destroy();
  }, graceMs);
  await Promise.all(open.map((socket) => once(socket, 'close').catch(() => {})));
  clearTimeout(cut);
}
