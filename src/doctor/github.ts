import { ConfigError, type Config } from '../config.ts';
import { connect } from '../db/connect.ts';
import { SecretUnreadableError } from '../db/seal.ts';
import { checkApp } from '../github/check-app.ts';
import type { Github } from '../github/connection.ts';
import { connectGivenApp, openGithubSource } from '../github-app.ts';
import type { Log } from '../log.ts';
import { right, wordsOf, wrong, type Finding } from './finding.ts';

export type GithubDeps = {
  readonly config: Config;
  /** Null where it does not answer: an App that `/setup` stored is not known then. */
  readonly databaseUrl: string | null;
  readonly secretKey: Uint8Array | null;
  readonly log: Log;
};

/** Asks GitHub about the App, as `ame github check` lets a running server do; the database is only read. */
export async function examineGithub(deps: GithubDeps): Promise<readonly Finding[]> {
  try {
    const given = await connectGivenApp(deps);
    if (given !== null) return await examineApp(given, deps, deps.config.webhookSecrets.length > 0);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const remedy = 'Set AME_GITHUB_PRIVATE_KEY to the key of the App, or to its path';
    return [wrong('github', error.message, remedy)];
  }
  return examineStoredApp(deps);
}

async function examineApp(github: Github, deps: GithubDeps, hasSecret: boolean): Promise<readonly Finding[]> {
  const findings = await checkApp(github, { publicUrl: deps.config.publicUrl });
  return [
    ...findings.map(({ what, ...said }) => ({
      ...said,
      what: what === 'clock' ? what : ('github' as const),
    })),
    ...(hasSecret ? [] : [noSecret]),
  ];
}

/** The App that `/setup` made stands in the database. */
async function examineStoredApp(deps: GithubDeps): Promise<readonly Finding[]> {
  const { databaseUrl, secretKey, config, log } = deps;
  if (databaseUrl === null || secretKey === null)
    return [
      right(
        'github',
        'The environment names no GitHub App; one that /setup made, `ame github check` looks at',
      ),
    ];
  const db = connect({ url: databaseUrl, max: 2 });
  try {
    const source = await openGithubSource({ config, db, secretKey, log });
    const github = await source.current();
    if (github === null) return [right('github', "No GitHub App is set: AME's own Git host is all there is")];
    return await examineApp(github, deps, (await source.webhookSecrets()).length > 0);
  } catch (error) {
    if (!(error instanceof SecretUnreadableError))
      // A database that no server was ever on has no such table; one that is away was told of already.
      return [right('github', 'No GitHub App is known yet')];
    const remedy = 'Set AME_SECRET_KEY to the key that wrote it, or AME_GITHUB_APP_ID and its key';
    return [wrong('github', wordsOf(error), remedy)];
  } finally {
    await db.close();
  }
}

const noSecret = wrong(
  'github',
  'AME knows no webhook secret: it refuses whatever GitHub delivers',
  'Set AME_GITHUB_WEBHOOK_SECRET to the secret of the App',
);
