import { readFile } from 'node:fs/promises';
import { ConfigError, type Config } from './config.ts';
import type { Db } from './db/connect.ts';
import { ensureAppRow, findStoredApp, openAppSecrets, type GithubAppRow } from './db/github-apps.ts';
import { apiUrlOf } from './github/api-url.ts';
import { connectGithub } from './github/connect.ts';
import type { Github, GithubRequest } from './github/connection.ts';
import type { Log } from './log.ts';

/** The GitHub App that this server is: the one of the environment, else the one that `/setup` stored. */
export type GithubSource = {
  /** Null while there is none. Throws `SecretUnreadableError` where another key encrypted what is stored. */
  current(): Promise<Github | null>;
  /** What a delivery may be signed with; two while one replaces the other. */
  webhookSecrets(): Promise<readonly string[]>;
  /** The same as of the last look, however long ago. */
  knownWebhookSecrets(): readonly string[];
  /** Looks at the rows again before the next answer. */
  forget(): void;
};

export type SourceDeps = {
  readonly config: Config;
  readonly db: Db;
  readonly secretKey: Uint8Array;
  readonly log: Log;
  readonly onRequest?: (request: GithubRequest) => void;
  readonly clock?: () => Date;
};

/** What a connection needs: no database. */
export type ConnectDeps = Omit<SourceDeps, 'db' | 'secretKey'>;

/** Milliseconds that the row of the App is believed: another process may have stored or changed it. */
const believedMs = 5_000;

type Stored = { readonly row: GithubAppRow; readonly github: Github; readonly secret: string };

/** Throws `ConfigError` where the environment names a key that is none. */
export async function openGithubSource(deps: SourceDeps): Promise<GithubSource> {
  const { config, db, log } = deps;
  const given = config.githubApp && (await readKey(config.githubApp));
  if (given) await ensureAppRow(db, given.id);
  const fixed = given && connect(deps, given);
  let stored: Stored | null = null;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let forgotten = 0;
  let looking: Promise<Stored | null> | null = null;

  /** One look at a time: while the database hangs, each of many would hold a connection. */
  function look(): Promise<Stored | null> {
    if (performance.now() - lookedAt < believedMs) return Promise.resolve(stored);
    looking ??= lookNow().finally(() => {
      looking = null;
    });
    return looking;
  }

  async function lookNow(): Promise<Stored | null> {
    const before = forgotten;
    const row = await findStoredApp(db);
    // What changed meanwhile may not have been there yet.
    if (before !== forgotten) return lookNow();
    if (row === null) stored = null;
    else if (row.id !== stored?.row.id || row.updatedAt.getTime() !== stored.row.updatedAt.getTime()) {
      const { privateKey, webhookSecret } = openAppSecrets(deps.secretKey, row);
      stored = { row, github: connect(deps, { id: row.appId, privateKey }), secret: webhookSecret };
      log.info({ app: row.appId }, 'acts as a GitHub App');
    }
    lookedAt = performance.now();
    return stored;
  }

  const known = (): readonly string[] =>
    fixed || config.webhookSecrets.length >= 2 || stored === null
      ? config.webhookSecrets
      : [...config.webhookSecrets, stored.secret];

  return {
    current: async () => fixed ?? (await look())?.github ?? null,
    webhookSecrets: async () => {
      if (!fixed && config.webhookSecrets.length < 2) await look();
      return known();
    },
    knownWebhookSecrets: known,
    forget: () => {
      lookedAt = Number.NEGATIVE_INFINITY;
      forgotten += 1;
    },
  };
}

/** The App that the environment names, without a look at the database; null where it names none. Throws `ConfigError`. */
export async function connectGivenApp(deps: ConnectDeps): Promise<Github | null> {
  const { githubApp } = deps.config;
  return githubApp === null ? null : connect(deps, await readKey(githubApp));
}

function connect(
  { config, log, clock, onRequest }: ConnectDeps,
  app: { readonly id: string; readonly privateKey: string },
): Github {
  return connectGithub({
    app,
    webUrl: config.githubUrl,
    apiUrl: apiUrlOf(config.githubUrl),
    log,
    ...(onRequest ? { onRequest } : {}),
    ...(clock ? { clock } : {}),
  });
}

/** A key as text has its own first line; anything else is the path of one. */
async function readKey(app: NonNullable<Config['githubApp']>): Promise<{ id: string; privateKey: string }> {
  if (app.privateKey.includes('-----BEGIN')) return app;
  try {
    const text = await readFile(app.privateKey, 'utf8');
    if (text.includes('-----BEGIN')) return { id: app.id, privateKey: text };
  } catch (cause) {
    throw new ConfigError(
      'AME_GITHUB_PRIVATE_KEY is neither the text of a key ("-----BEGIN …") nor the path of a file that can be read',
      { cause },
    );
  }
  throw new ConfigError('AME_GITHUB_PRIVATE_KEY is the path of a file that holds no key ("-----BEGIN …")');
}
