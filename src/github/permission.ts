import { asRepository } from './connect.ts';
import type { Github, GithubRepository } from './connection.ts';
import { GithubGoneError } from './errors.ts';

const writing: ReadonlySet<string> = new Set(['admin', 'maintain', 'write']);

/**
 * Whether someone may write to the repository at this moment. One request. With `accountId`, the account that has
 * the login now must be that one: a login that was given up may be taken by another person.
 */
export async function mayWrite(
  github: Github,
  repository: GithubRepository,
  login: string,
  accountId: string | null = null,
): Promise<boolean> {
  const { owner, name: repo } = repository;
  const route = 'GET /repos/{owner}/{repo}/collaborators/{username}/permission';
  try {
    const params = { owner, repo, username: login };
    const { data } = await asRepository(github, repository, { metadata: 'read' }, route, params);
    const isOther = accountId !== null && String(data.user?.id) !== accountId;
    // Roles that an organisation made itself are shown as the one of GitHub's own that they are made upon.
    return !isOther && writing.has(data.permission);
  } catch (error) {
    // No such account, or nothing that we see: in either case nobody who may write.
    if (error instanceof GithubGoneError) return false;
    throw error;
  }
}
