import { findCheck, saveSaid } from '../db/checks.ts';
import type { Db } from '../db/connect.ts';
import type { Claim } from '../db/due.ts';
import { findRepository } from '../db/repositories.ts';
import type { GithubSource } from '../github-app.ts';
import { tellGithub } from './github-check.ts';
import type { StepEnd } from './loop.ts';

export type CheckDeps = { readonly db: Db; readonly github: GithubSource };

/**
 * Tells a commit what it is to be told. On the local host the row itself is what the page, the API and the CLI
 * show, so telling is noting that it was told; GitHub is sent the same row.
 */
export async function tellCheck(deps: CheckDeps, claim: Claim): Promise<StepEnd> {
  const check = await findCheck(deps.db, Number(claim.id));
  const repository = check && (await findRepository(deps.db, check.repositoryId));
  if (!check || !repository) return { dueInSeconds: null };
  if (repository.host === 'github') return tellGithub(deps, claim, check, repository);
  const { annotationsSaid, updates, hostCheckId } = check;
  const told = {
    said: check.says,
    hostCheckId,
    annotationsSaid,
    updates,
    doubtful: false,
    lookAgainInSeconds: null,
  };
  await saveSaid(deps.db, claim, told);
  return { saved: true };
}
