import { asRepository } from './connect.ts';
import type { Github, GithubRepository } from './connection.ts';
import { GithubAwayError, GithubGoneError } from './errors.ts';
import { treeDifference } from './tree-difference.ts';

/** GitHub names this many files of a comparison, and does not say whether there are more. */
const mostFiles = 300;

type Comparison = { readonly mergeBase: string; readonly files: readonly string[] | null };

/**
 * Paths (UTF-8) whose content, mode or presence differs between the trees of two commits; a renamed file counts with
 * both its names. Exact for force pushes, unrelated histories and any number of files; sorted. `null` where it cannot
 * be told within a bounded number of requests. One request where `to` comes after `from` with fewer than 300 files
 * changed, otherwise two more. Throws what connect.ts throws; GithubGoneError where a commit is not there.
 */
export async function changedPaths(
  github: Github,
  repository: GithubRepository,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<readonly string[] | null> {
  if (from === to) return [];
  const comparison = await compare(github, repository, from, to);
  // GitHub compares with the merge base, which after a force push is older than what was there before.
  if (comparison?.mergeBase === from && comparison.files !== null) return comparison.files;
  return await treeDifference(github, repository, from, to);
}

/**
 * Paths that a pull request changes as GitHub means it: between the merge base and the head, whatever happened on
 * the base branch since. Exact beyond 300 files too, sorted; `null` where it cannot be told, as when the histories
 * share nothing. One request, or three to four beyond 300 files and where the difference is very large.
 */
export async function changedPathsOfPullRequest(
  github: Github,
  repository: GithubRepository,
  { base, head }: { readonly base: string; readonly head: string },
): Promise<readonly string[] | null> {
  const comparison =
    (await compare(github, repository, base, head)) ?? (await compare(github, repository, base, head, 2));
  if (comparison === null) return null;
  return comparison.files ?? (await treeDifference(github, repository, comparison.mergeBase, head));
}

/**
 * `null` where GitHub cannot compare: it finds no common ancestor, which it answers like what is not there, or the
 * difference is too much for it, which it answers like a failure of its own, each time again. From the second page
 * on it leaves the files out, and with them that work.
 */
async function compare(
  github: Github,
  repository: GithubRepository,
  base: string,
  head: string,
  page = 1,
): Promise<Comparison | null> {
  const { owner, name: repo } = repository;
  const route = 'GET /repos/{owner}/{repo}/compare/{basehead}';
  // Files come with the first page whatever its size; its commits are not needed.
  const params = { owner, repo, basehead: `${base}...${head}`, per_page: 1, page };
  try {
    const { data } = await asRepository(github, repository, { contents: 'read' }, route, params);
    const { files = [], merge_base_commit: mergeBase } = data;
    if (page > 1 || files.length >= mostFiles) return { mergeBase: mergeBase.sha, files: null };
    const paths = files.flatMap(({ filename, previous_filename: previous, status }) =>
      status === 'renamed' && previous !== undefined ? [previous, filename] : [filename],
    );
    return { mergeBase: mergeBase.sha, files: [...new Set(paths)].sort() };
  } catch (error) {
    if (error instanceof GithubGoneError) return null;
    // Where GitHub itself is away, the next request finds that out as well.
    if (error instanceof GithubAwayError && error.retryAt === null && page === 1) return null;
    throw error;
  }
}
