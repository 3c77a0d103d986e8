import { planDigest, planTask } from '../core/plan.ts';
import { PlanError } from '../core/plan/plan-error.ts';
import type { Project } from '../core/project.ts';
import { onTimeSeconds } from '../core/schedule/due.ts';
import { nextTick } from '../core/schedule/ticks.ts';
import type { Db } from '../db/connect.ts';
import type { Claim } from '../db/due.ts';
import { latest } from '../db/schedules.ts';
import {
  holdTicks,
  listDue,
  listTickRevisions,
  moveTicks,
  type DueRow,
  type RevisionOfProject,
} from '../db/ticks.ts';
import type { StepEnd } from './loop.ts';
import { storeTicks, type Planned, type StoreTickDeps, type Tick } from './store-ticks.ts';
import { findTickCommits, type TickCommitDeps } from './tick-commits.ts';

export type ScheduleDeps = TickCommitDeps & StoreTickDeps;

/** How the step of one of several claims ended. */
export type TickEnd = StepEnd | { readonly error: unknown };

/** Seconds until a schedule whose ticks wait for its repository is looked at again. */
const heldSeconds = 60;

/**
 * Seconds until one is looked at again that waits for a push to be decided, and for how long it waits at most: after
 * that its tick must still count as on time, or `catchup: none` would have none for as long as nobody decides the push.
 */
const pushSeconds = 0.25;
const pushPatienceSeconds = onTimeSeconds - 10;

type Ticking = { readonly claim: Claim; readonly row: DueRow; readonly nextTickAt: Date };

/**
 * One step of any number of schedules that were claimed together: what their ticks become, in one transaction with the
 * move to the next tick, so that a tick is one run whatever breaks where. Answers for each claim how its step ended.
 */
export async function tickSchedules(
  deps: ScheduleDeps,
  claims: readonly Claim[],
): Promise<ReadonlyMap<Claim, TickEnd>> {
  const ends = new Map<Claim, TickEnd>();
  const due = new Map(
    (
      await listDue(
        deps.db,
        claims.map(({ id }) => Number(id)),
      )
    ).map((row) => [row.schedule.id, row]),
  );
  const ticking: Ticking[] = [];
  const early: { readonly claim: Claim; readonly row: DueRow }[] = [];
  for (const claim of claims) {
    const row = due.get(Number(claim.id));
    // Its file names it no more, or a person paused it.
    if (!row || row.schedule.paused) ends.set(claim, { dueInSeconds: null });
    else if (row.schedule.nextTickAt !== null && row.schedule.nextTickAt <= claim.now)
      ticking.push({ claim, row, nextTickAt: row.schedule.nextTickAt });
    else early.push({ claim, row });
  }
  await Promise.all(early.map(async (one) => ends.set(one.claim, await waitForTick(deps.db, one))));
  // A GitHub that is slow holds up no tick of our own host.
  const hosts = Map.groupBy(ticking, ({ row }) => row.repository.host);
  const ended = await Promise.all([...hosts.values()].map((each) => tickHost(deps, each)));
  for (const [claim, end] of ended.flatMap((each) => [...each])) ends.set(claim, end);
  return ends;
}

/** The ticks of repositories of one host, each bound to the commit of its default branch. */
async function tickHost(
  deps: ScheduleDeps,
  ticking: readonly Ticking[],
): Promise<ReadonlyMap<Claim, TickEnd>> {
  const ends = new Map<Claim, TickEnd>();
  const commits = await findTickCommits(
    deps,
    ticking.map(({ row }) => row),
  );
  const bound: (Ticking & { readonly commit: string })[] = [];
  for (const one of ticking) {
    const found = commits.get(one.row.repository.id);
    if (found?.kind === 'commit') bound.push({ ...one, commit: found.commit });
    else if (found?.kind === 'held') {
      await holdTicks(deps.db, one.claim, { reason: found.reason, seconds: heldSeconds });
      ends.set(one.claim, { saved: true });
    } else if (found?.kind === 'later') ends.set(one.claim, { dueInSeconds: 0 });
    else ends.set(one.claim, { error: found?.error });
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

/** What is looked at before its time waits for it; one that has no time yet gets it. */
async function waitForTick(
  db: Db,
  { claim, row: { schedule } }: { readonly claim: Claim; readonly row: DueRow },
): Promise<StepEnd> {
  const { nextTickAt, lastTickAt, cron, zone } = schedule;
  const next = nextTickAt ?? nextTick(cron, zone, latest(claim.now, lastTickAt));
  const moved = await moveTicks(db, [{ claim, read: schedule, nextTickAt: next, lastTickAt }]);
  return moved.size === 1 ? { saved: true } : { dueInSeconds: 0 };
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
