import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from './agent/clock.ts';
import { createContent } from './agent/content.ts';
import { createAttemptDoor } from './attempt/door.ts';
import { ownKeyOf } from './attempt/own-key.ts';
import { createClusterExecutor } from './cluster-executor.ts';
import type { Config } from './config.ts';
import { createCommitSource } from './commit-source.ts';
import type { AttemptDoor } from './core/attempt.ts';
import { connect, type Connection } from './db/connect.ts';
import type { Executor } from './executor/executor.ts';
import { createLocalExecutor } from './executor/local/local-executor.ts';
import { setGitSearchPath } from './git/environment.ts';
import { repositoryDirectory } from './git/host.ts';
import { openGithubSource, type GithubSource } from './github-app.ts';
import { createHints, type Hints } from './hints.ts';
import { describeError, type Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { openDirectoryStorage, type DirectoryStorage } from './storage/directory.ts';
import { openS3Storage, type S3Storage } from './storage/s3.ts';
import type { Storage } from './storage/storage.ts';

/** Content, with what the store can do besides: files placed from this machine, or requests signed for others. */
export type ContentStorage = Storage & {
  readonly place?: DirectoryStorage['place'];
  readonly signed?: Pick<S3Storage, 'presignRead' | 'presignWrite' | 'confirmWrite'>;
};

/** What the entry points need; everything below them is passed only what it uses. */
export type Context = {
  readonly config: Config;
  readonly log: Log;
  readonly db: Connection;
  readonly databaseUrl: string;
  readonly storage: ContentStorage;
  /** For content on its way that is too large for memory. */
  readonly temporary: string;
  readonly door: AttemptDoor;
  readonly executor: Executor;
  readonly hints: Hints;
  readonly metrics: Metrics;
  readonly github: GithubSource;
  readonly token: string;
  readonly secretKey: Uint8Array;
  /** What names and tokens outside are made with: `ownKeyOf`. */
  readonly ownKey: Uint8Array;
  /** Where a repository of AME's own host lies. */
  readonly directoryOf: (repository: { readonly id: number }) => string;
  /** The address that people reach this server at, without a slash at its end. */
  readonly address: () => string;
  close(): Promise<void>;
};

export type Ground = {
  readonly config: Config;
  readonly log: Log;
  /** Absolute. */
  readonly directory: string;
  readonly databaseUrl: string;
  readonly token: string;
  readonly secretKey: Uint8Array;
  /** Which database this is: `identify`. */
  readonly databaseId?: string;
  readonly address: () => string;
  readonly clock?: () => Date;
  readonly seams?: Partial<Seams>;
};

/** Where the process meets what is outside of its memory: each part may be given another one to stand in front of it. */
export type Seams = {
  readonly db: (own: Connection) => Connection;
  readonly storage: (own: ContentStorage) => ContentStorage;
  readonly door: (own: AttemptDoor) => AttemptDoor;
  readonly executor: (own: Executor) => Executor;
};

const unchanged: Seams = {
  db: (own) => own,
  storage: (own) => own,
  door: (own) => own,
  executor: (own) => own,
};

/** Puts the parts of one process together, on a data directory and a migrated database. */
export async function createContext(ground: Ground): Promise<Context> {
  const { config, log, directory, databaseUrl, secretKey } = ground;
  const ownKey = ownKeyOf(secretKey, ground.databaseId ?? '');
  setGitSearchPath(config.path);
  const seams: Seams = { ...unchanged, ...ground.seams };
  const metrics = createMetrics();
  const db = seams.db(
    connect({
      url: databaseUrl,
      onError: (error) => log.warn({ error: error.message }, 'a database connection broke'),
      ...(ground.clock ? { clock: ground.clock } : {}),
    }),
  );
  const content = await openContent(ground);
  const storage = seams.storage(content.storage);
  const repositories = join(directory, 'repositories');
  await mkdir(repositories, { recursive: true, mode: 0o700 });
  const directoryOf = ({ id }: { readonly id: number }): string => repositoryDirectory(repositories, id);
  const temporary = join(directory, 'temporary');
  const github = await openGithubSource({
    config,
    db,
    secretKey,
    log,
    onRequest: (request) => metrics.githubAsked(request),
    ...(ground.clock ? { clock: ground.clock } : {}),
  });
  const commitDirectory = createCommitSource({ github, directoryOf });
  const door = seams.door(createAttemptDoor({ db, storage, secretKey, temporary, commitDirectory }));
  const executor = seams.executor(await createExecutor({ ...ground, ownKey, db, door, storage }));
  return {
    config,
    log,
    db,
    databaseUrl,
    storage,
    temporary,
    door,
    executor,
    hints: createHints(),
    metrics,
    github,
    token: ground.token,
    secretKey,
    ownKey,
    directoryOf,
    address: ground.address,
    close: async () => {
      metrics.close();
      content.close();
      await executor.close();
      await db.close();
    },
  };
}

/** How often, and how old, what broken writes left in a bucket is removed. */
const dayMs = 86_400_000;

async function openContent({ config, directory, log }: Ground): Promise<{
  readonly storage: ContentStorage;
  close(): void;
}> {
  if (config.s3 === null)
    return { storage: await openDirectoryStorage(join(directory, 'content')), close: () => {} };
  const s3 = openS3Storage(config.s3);
  const sweep = (): void => {
    s3.sweep(new Date(Date.now() - dayMs)).catch((error: unknown) => {
      log.warn({ error: describeError(error) }, 'what broken writes left in the bucket was not removed');
    });
  };
  sweep();
  const timer = setInterval(sweep, dayMs).unref();
  return { storage: { ...s3, signed: s3 }, close: () => clearInterval(timer) };
}

function createExecutor(
  ground: Ground & {
    readonly ownKey: Uint8Array;
    readonly db: Connection;
    readonly door: AttemptDoor;
    readonly storage: ContentStorage;
  },
): Promise<Executor> {
  const { config, log, directory, door, storage, clock } = ground;
  if (config.kubernetes !== null) return createClusterExecutor({ ...ground, kubernetes: config.kubernetes });
  return createLocalExecutor({
    ...(clock && { clock: { ...systemClock, now: () => clock().getTime() } }),
    directory: join(directory, 'attempts'),
    slots: config.localSlots,
    host: config.host,
    door,
    // Where the store is on this machine, files are placed from it without a way around.
    ...createContent({ clock: systemClock, ...(storage.place && { place: storage.place }) }),
    baseEnv: {
      PATH: config.path,
      ...Object.fromEntries(config.taskEnv.map(({ name, value }) => [name, value])),
    },
    graceMs: config.graceSeconds * 1_000,
    log,
  });
}
