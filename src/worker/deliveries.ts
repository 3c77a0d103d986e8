import { planTask } from '../core/plan.ts';
import { PlanError } from '../core/plan/plan-error.ts';
import type { Project } from '../core/project.ts';
import type { Decision } from '../core/trigger/decision.ts';
import { inTransaction } from '../db/connect.ts';
import { findDelivery, insertDecisions, saveDecided, type Delivery } from '../db/deliveries.ts';
import type { Claim } from '../db/due.ts';
import { findRepository, saveHead, type Repository } from '../db/repositories.ts';
import { readProjectFile } from '../project-at.ts';
import { fileNotices, withOtherName } from './file-notices.ts';
import { gatherDelivery, type Gathered, type GithubDeliveryDeps } from './github-delivery.ts';
import type { StepEnd } from './loop.ts';
import { gatherPush } from './push-facts.ts';
import { storeDecision, type Planned, type StoreDeps } from './store-decision.ts';

export type DeliveryDeps = GithubDeliveryDeps &
  StoreDeps & {
    /** Where a repository's content is on this machine. */
    readonly directoryOf: (repository: Repository) => string;
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
