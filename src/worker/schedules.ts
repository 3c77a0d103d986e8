import { nextTick } from '../core/schedule/ticks.ts';
import { isDatabaseAway, type Db } from '../db/connect.ts';
import type { Claim } from '../db/due.ts';
import { latest } from '../db/schedules.ts';
import { listDue, moveTicks, type DueRow } from '../db/ticks.ts';
import { decideLooked, type Looked, type Ticking } from './looked-ticks.ts';
import type { StepEnd } from './loop.ts';
import type { StoreTickDeps } from './store-ticks.ts';
import { findTickCommits, type TickCommitDeps } from './tick-commits.ts';
import type { EndStep, TickEnd } from './tick-together.ts';

export type ScheduleDeps = TickCommitDeps & StoreTickDeps;

/** Schedules that are decided together after the database was away: a step that is too much for it looks the same. */
const togetherAgain = 25;

/**
 * One step of any number of schedules that were claimed together: what their ticks become, in one transaction with the
 * move to the next tick, so that a tick is one run whatever breaks where. Those whose commit is known are decided while
 * GitHub is still asked about others. Says of each claim how its step ended, and throws only where the database is away.
 */
export async function tickSchedules(
  deps: ScheduleDeps,
  claims: readonly Claim[],
  end: EndStep,
): Promise<void> {
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
    if (!row || row.schedule.paused) end(claim, { dueInSeconds: null });
    else if (row.schedule.nextTickAt !== null && row.schedule.nextTickAt <= claim.now)
      ticking.push({ claim, row, nextTickAt: row.schedule.nextTickAt });
    else early.push({ claim, row });
  }
  await Promise.all(early.map((one) => decideApart(one, end, () => waitForTick(deps.db, one))));
  const byRepository = Map.groupBy(ticking, ({ row }) => row.repository.id);
  const commits = findTickCommits(
    deps,
    ticking.map(({ row }) => row),
  );
  for await (const found of commits) {
    const looked = found.flatMap((one) =>
      (byRepository.get(one.repositoryId) ?? []).map((each): Looked => ({ ...each, found: one.found })),
    );
    const fresh = looked.filter(({ claim }) => claim.postponed === 0);
    const again = looked.filter(({ claim }) => claim.postponed > 0);
    await decideTogether(deps, fresh, end);
    for (let at = 0; at < again.length; at += togetherAgain)
      await decideTogether(deps, again.slice(at, at + togetherAgain), end);
  }
}

/** Where the whole fails each is tried alone, so that one bad row holds up no other. */
async function decideTogether(deps: ScheduleDeps, looked: readonly Looked[], end: EndStep): Promise<void> {
  if (looked.length === 0) return;
  try {
    for (const [claim, how] of await decideLooked(deps, looked)) end(claim, how);
  } catch (error) {
    if (isDatabaseAway(error)) throw error;
    for (const one of looked)
      await decideApart(one, end, async () => (await decideLooked(deps, [one])).get(one.claim));
  }
}

async function decideApart(
  { claim }: { readonly claim: Claim },
  end: EndStep,
  decide: () => Promise<TickEnd | undefined>,
): Promise<void> {
  try {
    end(claim, (await decide()) ?? { dueInSeconds: 0 });
  } catch (error) {
    if (isDatabaseAway(error)) throw error;
    end(claim, { error });
  }
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
