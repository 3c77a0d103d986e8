import { forkCheck } from '../core/check/fork-check.ts';
import { planDigest, type Plan } from '../core/plan.ts';
import type { PlanError } from '../core/plan/plan-error.ts';
import type { Problem } from '../core/problems.ts';
import type { Project } from '../core/project.ts';
import type { Decision } from '../core/trigger/decision.ts';
import { placeRun } from '../core/trigger/place-run.ts';
import { saveCheck } from '../db/checks.ts';
import type { Db } from '../db/connect.ts';
import { insertDecisions, listDecisions, type Delivery, type NewDecision } from '../db/deliveries.ts';
import {
  findProjectAt,
  insertRevision,
  saveCurrentRevision,
  upsertProject,
  type ProjectRow,
} from '../db/projects.ts';
import type { Repository } from '../db/repositories.ts';
import { supersede } from '../db/run-groups.ts';
import { insertRun } from '../db/insert-run.ts';
import { hasRunAt, type Run } from '../db/runs.ts';
import { saveSchedules } from '../db/schedules.ts';
import { fileCheckOf } from '../file-check.ts';
import { runCheckOf } from '../run-check.ts';
import { isOfHead, type Head } from './head.ts';

export type Planned = { readonly task: string } & ({ readonly plan: Plan } | { readonly error: PlanError });

/** Everything that was found out about a head, before anything of it is stored. */
export type Decided = {
  readonly delivery: Delivery;
  readonly repository: Repository;
  readonly head: Head;
  readonly project: Project | null;
  readonly problems: readonly Problem[];
  readonly decision: Decision;
  readonly planned: readonly Planned[];
};

export type StoreDeps = {
  readonly urlOf: (run: { readonly id: number }) => string;
  /** Of this server's pages, without a slash at its end. */
  readonly address: () => string;
};

/**
 * What GitHub is told first may be told better within a moment: a run starts, and the pull request of a push is heard
 * of. Each word that is not sent is a request less.
 */
const settleSeconds = 2;

type Made = { readonly run: Run; readonly created: boolean };

/** Stores what was decided in the transaction that it is given: the project, its runs, why, and what the commit is told. */
export async function storeDecision(tx: Db, deps: StoreDeps, decided: Decided): Promise<readonly Run[]> {
  const { head, project, repository } = decided;
  const known = await findProjectAt(tx, repository.id, '');
  // The name under which its runs are found, whatever the file of a branch says.
  const name = project?.name ?? known?.name ?? repository.name;
  const row = await storeProject(tx, decided, known, name);
  const made = await storeRuns(tx, decided, row);
  if (head.commit !== null) {
    const about = { ...decided, commit: head.commit, projectName: row?.name ?? name };
    if (head.file) await saveFileCheck(tx, deps, about);
    await saveForkChecks(tx, deps, about);
    for (const { run, created } of made) {
      if (!created) continue;
      const says = await runCheckOf(tx, { ...run, project: { name: about.projectName } }, deps.urlOf(run));
      const check = { repositoryId: repository.id, sha: run.commit, runId: run.id, says };
      await saveCheck(tx, check, repository.host === 'github' ? settleSeconds : 0);
    }
  }
  return made.map(({ run }) => run);
}

/** The project as the file at this head has it. Only the default branch, as it is now, says what it is called. */
async function storeProject(
  tx: Db,
  { repository, head, project, problems }: Decided,
  known: ProjectRow | undefined,
  name: string,
): Promise<ProjectRow | undefined> {
  if (head.fromFork) return known;
  const saysSo = head.isDefaultBranch && !head.outdated;
  if (head.file === null || head.commit === null) {
    if (known && saysSo && head.commit !== null) {
      await saveCurrentRevision(tx, known.id, null);
      await saveSchedules(tx, known.id, []);
    }
    return known;
  }
  const row = await upsertProject(tx, { repositoryId: repository.id, path: '', name }, saysSo);
  const revision = await insertRevision(tx, {
    projectId: row.id,
    commit: head.commit,
    fileDigest: head.file.id,
    project,
    problems,
  });
  // A broken file leaves the last good schedules as they are.
  if (saysSo && project) {
    await saveCurrentRevision(tx, row.id, revision.id);
    await saveSchedules(tx, row.id, project.recurringTasks);
  }
  return row;
}

