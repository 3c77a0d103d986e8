import { notFound, ok, type Answer } from './answer.ts';
import { fullName, numberOf, type Ask } from './ask.ts';
import { changedFileShape, commitShape } from './git-shapes.ts';
import { countCommits, findCommit, mergeBase, readChanges, readCommit, readCommits } from './read-git.ts';
import type { FakeRepository } from './repository.ts';

const mostFiles = 300;
const mostCommits = 250;

/** Three dots: what changed from the merge base to the head. Files come with the first page only, at most 300. */
export async function compare(ask: Ask, repository: FakeRepository): Promise<Answer> {
  const { world, query } = ask;
  const { directory } = repository;
  const [from = '', to = '', more] = (ask.params['basehead'] ?? '').split('...');
  if (from === '' || to === '' || more !== undefined) notFound();
  const base = (await findSide(ask, repository, from)) ?? notFound();
  const head = (await findSide(ask, repository, to)) ?? notFound();
  const common = await mergeBase(directory, base, head);
  if (common === null) notFound(); // GitHub: no common ancestor
  const ahead = await countCommits(directory, base, head);
  const behind = await countCommits(directory, head, base);
  const paged = query.has('page') || query.has('per_page');
  const size = paged ? Math.min(100, numberOf(query.get('per_page'), 30)) : mostCommits;
  const page = numberOf(query.get('page'), 1);
  const all = await readCommits(directory, ['--reverse', `${base}..${head}`]);
  const commits = all.slice((page - 1) * size, page * size);
  const files = page === 1 ? (await readChanges(directory, common, head)).slice(0, mostFiles) : [];
  const path = `${fullName(repository)}/compare/${encodeURIComponent(from)}...${encodeURIComponent(to)}`;
  const next = new URLSearchParams(query);
  next.set('page', String(page + 1));
  const status =
    ahead > 0 && behind > 0 ? 'diverged' : ahead > 0 ? 'ahead' : behind > 0 ? 'behind' : 'identical';
  const html = `${world.webUrl}/${path}`;
  return ok(
    {
      url: `${world.url}/repos/${path}`,
      html_url: html,
      permalink_url: html,
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      base_commit: commitShape(world, repository, await readCommit(directory, base)),
      merge_base_commit: commitShape(world, repository, await readCommit(directory, common)),
      status,
      ahead_by: ahead,
      behind_by: behind,
      total_commits: ahead,
      commits: commits.map((commit) => commitShape(world, repository, commit)),
      files: files.map((file) => changedFileShape(world, repository, head, file)),
    },
    all.length > page * size ? { link: `<${world.url}/repos/${path}?${next.toString()}>; rel="next"` } : {},
  );
}

/** `branch`, a sha, `owner:branch` or `owner:repository:branch` of the same network. */
async function findSide(ask: Ask, repository: FakeRepository, side: string): Promise<string | null> {
  const parts = side.split(':');
  if (parts.length === 1) return findCommit(repository, side);
  const owner = parts[0]?.toLowerCase();
  const name = parts.length === 3 ? parts[1]?.toLowerCase() : undefined;
  const other = ask.world.repositories.find(
    (one) =>
      !one.deleted &&
      one.owner.login.toLowerCase() === owner &&
      (name === undefined
        ? one === repository || one.parent === repository
        : one.name.toLowerCase() === name),
  );
  const sha = other && (await findCommit(other, parts.at(-1) ?? ''));
  return sha ? findCommit(repository, sha) : null;
}
