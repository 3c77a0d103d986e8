import { planDigest, planTask, type Plan } from '../core/plan.ts';
import { PlanError } from '../core/plan/plan-error.ts';
import type { Problem } from '../core/problems.ts';
import type { Project } from '../core/project.ts';
import { busyRule, concurrencyGroup, decidePush } from '../core/trigger.ts';
import type { Decision } from '../core/trigger/decision.ts';
import { saveCheck } from '../db/checks.ts';
import { inTransaction, type Db } from '../db/connect.ts';
import {
  findDelivery,
  insertDecisions,
  listDecisions,
  saveDecided,
  type Delivery,
  type NewDecision,
} from '../db/deliveries.ts';
import type { Claim } from '../db/due.ts';
import {
  findProjectAt,
  insertRevision,
  saveCurrentRevision,
  saveSchedules,
  upsertProject,
} from '../db/projects.ts';
import { findRepository, type Repository } from '../db/repositories.ts';
import { insertRun, type Run } from '../db/runs.ts';
import { supersede } from '../db/run-groups.ts';
import type { Log } from '../log.ts';
import { fileNotices, withOtherName } from './file-notices.ts';
import { readProjectFile } from '../project-at.ts';
import type { StepEnd } from './loop.ts';
import { gatherPush, type Push } from './push-facts.ts';
import { fileCheckOf } from '../file-check.ts';
import { runCheckOf } from '../run-check.ts';

export type DeliveryDeps = {
  readonly db: Db;
  readonly log: Log;
  /** Where a repository's content is on this machine. */
  readonly directoryOf: (repository: Repository) => string;
  readonly urlOf: (run: { readonly id: number }) => string;
  /** Of this server's pages, without a slash at its end. */
  readonly address: () => string;
};

/**
 * Decides one delivery: reads the file at its commit, says what runs and why, and stores it all in one
 * transaction. Done again after a crash it finds the same runs by their cause.
 */
export async function decideDelivery(deps: DeliveryDeps, claim: Claim): Promise<StepEnd> {
  const delivery = await findDelivery(deps.db, String(claim.id));
  if (!delivery || delivery.decidedAt) return { dueInSeconds: null };
  const { repositoryId, ref, before, after } = delivery;
  const repository = repositoryId === null ? undefined : await findRepository(deps.db, repositoryId);
  if (!repository || ref === null || before === null || after === null) {
    await saveDecided(deps.db, claim, 'ignored');
    return { saved: true };
  }
  const push = await gatherPush(
    deps.directoryOf(repository),
    { ref, before, after },
    repository.defaultBranch,
  );
  const read = push.file === null ? null : readProjectFile(push.file);
  const problems = read === null ? [] : [...read.problems, ...fileNotices(push)];
  const decision = withOtherName(decidePush(read?.project ?? null, push.facts), push);
  const planned = planAll(read?.project ?? null, decision);
  await inTransaction(deps.db, async (tx) => {
    const stored = await storeDecision(tx, deps, {
      delivery,
      repository,
      push,
      project: read?.project ?? null,
      problems,
      decision,
      planned,
    });
    await saveDecided(tx, claim, 'decided');
    for (const run of stored)
      deps.log.info({ delivery: delivery.id, run: run.id, task: run.task }, 'run decided');
  });
  deps.log.info(
    { delivery: delivery.id, repository: repository.id, ref, rule: decision.rule },
    'delivery decided',
  );
  return { saved: true };
}

type Planned = { readonly task: string } & ({ readonly plan: Plan } | { readonly error: PlanError });

function planAll(project: Project | null, decision: Decision): readonly Planned[] {
  if (project === null) return [];
  return decision.tasks.map((task) => {
    try {
      return { task, plan: planTask(project, task).plan };
    } catch (error) {
      // What only shows in the whole plan, such as its size: the file's fault, and said on the file's check.
      if (error instanceof PlanError) return { task, error };
      throw error;
    }
  });
}

type Decided = {
  readonly delivery: Delivery;
  readonly repository: Repository;
  readonly push: Push;
  readonly project: Project | null;
  readonly problems: readonly Problem[];
  readonly decision: Decision;
  readonly planned: readonly Planned[];
};

