import { asRepository } from './connect.ts';
import type { Github, GithubRepository } from './connection.ts';
import { GithubGoneError } from './errors.ts';
import { sameRepository } from './same-repository.ts';

export type RepositoryState = {
  readonly hostId: string;
  readonly owner: string;
  readonly name: string;
  readonly defaultBranch: string;
  readonly archived: boolean;
  /** GitHub itself has closed it. */
  readonly disabled: boolean;
  readonly isPrivate: boolean;
};

const conditional = { conditional: true };

/**
 * What a repository is at this moment, also after a rename. Costs nothing of the hourly limit while unchanged.
 * Throws GithubGoneError where it is not there for us, or its name belongs to another one now.
 */
export async function readRepository(github: Github, repository: GithubRepository): Promise<RepositoryState> {
  const { owner, name: repo } = repository;
  const route = 'GET /repos/{owner}/{repo}';
  const permissions = { metadata: 'read' } as const;
  const { data } = await asRepository(github, repository, permissions, route, { owner, repo }, conditional);
  sameRepository(repository, { databaseId: data.id });
  return {
    hostId: String(data.id),
    owner: data.owner.login,
    name: data.name,
    defaultBranch: data.default_branch,
    archived: data.archived,
    disabled: data.disabled,
    isPrivate: data.private,
  };
}

/**
 * The commit that a branch (without `refs/heads/`) leads to at this moment; `null` where there is no such branch.
 * Costs nothing of the hourly limit while unchanged.
 */
export async function readHead(
  github: Github,
  repository: GithubRepository,
  branch: string,
): Promise<string | null> {
  const { owner, name: repo } = repository;
  const route = 'GET /repos/{owner}/{repo}/git/ref/{ref}';
  const params = { owner, repo, ref: `heads/${branch}` };
  try {
    const { data } = await asRepository(github, repository, { contents: 'read' }, route, params, conditional);
    return data.ref === `refs/heads/${branch}` ? data.object.sha : null;
  } catch (error) {
    if (!(error instanceof GithubGoneError)) throw error;
    // GitHub answers alike for a branch and for a repository that is not there; only the first means `null`.
    await readRepository(github, repository);
    return null;
  }
}

/** An open pull request, as a list shows it. */
export type OpenPullRequest = {
  readonly number: number;
  readonly headSha: string;
  readonly headRef: string;
  /** `null`: the fork is gone. */
  readonly headRepositoryId: string | null;
  readonly baseRef: string;
  readonly draft: boolean;
};

const pageSize = 100;

/** All open pull requests, oldest first; one request a hundred, none of which counts while nothing changed. */
export async function listOpenPullRequests(
  github: Github,
  repository: GithubRepository,
): Promise<readonly OpenPullRequest[]> {
  const { owner, name: repo } = repository;
  const route = 'GET /repos/{owner}/{repo}/pulls';
  const found: OpenPullRequest[] = [];
  for (let page = 1; ; page += 1) {
    // Oldest first: a new one changes the last page alone.
    const sorted = { state: 'open', sort: 'created', direction: 'asc', per_page: pageSize, page } as const;
    const params = { owner, repo, ...sorted };
    const { data } = await asRepository(
      github,
      repository,
      { pull_requests: 'read' },
      route,
      params,
      conditional,
    );
    for (const { number, head, base, draft } of data) {
      // GitHub's description lets the repository of a head be absent only in words: a fork that was deleted is null.
      const headRepository: { readonly id: number | bigint } | null = head.repo;
      found.push({
        number,
        headSha: head.sha,
        headRef: head.ref,
        headRepositoryId: headRepository === null ? null : String(headRepository.id),
        baseRef: base.ref,
        draft: draft ?? false,
      });
    }
    if (data.length < pageSize) return found;
  }
}
