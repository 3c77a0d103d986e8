import { planDigest, planTask } from '../core/plan.ts';
import { PlanError } from '../core/plan/plan-error.ts';
import type { Project } from '../core/project.ts';
import { onTimeSeconds } from '../core/schedule/due.ts';
import type { Claim } from '../db/due.ts';
import { holdTicks, listTickRevisions, type DueRow, type RevisionOfProject } from '../db/ticks.ts';
import { storeTicks, type Planned, type StoreTickDeps, type Tick } from './store-ticks.ts';
import type { TickCommit } from './tick-commits.ts';
import type { TickEnd } from './tick-together.ts';

/** Seconds until a schedule whose ticks wait for its repository is looked at again. */
const heldSeconds = 60;

/**
 * Seconds until one is looked at again that waits for a push to be decided, and for how long it waits at most: after
 * that its tick must still count as on time, or `catchup: none` would have none for as long as nobody decides the push.
 */
const pushSeconds = 0.25;
const pushPatienceSeconds = onTimeSeconds - 10;

/** A schedule whose tick is due. */
export type Ticking = { readonly claim: Claim; readonly row: DueRow; readonly nextTickAt: Date };

/** One whose repository was looked at. */
export type Looked = Ticking & { readonly found: TickCommit };

/** The ticks of repositories that were looked at, each bound to the commit of its default branch. */
export async function decideLooked(
  deps: StoreTickDeps,
  looked: readonly Looked[],
): Promise<ReadonlyMap<Claim, TickEnd>> {
  const ends = new Map<Claim, TickEnd>();
  const bound: (Ticking & { readonly commit: string })[] = [];
  for (const one of looked) {
    const { claim, found } = one;
    if (found.kind === 'commit') bound.push({ ...one, commit: found.commit });
    else if (found.kind === 'held') {
      await holdTicks(deps.db, claim, { reason: found.reason, seconds: heldSeconds });
      ends.set(claim, { saved: true });
    } else if (found.kind === 'later') ends.set(claim, { dueInSeconds: 0 });
    else ends.set(claim, { error: found.error });
  }
  if (bound.length === 0) return ends;
  const revisions = indexRevisions(
    await listTickRevisions(
      deps.db,
      bound.map(({ row, commit }) => ({ project: row.project, commit })),
    ),
  );
  const plans = new Map<string, Planned>();
  const items: Tick[] = [];
  for (const one of bound) {
    const { claim, row, commit } = one;
    const atCommit = revisions.at.get(`${row.project.id} ${commit}`);
    if (atCommit === undefined && isPushAwaited(one)) {
      await holdTicks(deps.db, claim, { reason: pushReason(commit), seconds: pushSeconds });
      ends.set(claim, { saved: true });
      continue;
    }
    // A broken file leaves the last good schedules running, by the plan of the last good file.
    const revision = atCommit?.project ? atCommit : revisions.of.get(row.project.revisionId ?? 0);
    const key = `${revision?.id ?? 0} ${row.schedule.task}`;
    const planned = plans.get(key) ?? planOf(revision?.project ?? null, row.schedule.task);
    plans.set(key, planned);
    items.push({ ...one, planned });
  }
  for (const [claim, end] of await storeTicks(deps, items)) ends.set(claim, end);
  return ends;
}

function pushReason(commit: string): string {
  return `The push of ${commit.slice(0, 12)} is decided first.`;
}

/** A push that came before the tick says first what the file is now. It is not awaited for ever. */
function isPushAwaited({ claim, row: { schedule }, commit }: Ticking & { readonly commit: string }): boolean {
  if (schedule.heldReason !== pushReason(commit) || schedule.heldSince === null) return true;
  return claim.now.getTime() - schedule.heldSince.getTime() < pushPatienceSeconds * 1_000;
}

function indexRevisions(rows: readonly RevisionOfProject[]) {
  return {
    at: new Map(rows.map((row) => [`${row.projectId} ${row.commit}`, row])),
    of: new Map(rows.map((row) => [row.id, row])),
  };
}

function planOf(project: Project | null, task: string): Planned {
  if (project === null)
    return {
      fault: { code: 'file-invalid', message: 'The default branch has no ame.yaml that can be read.' },
    };
  try {
    const { plan } = planTask(project, task);
    return { plan, digest: planDigest(plan) };
  } catch (error) {
    if (error instanceof PlanError) return { fault: error };
    throw error;
  }
}
