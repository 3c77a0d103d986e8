import type { Db } from '../db/connect.ts';
import { wakeRepository, type Repository } from '../db/repositories.ts';
import { wakeInstallation } from '../db/installations.ts';
import type { GithubSource } from '../github-app.ts';
import type { Github, GithubRepository } from '../github/connection.ts';
import { GithubAwayError, GithubGoneError, GithubMovedError, GithubRefusedError } from '../github/errors.ts';
import { AwayError } from './loop.ts';

/** The App that this server is. While there is none, what concerns GitHub waits. */
export async function requireGithub(source: Pick<GithubSource, 'current'>): Promise<Github> {
  const github = await source.current();
  if (github === null) throw new AwayError('no GitHub App is set: open /setup, or set AME_GITHUB_APP_ID');
  return github;
}

/** A row of GitHub's as its API is asked about it. */
export function placeOf(repository: Repository): GithubRepository {
  const { installationId, hostId, owner, name } = repository;
  if (installationId === null) throw new Error(`repository ${repository.id} is not one of GitHub`);
  return { installationId, hostId, owner, name };
}

/**
 * Asks GitHub about a repository. Where it is away, the step waits until it says that it is back. Where the repository
 * has moved or is not there for us, its row is looked at anew, and the step waits for what that finds.
 */
export async function askAbout<T>(
  db: Db,
  repository: Repository,
  ask: (place: GithubRepository) => Promise<T>,
): Promise<T> {
  try {
    return await ask(placeOf(repository));
  } catch (error) {
    const isGone = error instanceof GithubGoneError;
    if (isGone || error instanceof GithubMovedError) {
      await wakeRepository(db, repository.id);
      if (isGone && repository.installationId !== null) await wakeInstallation(db, repository.installationId);
    }
    throw asAway(error);
  }
}

/** Milliseconds after which a refusal that only people can end is tried again: a key, a clock, a permission. */
const refusedMs = 10 * 60_000;

/**
 * What a loop waits for rather than counts against the row. A key that is wrong, a clock that is off and a permission
 * that was not granted yet are the world's too: nothing of the row is wrong, and people mend them.
 */
export function asAway(error: unknown): unknown {
  if (error instanceof GithubRefusedError && isForPeople(error))
    return new AwayError(error.message, { retryAt: new Date(Date.now() + refusedMs), cause: error });
  if (error instanceof GithubAwayError)
    return new AwayError(error.message, { retryAt: error.retryAt, cause: error });
  if (error instanceof GithubGoneError) return new AwayError(error.message, { cause: error });
  return error;
}

/** 422 is the answer to asking for a token with a permission that the installation has not. */
function isForPeople({ status, message }: GithubRefusedError): boolean {
  return status === 401 || status === 403 || (status === 422 && /access_tokens|permission/i.test(message));
}
