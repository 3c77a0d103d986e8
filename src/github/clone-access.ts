import type { Github, GithubRepository } from './connection.ts';
import { repositoryToken } from './token.ts';

/** The address to fetch a repository's content from, and a token that reads nothing else. */
export async function cloneAccess(
  github: Github,
  repository: GithubRepository,
): Promise<{ readonly url: string; readonly token: string }> {
  const { owner, name } = repository;
  const token = await repositoryToken(github, repository, { contents: 'read' });
  // From our own configuration and rows; an address in a payload is never called.
  return { url: `${github.webUrl}/${encodeURIComponent(owner)}/${encodeURIComponent(name)}.git`, token };
}
