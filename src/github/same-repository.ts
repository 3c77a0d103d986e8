import type { GithubRepository } from './connection.ts';
import { GithubGoneError } from './errors.ts';

/** What every query asks of the repository, so that the answer is known to be about the one that is meant. */
export const repositoryFields = 'databaseId nameWithOwner';

/**
 * The answer, where it is about the repository that was meant. Throws GithubGoneError where it is about none, or
 * about another one: a name that is free is given anew, and a token may read any public repository.
 */
export function sameRepository<Found extends { readonly databaseId: number | bigint | null }>(
  asked: GithubRepository,
  found: Found | null,
): Found {
  const { owner, name, hostId } = asked;
  if (found === null) throw new GithubGoneError(`${owner}/${name} is not there for us`);
  if (String(found.databaseId) !== hostId)
    throw new GithubGoneError(`${owner}/${name} is another repository now: not ${hostId}`);
  return found;
}

/** `owner/name` in its two parts. */
export function namesOf(fullName: string): { readonly owner: string; readonly name: string } {
  const [owner = '', name = ''] = fullName.split('/');
  return { owner, name };
}
