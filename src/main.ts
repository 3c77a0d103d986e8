import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ServerType } from '@hono/node-server';
import type { Config } from './config.ts';
import { createContext, type Context } from './context.ts';
import { openDataDirectory, readOrCreateHost, readOrCreateKey, readOrCreateToken } from './data-directory.ts';
import { startEmbeddedPostgres } from './db/embedded.ts';
import { identify } from './db/identity.ts';
import { migrate } from './db/migrate.ts';
import type { Log } from './log.ts';
import { createAgentApp } from './server/agent-app.ts';
import { createApp, withToken } from './server/app.ts';
import { listenAt, type Door } from './server/listen.ts';
import { startWorker } from './worker/worker.ts';

/** Something outside that a start needs and did not find, in one line for people. */
export class StartError extends Error {
  override name = 'StartError';
}

export type Server = {
  readonly context: Context;
  readonly directory: string;
  /** Without a slash at its end. */
  readonly address: string;
  readonly token: string;
  /** Doors, loops, tasks, Postgres, in this order. */
  stop(): Promise<void>;
};

/** Milliseconds that open requests have before their connections are cut; a log that is followed never ends by itself. */
const doorGraceMs = 1_000;

/**
 * Starts everything: the data directory's lock first, then Postgres, migrations, the doors and the loops. What was
 * started is stopped again where a later part fails. Throws `StartError` and those of the data directory and the
 * embedded Postgres, each one line for people.
 */
export async function startServer(config: Config, directoryPath: string, log: Log): Promise<Server> {
  await requireGit();
  await using undo = new AsyncDisposableStack();
  const data = await openDataDirectory(directoryPath);
  undo.defer(() => data.release());
  const token = config.token ?? (await readOrCreateToken(data.path));
  const secretKey = config.secretKey ?? (await readOrCreateKey(data.path));
  const host = await readOrCreateHost(data.path, config.host);
  const databaseUrl = config.databaseUrl ?? (await embedded(data.path, log, undo));
  await migrate(databaseUrl).catch((error: unknown) => {
    throw new StartError(`The database could not be brought to this version's schema: ${reasonOf(error)}`, {
      cause: error,
    });
  });
  let address = '';
  const context = await createContext({
    config: { ...config, host },
    log,
    directory: data.path,
    databaseUrl,
    token,
    secretKey,
    databaseId: await identify(databaseUrl),
    address: () => config.publicUrl ?? address,
  });
  undo.defer(() => context.close());
  const server = await open(
    { port: config.port, bind: config.bind, variable: 'PORT' },
    createApp(context).fetch,
  );
  address = addressOf(server, config);
  undo.defer(() => closeDoors(server));
  const agents = config.kubernetes === null ? null : await openToAgents(config.kubernetes, context);
  if (agents !== null) undo.defer(() => closeDoors(agents));
  const worker = await startWorker(context);
  undo.defer(() => worker.stop());
  await data.announce(address);
  log.info({ address, directory: data.path }, 'listening');
  const started = undo.move();
  let stopped: Promise<void> | undefined;
  return {
    context,
    directory: data.path,
    address,
    token,
    stop: () => (stopped ??= stopInOrder()),
  };

  async function stopInOrder(): Promise<void> {
    context.db.hasten();
    await Promise.all([closeDoors(server), agents && closeDoors(agents)]);
    await started.disposeAsync();
    log.info('stopped');
  }
}

async function embedded(directory: string, log: Log, undo: AsyncDisposableStack): Promise<string> {
  const postgres = await startEmbeddedPostgres({ directory, log });
  undo.defer(() => postgres.stop());
  return postgres.url;
}

async function requireGit(): Promise<void> {
  try {
    await promisify(execFile)('git', ['--version']);
  } catch (error) {
    throw new StartError('AME needs git, and there is none on the PATH. Install git and start again.', {
      cause: error,
    });
  }
}

type Place = { readonly port: number; readonly bind: string; readonly variable: 'PORT' | 'AME_AGENT_PORT' };

/** A door of its own for pods: what they can reach is less than what people can. */
function openToAgents(
  { agentPort, agentBind }: NonNullable<Config['kubernetes']>,
  context: Context,
): Promise<ServerType> {
  return open(
    { port: agentPort, bind: agentBind, variable: 'AME_AGENT_PORT' },
    createAgentApp(context).fetch,
  );
}

async function open({ port, bind, variable }: Place, fetch: Door['fetch']): Promise<ServerType> {
  try {
    return await listenAt({ fetch, port, bind });
  } catch (error) {
    const inUse = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    const why = inUse
      ? `Port ${port} is in use by another program. Stop it, or choose another port: ${variable}=${port + 1} npm start`
      : `AME cannot listen on ${bind}:${port}: ${reasonOf(error)}`;
    throw new StartError(why, { cause: error });
  }
}

function addressOf(server: ServerType, config: Config): string {
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : config.port;
  const host = config.bind === '0.0.0.0' || config.bind === '::' ? '127.0.0.1' : config.bind;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function closeDoors(server: ServerType): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const cut = setTimeout(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
  }, doorGraceMs);
  await closed;
  clearTimeout(cut);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An address of this server's page that opens without asking. */
export function pageAddress(server: Server, path: string): string {
  return withToken(`${server.address}${path}`, server.token);
}

/** Where a clone of a repository of this server comes from, token included. */
export function cloneAddress(server: Server, owner: string, name: string): string {
  const url = new URL(`${server.address}/git/${owner}/${name}.git`);
  url.username = 'ame';
  url.password = server.token;
  return url.href;
}
