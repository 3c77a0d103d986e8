import type { Project } from '../core/project.ts';
import { busyRule, decidePullRequest, decidePush } from '../core/trigger.ts';
import { noRun, type Decision } from '../core/trigger/decision.ts';
import type { Db } from '../db/connect.ts';
import { isLastSeenAt, listDecisions, type Decision as DecisionRow } from '../db/deliveries.ts';
import { listRevisions } from '../db/projects.ts';
import type { Repository } from '../db/repositories.ts';
import { listRunsById } from '../db/runs.ts';
import { fileName, isOfHead, type Head } from './head.ts';

/** What a payload says of a branch of the repository itself. */
export type OwnHead = {
  /** Full. */
  readonly ref: string;
  readonly after: string;
} & (
  | { readonly trigger: 'push'; readonly before: string }
  | { readonly trigger: 'pull_request'; readonly number: number; readonly base: string }
);

/**
 * A head to which nothing more can come: a push to a branch with a pull request is told twice, and whichever is decided
 * second asks GitHub nothing where its answer follows from what the first one read. That is so where the commit has no
 * file; where the file says no whatever changed; and where all that it could run has its run. `null`: GitHub is to be
 * asked. Never of a default branch, of which more than the answer is kept.
 */
export async function findAnsweredHead(db: Db, repository: Repository, own: OwnHead): Promise<Head | null> {
  const { ref, after: commit } = own;
  const { id: repositoryId, defaultBranch } = repository;
  if (defaultBranch === null || ref === `refs/heads/${defaultBranch}`) return null;
  if (!(await isLastSeenAt(db, { repositoryId, ref, sha: commit }))) return null;
  const rows = (await listDecisions(db, { commit, repositoryId })).filter(isOfHead);
  const absent = rows.find(({ rule }) => rule === 'file-absent' || rule === 'file-deleted');
  if (absent !== undefined)
    return headOf(own, null, await decideAbsent(db, repositoryId, own, absent.message));
  const [revision] = await listRevisions(db, commit, { repositoryId });
  if (revision === undefined) return null;
  const decision = decideByFile(revision.project, own);
  if (decision === null) return null;
  if (decision.outcome === 'run' && !(await haveRuns(db, rows, ref, decision.tasks))) return null;
  return headOf(own, revision, decision);
}

async function decideAbsent(db: Db, repositoryId: number, own: OwnHead, message: string): Promise<Decision> {
  const had = own.trigger === 'push' && (await listRevisions(db, own.before, { repositoryId })).length > 0;
  if (had) return noRun('file-deleted', null, `${fileName} was deleted: what runs may finish.`);
  return noRun('file-absent', null, message);
}

/** By the file alone, as if all paths had changed; `null` where more than the file decides. */
function decideByFile(project: Project | null, own: OwnHead): Decision | null {
  const on = project?.on ?? null;
  if (own.trigger === 'pull_request') {
    const facts = { base: own.base, fromFork: false, approved: false, changedPaths: null };
    return withoutPaths(decidePullRequest(project, facts), on?.pullRequest ?? null);
  }
  // Without `on`, what the file was before decides.
  if (project !== null && on === null) return null;
  const file = { fileBefore: null, fileAfter: own.after, changedPaths: null };
  const name = own.ref.replace(/^refs\/heads\//, '');
  const branch = { kind: 'branch', name, created: false, deleted: false } as const;
  const decision = decidePush(project, { ...branch, ...file, defaultBranch: null, isDefaultBranch: false });
  return withoutPaths(decision, on?.push ?? null);
}

/** Nobody looked at the paths, so the answer does not say that they let it run. */
function withoutPaths(decision: Decision, trigger: { readonly paths: unknown } | null): Decision {
  if (decision.outcome === 'no-run' || trigger === null || trigger.paths === null) return decision;
  return {
    ...decision,
    rule: 'runs-already',
    message: 'The same runs for this branch, whichever paths changed.',
  };
}

/** Whether each of the tasks has its run of this branch, which a second decision would only find again. */
async function haveRuns(
  db: Db,
  rows: readonly DecisionRow[],
  ref: string,
  tasks: readonly string[],
): Promise<boolean> {
  const runs = await listRunsById(
    db,
    rows.flatMap(({ runId }) => (runId === null ? [] : [runId])),
  );
  const have = new Set(runs.filter((run) => run.ref === ref).map(({ task }) => task));
  return tasks.every((task) => have.has(task));
}

function headOf(own: OwnHead, answered: NonNullable<Head['answered']> | null, decision: Decision): Head {
  return {
    trigger: own.trigger,
    ref: own.ref,
    commit: own.after,
    file: null,
    misnamed: false,
    outdated: false,
    absent: null,
    isDefaultBranch: false,
    seen: own.trigger === 'pull_request' ? `refs/pull/${own.number}/head` : null,
    fromFork: false,
    ...(answered === null ? {} : { answered }),
    decide: () => Promise.resolve(decision),
    whenBusy: (project) => busyRule(project, own.trigger),
  };
}
