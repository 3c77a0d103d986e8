import {
  listHeads,
  saveAccess,
  saveDefaultBranch,
  saveHead,
  saveNames,
  type Repository,
} from '../db/repositories.ts';
import { recordMoves } from '../db/moves.ts';
import type { Db } from '../db/connect.ts';
import { zeroId } from '../git/object-id.ts';
import type { GithubSource } from '../github-app.ts';
import { GithubGoneError } from '../github/errors.ts';
import { listOpenPullRequests, readHead, readRepository } from '../github/repository.ts';
import type { Log } from '../log.ts';
import { wakeInstallation } from '../db/installations.ts';
import { asAway, placeOf, requireGithub } from './github-answers.ts';
import type { StepEnd } from './loop.ts';

/** Seconds between two looks at a repository; while nothing changed, they cost nothing of GitHub's hourly limit. */
const sweepSeconds = 300;

/**
 * Looks at what a repository of GitHub is called and where its default branch is. A push that nobody heard of, a head
 * that was never seen and a default branch that is another one become a delivery, so that the repair walks the same
 * way as the rule.
 */
export async function sweepGithub(
  deps: { readonly db: Db; readonly log: Log; readonly github: GithubSource },
  repository: Repository,
): Promise<StepEnd> {
  const { db, log } = deps;
  // What says that it is there again is its installation, which is looked at anyway.
  if (repository.access === 'deleted') return { dueInSeconds: null };
  const github = await requireGithub(deps.github);
  const place = placeOf(repository);
  try {
    const now = await readRepository(github, place);
    const access = now.archived || now.disabled ? 'archived' : 'open';
    await saveNames(db, repository.id, now);
    if (access !== repository.access) await saveAccess(db, repository.id, access);
    const sha = (await readHead(github, { ...place, ...now }, now.defaultBranch)) ?? zeroId;
    const ref = `refs/heads/${now.defaultBranch}`;
    const seen = await listHeads(db, repository.id);
    const before = seen.get(ref) ?? null;
    const isOther = repository.defaultBranch !== null && repository.defaultBranch !== now.defaultBranch;
    if (isOther) await saveDefaultBranch(db, repository.id, now.defaultBranch);
    // An empty repository was seen empty, so that its first push is one.
    if (before === null && sha === zeroId) await saveHead(db, repository.id, ref, zeroId);
    // A head that is seen for the first time did not move: its file is checked, and nothing of it runs.
    const isFirst = before === null;
    const moved = sha === (before ?? zeroId) && !isOther ? [] : [{ ref, before: before ?? sha, after: sha }];
    const pulls = (await listOpenPullRequests(github, { ...place, ...now }))
      .map((pull) => ({ ...pull, ref: `refs/pull/${pull.number}/head` }))
      .filter((pull) => seen.get(pull.ref) !== pull.headSha)
      .map(({ number, ref: head, headSha: after }) => ({
        pullRequest: number,
        ref: head,
        before: isFirst ? after : (seen.get(head) ?? zeroId),
        after,
      }));
    if (moved.length + pulls.length === 0) return { dueInSeconds: sweepSeconds };
    const deliveries = await recordMoves(db, repository.id, [...moved, ...pulls], null, 'github');
    log.info({ repository: repository.id, deliveries }, 'found heads that were not heard of');
    return { dueInSeconds: sweepSeconds };
  } catch (error) {
    if (!(error instanceof GithubGoneError) || repository.installationId === null) throw asAway(error);
    // Removed, suspended, or not granted: its installation knows, and says so in the row.
    await wakeInstallation(db, repository.installationId);
    log.info({ repository: repository.id, access: repository.access }, 'GitHub does not show a repository');
    const isKnown = repository.access === 'removed' || repository.access === 'suspended';
    return { dueInSeconds: isKnown ? null : sweepSeconds };
  }
}
