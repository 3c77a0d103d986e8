import { access } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import type { DueRow } from '../db/ticks.ts';
import type { Db } from '../db/connect.ts';
import { wakeRepository, type Repository } from '../db/repositories.ts';
import type { GithubSource } from '../github-app.ts';
import { GithubGoneError } from '../github/errors.ts';
import { readHead } from '../github/repository.ts';
import { asAway, placeOf, requireGithub } from './github-answers.ts';

export type TickCommitDeps = {
  readonly db: Db;
  readonly github: Pick<GithubSource, 'current'>;
  readonly directoryOf: (repository: Repository) => string;
  /** Of this process, for looks at GitHub. */
  readonly looks: LimitFunction;
};

/** The commit that a default branch has at the tick, why it cannot be told for now, or what went wrong. */
export type TickCommit =
  | { readonly kind: 'commit'; readonly commit: string }
  | { readonly kind: 'held'; readonly reason: string }
  /** Its turn did not come while others were looked at. */
  | { readonly kind: 'later' }
  | { readonly kind: 'error'; readonly error: unknown };

export type FoundCommit = { readonly repositoryId: number; readonly found: TickCommit };

/** Repositories of GitHub's that are looked at side by side: it refuses more than a hundred requests at once. */
const githubAtOnce = 32;

export function createLooks(): LimitFunction {
  return pLimit(githubAtOnce);
}

/**
 * Milliseconds after which no look begins that had to wait for its place. What was found must be stored within the
 * lease: hundreds that a slow GitHub answers for after seconds each would otherwise be looked at again and again, and
 * never tick.
 */
const lookMs = 20_000;

/**
 * Looks at each repository once, however many of its schedules are due, and answers with what was found as it comes: one
 * that hangs holds up none but its own. GitHub is asked; of our own host the rows are true.
 */
export async function* findTickCommits(
  deps: TickCommitDeps,
  due: readonly DueRow[],
  mostMs = lookMs,
): AsyncGenerator<readonly FoundCommit[]> {
  const once = [...new Map(due.map((row) => [row.repository.id, row])).values()];
  const far = once.filter(({ repository }) => repository.host === 'github');
  const near = once.filter(({ repository }) => repository.host !== 'github');
  let coming = Promise.withResolvers<void>();
  let come: FoundCommit[] = [];
  let left = far.length;
  const begun = performance.now();
  let isOver = false;

  async function lookFar(row: DueRow, waited: boolean): Promise<void> {
    const isLate = isOver || (waited && performance.now() - begun >= mostMs);
    const found: TickCommit = isLate ? { kind: 'later' } : await look(deps, row);
    come.push({ repositoryId: row.repository.id, found });
    coming.resolve();
  }

  try {
    for (const row of far) void deps.looks(lookFar, row, deps.looks.activeCount >= deps.looks.concurrency);
    if (near.length > 0)
      yield await Promise.all(
        near.map(async (row) => ({ repositoryId: row.repository.id, found: await look(deps, row) })),
      );
    while (left > 0) {
      await coming.promise;
      const found = come;
      come = [];
      coming = Promise.withResolvers<void>();
      left -= found.length;
      yield found;
    }
  } finally {
    isOver = true;
  }
}

async function look(deps: TickCommitDeps, row: DueRow): Promise<TickCommit> {
  try {
    return await findCommit(deps, row);
  } catch (error) {
    return { kind: 'error', error };
  }
}

async function findCommit(deps: TickCommitDeps, { repository, head }: DueRow): Promise<TickCommit> {
  const { defaultBranch, access: may, owner, name } = repository;
  if (may !== 'open' && may !== 'archived')
    return { kind: 'held', reason: `${owner}/${name} cannot be read: its access is ${may}.` };
  if (defaultBranch === null) return { kind: 'held', reason: `${owner}/${name} has no default branch.` };
  const commit =
    repository.host === 'github'
      ? await findOnGithub(deps, repository, defaultBranch, head)
      : await findHere(deps, repository, head);
  if (commit === 'gone') return { kind: 'held', reason: `${owner}/${name} cannot be read.` };
  if (commit === null || /^0+$/.test(commit))
    return { kind: 'held', reason: `The default branch ${defaultBranch} of ${owner}/${name} has no commit.` };
  return { kind: 'commit', commit };
}

/** A push notes where the branch is with its own delivery; what is to be found out is whether the content is there. */
async function findHere(
  { directoryOf }: TickCommitDeps,
  repository: Repository,
  head: string | null,
): Promise<string | null> {
  const isThere = await access(join(directoryOf(repository), 'HEAD')).then(
    () => true,
    () => false,
  );
  return isThere ? head : 'gone';
}

async function findOnGithub(
  { db, github: source }: TickCommitDeps,
  repository: Repository,
  branch: string,
  seen: string | null,
): Promise<string | null> {
  const github = await requireGithub(source);
  try {
    const commit = await readHead(github, placeOf(repository), branch);
    // A push that nobody told us of: its look finds it, and the file with it.
    if (commit !== seen) await wakeRepository(db, repository.id);
    return commit;
  } catch (error) {
    if (!(error instanceof GithubGoneError)) throw asAway(error);
    await wakeRepository(db, repository.id);
    return 'gone';
  }
}
