import type { Db } from '../db/connect.ts';
import type { Claim } from '../db/due.ts';
import { recordMoves, type MovedRef } from '../db/moves.ts';
import { findRepository, listHeads, sweepSeconds, type Repository } from '../db/repositories.ts';
import { zeroId } from '../git/object-id.ts';
import { readHead } from '../git/host.ts';
import { listRefs } from '../git/repository.ts';
import type { GithubSource } from '../github-app.ts';
import type { Log } from '../log.ts';
import { sweepGithub } from './github-repository.ts';
import type { StepEnd } from './loop.ts';

export type RepositoryDeps = {
  readonly db: Db;
  readonly log: Log;
  readonly directoryOf: (repository: Repository) => string;
  readonly github: GithubSource;
};

/**
 * Compares the refs of a repository with where they were last seen; a push that nobody heard of becomes a
 * delivery, so that the repair walks the same way as the rule.
 */
export async function sweepRepository(deps: RepositoryDeps, claim: Claim): Promise<StepEnd> {
  const repository = await findRepository(deps.db, Number(claim.id));
  if (!repository) return { dueInSeconds: null };
  if (repository.host === 'github') return sweepGithub(deps, repository);
  const seen = await listHeads(deps.db, repository.id);
  const refs = new Map((await listRefs(deps.directoryOf(repository))).map(({ ref, id }) => [ref, id]));
  const moved: MovedRef[] = [];
  for (const [ref, after] of refs) {
    const before = seen.get(ref) ?? zeroId;
    if (before !== after) moved.push({ ref, before, after });
  }
  for (const [ref, before] of seen) {
    if (!refs.has(ref)) moved.push({ ref, before, after: zeroId });
  }
  // A person with git at hand may have chosen another default branch.
  const head = await readHead(deps.directoryOf(repository));
  const isOther = refs.has(head) && head !== `refs/heads/${repository.defaultBranch}`;
  if (moved.length > 0 || isOther) {
    const deliveries = await recordMoves(deps.db, repository.id, moved, isOther ? head : null);
    deps.log.warn({ repository: repository.id, deliveries }, 'found what was not heard of');
  }
  return { dueInSeconds: sweepSeconds };
}
