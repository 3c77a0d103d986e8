import { serve, type ServerType } from '@hono/node-server';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig, type Env } from '../../src/config.ts';
import { createContext, type Context, type Seams } from '../../src/context.ts';
import { wakeAtStart, wakeRunOf } from '../../src/db/due.ts';
import { openWorkerSession } from '../../src/db/worker.ts';
import { createLog, type Log } from '../../src/log.ts';
import { createApp } from '../../src/server/app.ts';
import { createLoops, type Loops } from '../../src/worker/worker.ts';
import { createTestDatabase } from '../database.ts';
import type { Clock } from './clock.ts';
import { openEars, watch } from './ears.ts';
import { createClone, type Clone } from './pusher.ts';
import { createReader, type Reader } from './reader.ts';

export { createClock, createStoppedClock, type Clock } from './clock.ts';

export type AmeOptions = {
  /** Of the database; without it that of the machine. */
  readonly clock?: Clock;
  readonly env?: Env;
  /** Where the server's own log goes; without it nowhere, or where AME_TEST_LOG says. */
  readonly log?: Log;
  readonly seams?: Partial<Seams>;
  /** Where the server finds the database, given where it is: a wire in between that a test can cut. */
  readonly wire?: (url: string) => Promise<string>;
  /** A house that is there already, for a second worker on its database, its repositories and its store. */
  readonly beside?: Ame;
  /** Where an earlier life of the same process left its directory and its database; they stay when this one ends. */
  readonly house?: { readonly directory: string; readonly databaseUrl: string };
  /** Nobody tells the loops and those who wait that there is something to look at. */
  readonly deaf?: boolean;
};

/** A whole AME in this process, every loop of which is stepped by hand. */
export type Ame = AsyncDisposable & {
  readonly ctx: Context;
  readonly loops: Loops;
  readonly address: string;
  readonly directory: string;
  /** The database itself, without the wire. */
  readonly databaseUrl: string;
  readonly read: Reader;
  /** Steps each loop once; answers with how many rows were due. */
  step(): Promise<number>;
  /** Waits, without a step, for what `look` answers with. */
  watch<T>(look: () => Promise<T | undefined>): Promise<T>;
  /** Steps until nothing is due and nothing runs. What waits for the clock stays. */
  settle(): Promise<void>;
  /** Steps, and looks again at each word, until `look` answers with something. */
  until<T>(look: () => Promise<T | undefined>): Promise<T>;
  /** Steps, each time that something was said, until the promise is kept. */
  during<T>(promise: Promise<T>): Promise<T>;
  /** Makes due what a start looks at: every repository, every run. */
  sweep(): Promise<void>;
  /** A clone of a new repository, each with a name of its own. */
  repository(): Promise<Repository>;
  api(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: unknown }>;
};

export type Repository = Clone & { readonly owner: string; readonly name: string };

const token = 'a-token-of-the-journeys';
const secretKey = new Uint8Array(32).fill(7);

export async function createAme(options: AmeOptions = {}): Promise<Ame> {
  await using undo = new AsyncDisposableStack();
  const found = options.house ?? options.beside;
  const directory = found?.directory ?? (await mkdtemp(join(tmpdir(), 'ame-journey-')));
  if (!found) undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const databaseUrl = found?.databaseUrl ?? undo.use(await createTestDatabase()).url;
  const ears = await openEars(databaseUrl);
  undo.defer(() => ears.close());
  const config = parseConfig({
    PATH: process.env['PATH'],
    AME_GRACE: '2',
    AME_HOST_NAME: 'here',
    AME_LOCAL_SLOTS: '4',
    ...options.env,
  });
  const { clock } = options;
  const own = join(directory, config.host);
  if (options.beside) await share(join(options.beside.directory, options.beside.ctx.config.host), own);
  const ctx = await createContext({
    config,
    log: options.log ?? createLog(process.env['AME_TEST_LOG'] ?? 'silent'),
    directory: own,
    databaseUrl: options.wire ? await options.wire(databaseUrl) : databaseUrl,
    token,
    secretKey,
    address: () => addressOf(listening),
    ...(clock ? { clock: () => clock.now() } : {}),
    ...(options.seams ? { seams: options.seams } : {}),
  });
  undo.defer(() => ctx.close());
  const listening = await listen(ctx);
  undo.defer(() => close(listening));
  const session = await openWorkerSession(
    ctx.databaseUrl,
    options.deaf ? null : (topic) => ctx.hints.say(topic),
  );
  undo.defer(() => session.close());
  const loops = createLoops(ctx, () => session.worker);
  if (!options.deaf)
    ctx.executor.watch((attempt) => {
      // The hint of a house that is being torn down reaches nobody.
      void wakeRunOf(ctx.db, attempt).catch(() => {});
    });
  const read = createReader(ctx);
  const address = addressOf(listening);
  let repositories = 0;
  const owned = undo.move();

  async function step(): Promise<number> {
    let found = 0;
    for (const loop of Object.values(loops)) found += await loop.once();
    return found;
  }

  async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if ((await step()) === 0) await ears.next();
    }
  }

  return {
    ctx,
    loops,
    address,
    directory,
    databaseUrl,
    read,
    step,
    until,
    watch: (look) => watch(ears, look),
    async settle() {
      for (;;) {
        if ((await step()) > 0) continue;
        if ((await read.active()) === 0) return;
        await ears.next();
      }
    },
    during: (promise) => stepping(promise, step),
    sweep: () => wakeAtStart(ctx.db),
    async repository() {
      const [owner, name] = ['team', `work-${config.host}-${(repositories += 1)}`];
      const url = new URL(`${address}/git/${owner}/${name}.git`);
      url.username = 'ame';
      url.password = token;
      const clone = await createClone(join(directory, 'clones', name), url.href, (push) =>
        options.deaf ? push : stepping(push, () => loops.deliveries.once()),
      );
      return { ...clone, owner, name };
    },
    async api(method, path, body) {
      const response = await fetch(`${address}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };

  /** A push, say, waits for its decision, so that the deliveries are to be stepped while it goes on. */
  async function stepping<T>(promise: Promise<T>, once: () => Promise<number>): Promise<T> {
    const over = new AbortController();
    const end = (): void => {
      over.abort();
      ears.say();
    };
    promise.then(end, end);
    while (!over.signal.aborted) {
      if ((await once()) === 0 && !over.signal.aborted) await ears.next();
    }
    return promise;
  }
}

/** Repositories and content on one disk of two machines. */
async function share(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const name of ['repositories', 'content']) await symlink(join(from, name), join(to, name));
}

async function listen(ctx: Context): Promise<ServerType> {
  const app = createApp(ctx);
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = serve(
    { fetch: app.fetch, port: 0, hostname: '127.0.0.1', overrideGlobalObjects: false },
    () => resolve(),
  );
  await promise;
  return server;
}

function addressOf(server: ServerType): string {
  // What a listening TCP server answers with; only one on a pipe has a text.
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

async function close(server: ServerType): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  if ('closeAllConnections' in server) server.closeAllConnections();
  await closed;
}