/** A run for each task that runs, and for each task, or for none, the rule and line that said so. */
async function storeRuns(tx: Db, decided: Decided, row: ProjectRow | undefined): Promise<readonly Made[]> {
  const { delivery, repository, head, project, problems, decision } = decided;
  const { rule, line, message, remedy } = decision;
  const about = {
    deliveryId: delivery.id,
    projectId: row?.id ?? null,
    repositoryId: repository.id,
    commit: head.commit,
    trigger: head.trigger,
  };
  const made: Made[] = [];
  const rows: NewDecision[] = [];
  for (const planned of decided.planned) {
    if (!row || !project || head.commit === null) continue;
    if ('error' in planned) {
      const { code: fault, message: said } = planned.error;
      rows.push({ ...about, task: planned.task, outcome: 'problems', rule: fault, message: said });
      continue;
    }
    const stored = await storeRun(
      tx,
      { ...decided, project, projectId: row.id, commit: head.commit },
      planned,
    );
    made.push(stored);
    const again = stored.created ? '' : ` This commit had its run already: #${stored.run.number}.`;
    rows.push({
      ...about,
      task: planned.task,
      outcome: 'run',
      rule,
      line,
      message: message + again,
      remedy,
      runId: stored.run.id,
    });
  }
  if (decided.planned.length === 0) {
    const broken = problems.some((problem) => problem.severity === 'error');
    rows.push({ ...about, task: null, outcome: broken ? 'problems' : 'no_run', rule, line, message, remedy });
  }
  await insertDecisions(tx, rows);
  return made;
}

async function storeRun(
  tx: Db,
  decided: Decided & { readonly project: Project; readonly projectId: number; readonly commit: string },
  planned: { readonly task: string; readonly plan: Plan },
): Promise<{ readonly run: Run; readonly created: boolean }> {
  const { delivery, project, projectId, commit, head } = decided;
  const { ref, trigger } = head;
  const { superseded, supersedes, ...placement } = placeRun(project, planned.task, {
    commit,
    ref,
    outdated: head.outdated,
    whenBusy: head.whenBusy(project),
  });
  const stored = await insertRun(tx, {
    projectId,
    task: planned.task,
    commit,
    ref,
    trigger,
    deliveryId: delivery.id,
    trust: 'trusted',
    plan: planned.plan,
    planDigest: planDigest(planned.plan),
    ...placement,
    ...(superseded === null ? {} : { superseded }),
  });
  if (stored.created && supersedes !== null)
    await supersede(tx, stored.run, supersedes, `Superseded by #${stored.run.number}.`);
  return stored;
}

type About = Decided & { readonly commit: string; readonly projectName: string };

async function saveFileCheck(tx: Db, deps: StoreDeps, about: About): Promise<void> {
  const { repository, commit, project, problems, projectName } = about;
  const all = await listDecisions(tx, { commit, repositoryId: repository.id });
  const says = await fileCheckOf(tx, {
    repositoryId: repository.id,
    commit,
    address: deps.address(),
    project: project && projectName,
    problems,
    decisions: all.filter(isOfHead),
  });
  // Where a pull request of the same commit may still say yes, a no waits a moment for it.
  const mayTurn = repository.host === 'github' && project?.on?.pullRequest && says.conclusion === 'neutral';
  const check = { repositoryId: repository.id, sha: commit, runId: null, says };
  await saveCheck(tx, check, mayTurn ? settleSeconds : 0);
}

/** Code of a fork has the file's check, and for each task that waits one that says who may start it. */
async function saveForkChecks(
  tx: Db,
  deps: StoreDeps,
  { repository, head, decision, commit }: About,
): Promise<void> {
  for (const task of decision.awaiting ?? []) {
    // Someone has pushed it to the repository already: its run has a check of this name.
    if (await hasRunAt(tx, repository.id, commit, task)) continue;
    const says = forkCheck({
      task,
      pullRequest: Number(/^refs\/pull\/(\d+)\//.exec(head.seen ?? '')?.[1] ?? 0),
      commit,
      externalId: `fork:${repository.id}:${commit}:${task}`,
      url: `${deps.address()}/commits/${commit}?repository=${repository.id}`,
    });
    await saveCheck(tx, { repositoryId: repository.id, sha: commit, runId: null, says });
  }
}
