import { sql, type SQL } from 'drizzle-orm';
import { drizzle, type NodePgQueryResultHKT } from 'drizzle-orm/node-postgres';
import type { PgDatabase } from 'drizzle-orm/pg-core';
import type { Socket } from 'node:net';
import pg from 'pg';
import { closeSockets, createSocket, keepAliveMs } from './socket.ts';

/** The database, or a transaction of it: the caller of a query owns the transaction. */
export type Db = {
  readonly orm: PgDatabase<NodePgQueryResultHKT>;
  /** The time of the database in whole milliseconds; a journey passes its own in. */
  readonly now: () => SQL<Date>;
};

export type Connection = Db & {
  readonly pool: pg.Pool;
  /** From now on an answer is awaited for two seconds only: a stop does not wait for a database that hangs. */
  hasten(): void;
  /** Resolves once the server has let go of every connection, and soon also where it does not answer. */
  close(): Promise<void>;
};

/** Milliseconds until a server that does not let us in counts as away. */
export const connectionTimeoutMs = 2_000;

/** Milliseconds of silence after which a query is given up: longer than any of ours waits for a lock. */
const answerMs = 30_000;

/** Milliseconds that a query, and a connection's goodbye, may take where the process is stopping. */
const hastyMs = 2_000;

export type ConnectOptions = {
  readonly url: string;
  /** Connections at most. */
  readonly max?: number;
  /** Called with what a connection said when it broke; it is replaced by itself. */
  readonly onError?: (error: Error) => void;
  /** Milliseconds of silence after which a query is given up and its connection dropped; 30,000 where unsaid. */
  readonly answerMs?: number;
  readonly clock?: () => Date;
};

/** Opens a pool. Nothing is sent before the first query. */
export function connect(options: ConnectOptions): Connection {
  const sockets = new Set<Socket>();
  let patienceMs = options.answerMs ?? answerMs;
  let stopping = false;
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max ?? 10,
    connectionTimeoutMillis: connectionTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    stream: openSocket,
    application_name: 'ame',
  });
  // Without a listener a restart of Postgres ends the process (measured with pg 8.23).
  const onError = (error: Error): void => {
    // Who stops drops connections, and those that are idle are dropped early.
    if (!stopping) options.onError?.(error);
  };
  pool.on('error', onError);
  pool.on('connect', (client) => client.on('error', onError));

  function openSocket(): Socket {
    const socket = createSocket(patienceMs);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  }

  function hasten(): void {
    stopping = true;
    patienceMs = Math.min(patienceMs, hastyMs);
    for (const socket of sockets) socket.setTimeout(patienceMs);
  }

  async function close(): Promise<void> {
    hasten();
    // The pool has ended as soon as it said goodbye. A Postgres that ends before it heard that complains to us.
    await Promise.all([pool.end(), closeSockets(sockets, hastyMs)]);
  }

  const clock = options.clock;
  return {
    orm: drizzle({ client: pool }),
    now: () =>
      clock
        ? sql<Date>`${clock().toISOString()}::timestamptz(3)`
        : sql<Date>`date_trunc('milliseconds', statement_timestamp())`,
    pool,
    hasten,
    close,
  };
}

/** Whether the database answers now. */
export async function isReachable(db: Db): Promise<boolean> {
  try {
    await db.orm.execute(sql`select 1`);
    return true;
  } catch {
    return false;
  }
}

/** Runs `work` in a transaction, or in a savepoint of the one that `db` already is. */
export async function inTransaction<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T> {
  if (!isConnection(db)) return db.orm.transaction((orm) => work({ orm, now: db.now }));
  // drizzle takes a connection from the pool and, where `begin` fails on it, never gives it back (measured with 0.45):
  // ten such moments, and the pool has none left.
  const client = await db.pool.connect();
  try {
    return await drizzle({ client }).transaction((orm) => work({ orm, now: db.now }));
  } finally {
    // Where nobody heard that it began, or that it was undone, it is still open: what comes next would be a part of it, and
    // be gone with it.
    client.release(client.getTransactionStatus() !== 'I');
  }
}

function isConnection(db: Db): db is Connection {
  return 'pool' in db;
}

/** The SQLSTATE of a failure that Postgres reported, wherever it hides among the causes. */
export function sqlState(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    // No class begins with an E, and EPIPE and EPERM have five letters too.
    if ('code' in at && typeof at.code === 'string' && /^(?!E)[0-9A-Z]{5}$/.test(at.code)) return at.code;
  }
  return undefined;
}

/** What the network says of a server that is away; the codes of files say nothing about the database. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** What pg says without a code. */
const awayMessage =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered|Client was closed)/;

/** True where the database could not be reached or was going down, false where it answered with a refusal. */
export function isDatabaseAway(error: unknown): boolean {
  const state = sqlState(error);
  // 25006: it may only be read, as a primary that has just become a standby.
  if (state !== undefined) return /^(08|57P|53|25006$)/.test(state);
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string' && networkCodes.has(at.code)) return true;
    // The socket of a server on this machine may be gone as a file.
    if ('syscall' in at && at.syscall === 'connect') return true;
    if (awayMessage.test(at.message)) return true;
  }
  return false;
}
