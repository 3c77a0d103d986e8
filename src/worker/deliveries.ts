import { planDigest, planTask, type Plan } from '../core/plan.ts';
import { PlanError } from '../core/plan/plan-error.ts';
import type { Problem } from '../core/problems.ts';
import type { Project } from '../core/project.ts';
import { forkCheck } from '../core/check/fork-check.ts';
import { concurrencyGroup } from '../core/trigger.ts';
import type { Decision } from '../core/trigger/decision.ts';
import { saveCheck } from '../db/checks.ts';
import { inTransaction, type Db } from '../db/connect.ts';
import {
  findDelivery,
  insertDecisions,
  listDecisions,
  saveDecided,
  type Decision as DecisionRow,
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
import { findRepository, saveHead, type Repository } from '../db/repositories.ts';
import { insertRun, type Run } from '../db/runs.ts';
import { supersede } from '../db/run-groups.ts';
import { fileNotices, withOtherName } from './file-notices.ts';
import { readProjectFile } from '../project-at.ts';
import type { StepEnd } from './loop.ts';
import { gatherDelivery, type Gathered, type GithubDeliveryDeps } from './github-delivery.ts';
import type { Head } from './head.ts';
import { gatherPush } from './push-facts.ts';
import { fileCheckOf } from '../file-check.ts';
import { runCheckOf } from '../run-check.ts';

export type DeliveryDeps = GithubDeliveryDeps & {
  /** Where a repository's content is on this machine. */
  readonly directoryOf: (repository: Repository) => string;
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
  const gathered = await gather(deps, delivery);
  switch (gathered.kind) {
    case 'ignored':
      await saveDecided(deps.db, claim, 'ignored');
      return { saved: true };
    case 'done':
      await saveDecided(deps.db, claim, 'decided');
      return { saved: true };
    case 'unreadable':
      await saveUnreadable(deps, claim, delivery, gathered);
      return { saved: true };
    case 'head':
      await decideHead(deps, claim, delivery, gathered);
      return { saved: true };
  }
}

async function gather(deps: DeliveryDeps, delivery: Delivery): Promise<Gathered> {
  if (delivery.host === 'github') return gatherDelivery(deps, delivery);
  const { repositoryId, ref, before, after } = delivery;
  const repository = repositoryId === null ? undefined : await findRepository(deps.db, repositoryId);
  if (!repository || ref === null || before === null || after === null) return { kind: 'ignored' };
  const { defaultBranch } = repository;
  const head = await gatherPush(deps.directoryOf(repository), { ref, before, after }, defaultBranch);
  return { kind: 'head', repository, head };
}

/** Nothing of the repository can be read, and nobody there be told: only `why` is. */
async function saveUnreadable(
  deps: DeliveryDeps,
  claim: Claim,
  delivery: Delivery,
  { repository, trigger }: Extract<Gathered, { kind: 'unreadable' }>,
): Promise<void> {
  await inTransaction(deps.db, async (tx) => {
    const { access, owner, name } = repository;
    await insertDecisions(tx, [
      {
        deliveryId: delivery.id,
        repositoryId: repository.id,
        commit: delivery.after,
        trigger,
        outcome: 'no_run',
        rule: 'repository-unreadable',
        message: `${owner}/${name} cannot be read: its access is ${access}.`,
      },
    ]);
    await saveDecided(tx, claim, 'decided');
  });
}

async function decideHead(
  deps: DeliveryDeps,
  claim: Claim,
  delivery: Delivery,
  { repository, head }: Extract<Gathered, { kind: 'head' }>,
): Promise<void> {
  const read = head.file === null ? null : readProjectFile(head.file);
  const project = read?.project ?? null;
  const problems = read === null ? [] : [...read.problems, ...fileNotices(head)];
  const decision = withOtherName(await head.decide(project), head);
  const planned = planAll(project, decision);
  await inTransaction(deps.db, async (tx) => {
    const decided = { delivery, repository, head, project, problems, decision, planned };
    const stored = await storeDecision(tx, deps, decided);
    // AME's own host notes it with the push; of GitHub it is true once it was read there.
    if (head.seen !== null && !head.outdated) await saveHead(tx, repository.id, head.seen, head.commit);
    await saveDecided(tx, claim, 'decided');
    for (const run of stored)
      deps.log.info({ delivery: delivery.id, run: run.id, task: run.task }, 'run decided');
  });
  deps.log.info(
    { delivery: delivery.id, repository: repository.id, ref: head.ref, rule: decision.rule },
    'delivery decided',
  );
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
  readonly head: Head;
  readonly project: Project | null;
  readonly problems: readonly Problem[];
  readonly decision: Decision;
  readonly planned: readonly Planned[];
};

async function storeDecision(tx: Db, deps: DeliveryDeps, decided: Decided): Promise<readonly Run[]> {
  const { delivery, repository, head, project, problems, decision } = decided;
  const known = await findProjectAt(tx, repository.id, '');
  const name = project?.name ?? known?.name ?? repository.name;
  const saysSo = head.isDefaultBranch && !head.outdated;
  const row =
    head.file === null || head.fromFork
      ? known
      : await upsertProject(
          tx,
          { repositoryId: repository.id, path: '', name },
          // What the project is called is for the default branch to say, as it is now.
          saysSo,
        );
  const about = {
    deliveryId: delivery.id,
    projectId: row?.id ?? null,
    repositoryId: repository.id,
    commit: head.commit,
    trigger: head.trigger,
  };
  if (row && head.file && head.commit !== null && !head.fromFork) {
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
  } else if (row && saysSo && head.commit !== null) {
    await saveCurrentRevision(tx, row.id, null);
    await saveSchedules(tx, row.id, []);
  }
  const runs: { run: Run; created: boolean }[] = [];
  const rows: NewDecision[] = [];
  for (const planned of decided.planned) {
    if (!row || !project || head.commit === null) continue;
    if ('error' in planned) {
      const { code, message } = planned.error;
      rows.push({ ...about, task: planned.task, outcome: 'problems', rule: code, message });
      continue;
    }
    const stored = await storeRun(
      tx,
      { ...decided, project, projectId: row.id, commit: head.commit },
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
  if (head.file && head.commit !== null) {
    const all = await listDecisions(tx, { commit: head.commit });
    const says = await fileCheckOf(tx, {
      repositoryId: repository.id,
      commit: head.commit,
      address: deps.address(),
      // By the name under which its runs are found, whatever the file of this branch says.
      project: project && (row?.name ?? name),
      problems,
      decisions: all.filter((one) => one.repositoryId === repository.id && isOfHead(one)),
    });
    await saveCheck(tx, { repositoryId: repository.id, sha: head.commit, runId: null, says });
  }
  if (head.commit !== null) await saveForkChecks(tx, deps, { ...decided, commit: head.commit });
  for (const { run, created } of runs) {
    if (!created) continue;
    const says = await runCheckOf(tx, { ...run, project: { name: row?.name ?? name } }, deps.urlOf(run));
    await saveCheck(tx, { repositoryId: repository.id, sha: run.commit, runId: run.id, says });
  }
  return runs.map(({ run }) => run);
}

/** What a head was answered, of whatever told us of it; what people asked for is told by the runs alone. */
function isOfHead({ trigger }: Pick<DecisionRow, 'trigger'>): boolean {
  return trigger === 'push' || trigger === 'pull_request';
}

/** Code of a fork has the file's check, and for each task that waits one that says who may start it. */
async function saveForkChecks(
  tx: Db,
  deps: DeliveryDeps,
  { repository, head, decision, commit }: Decided & { readonly commit: string },
): Promise<void> {
  for (const task of decision.awaiting ?? []) {
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

async function storeRun(
  tx: Db,
  decided: Decided & { readonly project: Project; readonly projectId: number; readonly commit: string },
  planned: { readonly task: string; readonly plan: Plan },
): Promise<{ readonly run: Run; readonly created: boolean }> {
  const { delivery, project, projectId, commit, head } = decided;
  const { ref, trigger } = head;
  const whenBusy = head.whenBusy(project);
  // One that comes late still gets its run, so that it is told why nothing of it was run.
  const late = head.outdated && whenBusy !== 'allow';
  const stored = await insertRun(tx, {
    projectId,
    task: planned.task,
    commit,
    ref,
    trigger,
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
