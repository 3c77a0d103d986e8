import { planTask } from '../core/plan.ts';
import { PlanError } from '../core/plan/plan-error.ts';
import type { Problem } from '../core/problems.ts';
import type { Project } from '../core/project.ts';
import type { Decision } from '../core/trigger/decision.ts';
import { inTransaction, type Db } from '../db/connect.ts';
import { findDelivery, insertDecisions, saveDecided, type Delivery } from '../db/deliveries.ts';
import type { Claim } from '../db/due.ts';
import {
  findRepository,
  isSeenSince,
  lockRepository,
  saveHead,
  type Repository,
} from '../db/repositories.ts';
import { zeroId } from '../git/object-id.ts';
import type { DeliveryOutcome, Metrics } from '../metrics.ts';
import { readProjectFile } from '../project-at.ts';
import { fileNotices, withOtherName } from './file-notices.ts';
import { gatherDelivery, type Gathered, type GithubDeliveryDeps } from './github-delivery.ts';
import type { Head } from './head.ts';
import type { StepEnd } from './loop.ts';
import { gatherPush } from './push-facts.ts';
import { storeDecision, type Planned, type StoreDeps } from './store-decision.ts';
import type { Turn, Turns } from './turns.ts';

export type DeliveryDeps = GithubDeliveryDeps &
  StoreDeps & {
    /** Where a repository's content is on this machine. */
    readonly directoryOf: (repository: Repository) => string;
    readonly turns: Turns;
    readonly metrics: Pick<Metrics, 'deliveryDecided'>;
  };

/**
 * Decides one delivery: reads the file at its commit, says what runs and why, and stores it all in one
 * transaction. Done again after a crash it finds the same runs by their cause.
 */
export async function decideDelivery(deps: DeliveryDeps, claim: Claim): Promise<StepEnd> {
  const delivery = await findDelivery(deps.db, String(claim.id));
  if (!delivery || delivery.decidedAt) return { dueInSeconds: null };
  // Two that are about one commit are decided one after the other: the second one may have nothing more to ask.
  using turn = deps.turns.open();
  const gathered = await gather(deps, delivery, turn);
  switch (gathered.kind) {
    case 'ignored':
      await saveDecided(deps.db, claim, 'ignored');
      tell(deps, claim, delivery, 'ignored');
      return { saved: true };
    case 'done':
      await saveDecided(deps.db, claim, 'decided');
      tell(deps, claim, delivery, 'done');
      return { saved: true };
    case 'later':
      return { dueInSeconds: 0 };
    case 'unreadable':
      await saveUnreadable(deps, claim, delivery, gathered);
      tell(deps, claim, delivery, 'unreadable', { repository: gathered.repository.id });
      return { saved: true };
    case 'head':
      // What was read was overtaken: read once more.
      return (await decideHead(deps, claim, delivery, gathered)) ? { saved: true } : { dueInSeconds: 0 };
  }
}

async function gather(deps: DeliveryDeps, delivery: Delivery, turn: Turn): Promise<Gathered> {
  if (delivery.host === 'github') return gatherDelivery(deps, delivery, turn);
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

/**
 * Decides and stores. False where something about the same ref was stored since this delivery was claimed: what was read
 * of it before may be older than that, and an older head would take the place of a newer one.
 */
async function decideHead(
  deps: DeliveryDeps,
  claim: Claim,
  delivery: Delivery,
  { repository, head }: Extract<Gathered, { kind: 'head' }>,
): Promise<boolean> {
  const { project, problems } = head.answered ?? readFileOf(head);
  const decision = withOtherName(await head.decide(project), head);
  const planned = planAll(project, decision);
  const stored = await inTransaction(deps.db, async (tx) => {
    await lockRepository(tx, repository.id);
    if (await isSeenSince(tx, repository.id, head.ref, claim.now)) return null;
    const decided = { delivery, repository, head, project, problems, decision, planned };
    const runs = await storeDecision(tx, deps, decided);
    if (repository.host === 'github' && !head.outdated) await saveSeen(tx, repository, head);
    await saveDecided(tx, claim, 'decided');
    return runs;
  });
  if (stored === null) return false;
  for (const run of stored)
    deps.log.info(
      { delivery: delivery.id, run: run.id, task: run.task, trigger: run.trigger },
      'run decided',
    );
  const broken =
    problems.some(({ severity }) => severity === 'error') || planned.some((one) => 'error' in one);
  tell(deps, claim, delivery, stored.length > 0 ? 'run' : broken ? 'problems' : 'no_run', {
    repository: repository.id,
    ref: head.ref,
    rule: decision.rule,
  });
  return true;
}

/** One line and one count of each decision, once it is stored. */
function tell(
  { log, metrics }: DeliveryDeps,
  claim: Claim,
  delivery: Delivery,
  outcome: DeliveryOutcome,
  {
    repository,
    ref,
    rule,
  }: { readonly repository?: number; readonly ref?: string; readonly rule?: string } = {},
): void {
  log.info(
    { delivery: delivery.id, event: delivery.event, repository, ref, rule, outcome },
    'delivery decided',
  );
  metrics.deliveryDecided(outcome, (claim.now.getTime() - delivery.receivedAt.getTime()) / 1_000);
}

/** AME's own host notes where a ref is with the push; of GitHub it is true once it was read there. */
async function saveSeen(tx: Db, repository: Repository, { ref, seen, commit }: Head): Promise<void> {
  for (const name of new Set([ref, ...(seen === null ? [] : [seen])]))
    await saveHead(tx, repository.id, name, commit ?? zeroId);
}

function readFileOf(head: Head): { readonly project: Project | null; readonly problems: readonly Problem[] } {
  if (head.file === null) return { project: null, problems: [] };
  const { project, problems } = readProjectFile(head.file);
  return { project, problems: [...problems, ...fileNotices(head)] };
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
