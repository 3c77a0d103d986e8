import { fetchCommit } from './git/fetch.ts';
import type { GithubSource } from './github-app.ts';
import { GithubAwayError } from './github/errors.ts';
import { cloneAccess } from './github/clone-access.ts';

type Placed = {
  readonly id: number;
  readonly host: 'local' | 'github';
  readonly hostId: string;
  readonly installationId: string | null;
  readonly owner: string;
  readonly name: string;
};

/**
 * Where a commit is on this machine: AME's own host has it, one of GitHub is fetched, without its history, by a token
 * that can read this repository alone. Throws `GitError` and the errors of `github/errors.ts`.
 */
export function createCommitSource(deps: {
  readonly github: GithubSource;
  readonly directoryOf: (repository: { readonly id: number }) => string;
}): (repository: Placed, commit: string) => Promise<string> {
  return async (repository, commit) => {
    const directory = deps.directoryOf(repository);
    const { host, installationId, hostId, owner, name } = repository;
    if (host === 'local' || installationId === null) return directory;
    const github = await deps.github.current();
    if (github === null) throw new GithubAwayError('no GitHub App is set');
    await fetchCommit(directory, commit, await cloneAccess(github, { installationId, hostId, owner, name }));
    return directory;
  };
}
