import type { Context as Ame } from '../../context.ts';
import { inTransaction } from '../../db/connect.ts';
import { findStoredApp, insertStoredApp } from '../../db/github-apps.ts';
import { apiUrlOf } from '../../github/api-url.ts';
import { readApp } from '../../github/app.ts';
import { GithubAwayError, GithubGoneError, GithubRefusedError } from '../../github/errors.ts';
import { convertManifest, type NewApp } from '../../github/manifest.ts';
import { describeError } from '../../log.ts';

type Deps = Pick<Ame, 'config' | 'db' | 'secretKey' | 'github' | 'log'>;

/**
 * `failed`: there is no App that could be used, and nothing was stored. `late`: another one was stored meanwhile.
 * `trouble` is what GitHub said when the stored App was tried.
 */
export type Making =
  | { readonly kind: 'made'; readonly app: NewApp; readonly trouble: string | null }
  | { readonly kind: 'late'; readonly app: NewApp }
  | { readonly kind: 'failed'; readonly reason: string };

/** Whether this server is a GitHub App already, by its environment or by what is stored. */
export async function hasApp({ config, db }: Pick<Ame, 'config' | 'db'>): Promise<boolean> {
  return config.githubApp !== null || (await findStoredApp(db)) !== null;
}

/** Exchanges the code that GitHub gave the browser for the App's key and secret, stores them encrypted and tries them. */
export async function makeApp(deps: Deps, code: string): Promise<Making> {
  const { config, db, secretKey, log } = deps;
  let app: NewApp;
  try {
    app = await convertManifest({ apiUrl: apiUrlOf(config.githubUrl), code });
  } catch (error) {
    log.warn({ error: describeError(error) }, 'GitHub gave no App for the code');
    return { kind: 'failed', reason: reasonOf(error) };
  }
  const { id: appId, slug, privateKey, webhookSecret } = app;
  let isStored: boolean;
  try {
    isStored = await inTransaction(db, (tx) =>
      insertStoredApp(tx, secretKey, { appId, slug, privateKey, webhookSecret }),
    );
  } catch (error) {
    log.error({ app: appId, error: describeError(error) }, 'a GitHub App could not be stored');
    return { kind: 'failed', reason: 'The database could not keep the key that GitHub gave.' };
  }
  if (!isStored) return { kind: 'late', app };
  log.info({ app: appId }, 'stored a GitHub App');
  deps.github.forget();
  return { kind: 'made', app, trouble: await tryApp(deps) };
}

/** The first call with what was stored, read back from there; null where all is well. */
async function tryApp({ github, log }: Deps): Promise<string | null> {
  try {
    const connected = await github.current();
    if (connected === null) return 'The App was stored and is not there.';
    await readApp(connected);
    return null;
  } catch (error) {
    log.warn({ error: describeError(error) }, 'the new GitHub App could not be tried');
    return error instanceof Error ? error.message : String(error);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof GithubGoneError)
    return 'GitHub no longer knows the code that it sent: it is good for one hour, and once.';
  if (error instanceof GithubAwayError) return `GitHub does not answer now. ${error.message}`;
  if (error instanceof GithubRefusedError) return error.message;
  return 'GitHub answered with something else than an App; the log of the server says more.';
}
