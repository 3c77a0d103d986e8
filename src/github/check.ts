import { mostAnnotations, type Check, type CheckAnnotation } from '../core/check.ts';
import { checkBody, checkName } from './check-body.ts';
import { asRepository } from './connect.ts';
import type { Github, GithubRepository } from './connection.ts';
import { hostNumber } from './host-number.ts';

/** A check run as GitHub shows it now. */
export type CheckState = {
  readonly id: string;
  readonly status: string;
  readonly conclusion: string | null;
  /** How many arrived: they add up over requests, so what is left is known also after a lost answer. */
  readonly annotationsCount: number;
};

export type WithAnnotations = {
  /** Those of this request, at most 50; GitHub adds them to what it has. */
  readonly annotations: readonly CheckAnnotation[];
};

const permissions = { checks: 'write' } as const;

/**
 * Makes a check run at a commit and answers its id. With it go the first 50 annotations, unless others are named.
 * One request. After GithubAwayError it may have been made: ask `findCheck` before it is made again.
 */
export async function createCheck(
  github: Github,
  repository: GithubRepository,
  sha: string,
  says: Check,
  { annotations }: WithAnnotations = { annotations: says.annotations.slice(0, mostAnnotations) },
): Promise<string> {
  const { owner, name: repo } = repository;
  const route = 'POST /repos/{owner}/{repo}/check-runs';
  const params = { owner, repo, head_sha: sha, ...checkBody(says, annotations) };
  const { data } = await asRepository(github, repository, permissions, route, params);
  return String(data.id);
}

/**
 * Says something else in a check run. Its annotations stay, and those named here are added: sent again after a lost
 * answer they stand there twice, so `readCheckState` is asked first. One request.
 */
export async function updateCheck(
  github: Github,
  repository: GithubRepository,
  id: string,
  says: Check,
  { annotations }: WithAnnotations = { annotations: [] },
): Promise<void> {
  const { owner, name: repo } = repository;
  const route = 'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}';
  const params = { owner, repo, check_run_id: hostNumber(id), ...checkBody(says, annotations) };
  await asRepository(github, repository, permissions, route, params);
}

const pageSize = 100;

/**
 * Our own check run with this `externalId` at a commit; the newest where there are several, `null` where there is
 * none. One request for each 100 of the same name.
 */
export async function findCheck(
  github: Github,
  repository: GithubRepository,
  wanted: { readonly sha: string; readonly name: string; readonly externalId: string },
): Promise<CheckState | null> {
  const { owner, name: repo } = repository;
  const route = 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs';
  let found: CheckState | null = null;
  for (let page = 1; ; page += 1) {
    const params = {
      owner,
      repo,
      ref: wanted.sha,
      check_name: checkName(wanted.name),
      // Otherwise GitHub lists the latest of each name alone.
      filter: 'all' as const,
      app_id: hostNumber(github.app.id),
      per_page: pageSize,
      page,
    };
    const { data } = await asRepository(github, repository, permissions, route, params);
    for (const run of data.check_runs) {
      if (run.external_id !== wanted.externalId) continue;
      if (found === null || run.id > hostNumber(found.id)) found = stateOf(run);
    }
    if (data.check_runs.length < pageSize) return found;
  }
}

/** What GitHub shows of a check run at this moment. One request. */
export async function readCheckState(
  github: Github,
  repository: GithubRepository,
  id: string,
): Promise<CheckState> {
  const { owner, name: repo } = repository;
  const route = 'GET /repos/{owner}/{repo}/check-runs/{check_run_id}';
  const params = { owner, repo, check_run_id: hostNumber(id) };
  const { data } = await asRepository(github, repository, permissions, route, params);
  return stateOf(data);
}

function stateOf(run: {
  readonly id: number | bigint;
  readonly status: string;
  readonly conclusion: string | null;
  readonly output: { readonly annotations_count: number };
}): CheckState {
  const { id, status, conclusion, output } = run;
  return { id: String(id), status, conclusion, annotationsCount: output.annotations_count };
}