async function storeDecision(tx: Db, deps: DeliveryDeps, decided: Decided): Promise<readonly Run[]> {
  const { delivery, repository, push, project, problems, decision } = decided;
  const known = await findProjectAt(tx, repository.id, '');
  const name = project?.name ?? known?.name ?? repository.name;
  const row =
    push.file === null
      ? known
      : await upsertProject(
          tx,
          { repositoryId: repository.id, path: '', name },
          // What the project is called is for the default branch to say, as it is now.
          push.facts.isDefaultBranch && !push.outdated,
        );
  const about = {
    deliveryId: delivery.id,
    projectId: row?.id ?? null,
    repositoryId: repository.id,
    commit: push.commit,
    trigger: 'push',
  };
  if (row && push.file && push.commit !== null) {
    const revision = await insertRevision(tx, {
      projectId: row.id,
      commit: push.commit,
      fileDigest: push.file.id,
      project,
      problems,
    });
    // A broken file leaves the last good schedules as they are.
    if (push.facts.isDefaultBranch && !push.outdated && project) {
      await saveCurrentRevision(tx, row.id, revision.id);
      await saveSchedules(tx, row.id, project.recurringTasks);
    }
  } else if (row && push.facts.isDefaultBranch && push.commit !== null && !push.outdated) {
    await saveCurrentRevision(tx, row.id, null);
    await saveSchedules(tx, row.id, []);
  }
  const runs: { run: Run; created: boolean }[] = [];
  const rows: NewDecision[] = [];
  for (const planned of decided.planned) {
    if (!row || !project || push.commit === null) continue;
    if ('error' in planned) {
      const { code, message } = planned.error;
      rows.push({ ...about, task: planned.task, outcome: 'problems', rule: code, message });
      continue;
    }
    const stored = await storeRun(
      tx,
      { ...decided, project, projectId: row.id, commit: push.commit },
      planned,
    );
    runs.push(stored);
    const again = stored.created ? '' : ` This commit had its run already: #${stored.run.number}.`;
    const { rule, line, message, remedy } = decision;
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
    const { rule, line, message, remedy } = decision;
    rows.push({ ...about, task: null, outcome: broken ? 'problems' : 'no_run', rule, line, message, remedy });
  }
  await insertDecisions(tx, rows);
  if (push.file && push.commit !== null) {
    const all = await listDecisions(tx, { commit: push.commit });
    const says = await fileCheckOf(tx, {
      repositoryId: repository.id,
      commit: push.commit,
      address: deps.address(),
      // By the name under which its runs are found, whatever the file of this branch says.
      project: project && (row?.name ?? name),
      problems,
      decisions: all.filter((one) => one.repositoryId === repository.id && one.trigger === 'push'),
    });
    await saveCheck(tx, { repositoryId: repository.id, sha: push.commit, runId: null, says });
  }
  for (const { run, created } of runs) {
    if (!created) continue;
    const says = await runCheckOf(tx, { ...run, project: { name: row?.name ?? name } }, deps.urlOf(run));
    await saveCheck(tx, { repositoryId: repository.id, sha: run.commit, runId: run.id, says });
  }
  return runs.map(({ run }) => run);
}

async function storeRun(
  tx: Db,
  decided: Decided & { readonly project: Project; readonly projectId: number; readonly commit: string },
  planned: { readonly task: string; readonly plan: Plan },
): Promise<{ readonly run: Run; readonly created: boolean }> {
  const { delivery, project, projectId, commit, push } = decided;
  const ref = delivery.ref ?? '';
  const whenBusy = busyRule(project, 'push');
  // One that comes late still gets its run, so that it is told why nothing of it was run.
  const late = push.outdated && whenBusy !== 'allow';
  const stored = await insertRun(tx, {
    projectId,
    task: planned.task,
    commit,
    ref,
    trigger: 'push',
    causeKey: `commit:${commit}:${ref}:${planned.task}`,
    deliveryId: delivery.id,
    trust: 'trusted',
    plan: planned.plan,
    planDigest: planDigest(planned.plan),
    concurrencyGroup: concurrencyGroup(project, planned.task, ref),
    whenBusy,
    ...(late ? { superseded: `${ref} had moved on before this push was looked at.` } : {}),
  });
  if (stored.created && !late && whenBusy !== 'allow') {
    const cause = `Superseded by #${stored.run.number}.`;
    await supersede(tx, stored.run, whenBusy === 'cancel' ? 'all' : 'waiting', cause);
  }
  return stored;
}
