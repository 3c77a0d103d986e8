import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig, type Env } from '../../src/config.ts';
import { createContext, type Context } from '../../src/context.ts';
import { createLog } from '../../src/log.ts';
import { createApp, type App } from '../../src/server/app.ts';
import { listenAt, type Patience } from '../../src/server/listen.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';

export const token = 'a-token-of-the-test';

export type TestAme = AsyncDisposable & {
  readonly ame: Context;
  readonly app: App;
  readonly database: TestDatabase;
  /** A request of somebody who may, unless `headers` says otherwise; a body that is no text is sent as JSON. */
  ask(path: string, init?: Asking): Promise<Response>;
  close(): Promise<void>;
};

export type Asking = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: string | Uint8Array;
};

/** The doors without a socket, on a database and a directory of the test's own. No loop runs. */
export async function openTestAme(
  given: { readonly env?: Env; readonly clock?: () => Date; readonly databaseUrl?: string } = {},
): Promise<TestAme> {
  const database = await createTestDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'ame-test-server-'));
  const ame = await createContext({
    config: parseConfig({ PATH: process.env['PATH'], ...given.env }),
    log: createLog('silent'),
    directory,
    databaseUrl: given.databaseUrl ?? database.url,
    token,
    secretKey: randomBytes(32),
    address: () => 'http://127.0.0.1:8080',
    ...(given.clock ? { clock: given.clock } : {}),
  });
  const app = createApp(ame);
  const close = async (): Promise<void> => {
    await ame.close();
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  };
  return {
    ame,
    app,
    database,
    ask: async (path, { method, headers, json, body } = {}) =>
      app.request(path, {
        method: method ?? (json === undefined && body === undefined ? 'GET' : 'POST'),
        headers: {
          host: '127.0.0.1:8080',
          authorization: `Bearer ${token}`,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json === undefined ? (body === undefined ? {} : { body }) : { body: JSON.stringify(json) }),
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The JSON of an answer, as what the test takes it for. */
export async function read<T>(answer: Response): Promise<T> {
  const said: T = JSON.parse(await answer.text());
  return said;
}

/** Status and code of a refusal in the one form that all have. */
export async function refusalOf(answer: Response): Promise<readonly [status: number, code: string]> {
  const { error } = await read<{ error: { code: string; message: string } }>(answer);
  if (typeof error.message !== 'string' || error.message === '') throw new Error('a refusal without words');
  return [answer.status, error.code];
}

export type Listening = AsyncDisposable & { readonly port: number; readonly url: string };

/** The doors on a socket, as the server opens them. */
export async function listen(
  app: { fetch: (request: Request) => Response | Promise<Response> },
  patience?: Patience,
): Promise<Listening> {
  const door = { fetch: (request: Request) => app.fetch(request), port: 0, bind: '127.0.0.1' };
  const server = await listenAt(door, patience);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
    },
  };
}
