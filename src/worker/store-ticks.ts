import type { Plan } from '../core/plan.ts';
import { decideTicks, type TickDecision } from '../core/schedule/due.ts';
import { scheduleGroup } from '../core/schedule/group.ts';
import { nextTick } from '../core/schedule/ticks.ts';
import { inTransaction, type Db } from '../db/connect.ts';
import { insertDecisions, type NewDecision } from '../db/deliveries.ts';
import { ClaimLostError, release, type Claim } from '../db/due.ts';
import { supersede } from '../db/run-groups.ts';
import { findRun } from '../db/runs.ts';
import { latest } from '../db/schedules.ts';
import {
  countActive,
  insertTickRuns,
  lockProjects,
  moveTicks,
  type DueRow,
  type MadeTickRun,
  type NewTickRun,
} from '../db/ticks.ts';
import type { Log } from '../log.ts';
import type { StepEnd } from './loop.ts';

export type StoreTickDeps = { readonly db: Db; readonly log: Log };

/** The plan of a tick's task, or what is wrong with the file. */
export type Planned =
  | { readonly plan: Plan; readonly digest: string }
  | { readonly fault: { readonly code: string; readonly message: string } };

/** A schedule that is due, with everything that its ticks are bound to. */
export type Tick = {
  readonly claim: Claim;
  readonly row: DueRow;
  readonly commit: string;
  readonly nextTickAt: Date;
  readonly planned: Planned;
};

type Ends = ReadonlyMap<Claim, StepEnd | { readonly error: unknown }>;

/** Decides the ticks and stores it all in one transaction: runs, what was skipped and why, and the next ticks. */
export async function storeTicks(deps: StoreTickDeps, items: readonly Tick[]): Promise<Ends> {
  if (items.length === 0) return new Map();
  const stored = await inTransaction(deps.db, async (tx) => {
    await lockProjects(tx, [...new Set(items.map(({ row }) => row.project.id))]);
    const active = await countActive(
      tx,
      items.map(({ row }) => ({ projectId: row.project.id, group: groupOf(row) })),
    );
    const decided = items.map((item) => {
      const { row, claim, nextTickAt } = item;
      const runs = active.get(groupOf(row)) ?? { number: null, waiting: 0 };
      return { item, decision: decideTicks({ ...row.schedule, nextTickAt }, runs, claim.now) };
    });
    const held = await moveTicks(
      tx,
      decided.map(({ item: { claim, row }, decision: { lastTickAt } }) => ({
        claim,
        read: row.schedule,
        lastTickAt,
        nextTickAt: nextTick(row.schedule.cron, row.schedule.zone, latest(claim.now, lastTickAt)),
      })),
    );
    const kept = decided.filter(({ item }) => held.has(item.row.schedule.id));
    const rows = kept.flatMap(({ item, decision }) => newRunsOf(item, decision));
    const made = await insertTickRuns(tx, rows);
    const byCause = new Map(made.map((run) => [keyOf(run), run]));
    await insertDecisions(
      tx,
      kept.flatMap(({ item, decision }) => decisionsOf(item, decision, byCause)),
    );
    for (const { item, decision } of kept) await supersedeWaiting(tx, item, decision, byCause);
    const tasks = new Map(rows.map((row) => [keyOf(row), row.task]));
    const created = made.filter((run) => run.created);
    return { held, made: created.map((run) => ({ run: run.id, task: tasks.get(keyOf(run)) })) };
  });
  const ends = new Map<Claim, StepEnd | { readonly error: unknown }>();
  for (const { claim, row } of items) {
    if (stored.held.has(row.schedule.id)) ends.set(claim, { saved: true });
    else ends.set(claim, await giveBackChanged(deps.db, claim));
  }
  for (const { run, task } of stored.made) deps.log.info({ run, task, trigger: 'tick' }, 'run decided');
  deps.log.info({ schedules: stored.held.size, runs: stored.made.length }, 'schedules ticked');
  return ends;
}

/** A push changed it since it was read, or the claim was lost. */
async function giveBackChanged(db: Db, claim: Claim): Promise<StepEnd | { readonly error: unknown }> {
  if (await release(db, claim, 0)) return { saved: true };
  return { error: new ClaimLostError(`schedule ${claim.id} is no longer held by this worker`) };
}

function groupOf({ project, schedule }: DueRow): string {
  return scheduleGroup(project.id, schedule.name);
}

/** The name and not the row says what is one and the same tick: a schedule that is removed and comes back keeps its ticks. */
function causeOf({ row }: Tick, at: Date): string {
  return `tick:${row.schedule.name}:${at.toISOString()}`;
}

function keyOf({ projectId, causeKey }: Pick<NewTickRun, 'projectId' | 'causeKey'>): string {
  return `${projectId} ${causeKey}`;
}

function newRunsOf(item: Tick, { runs }: TickDecision): readonly NewTickRun[] {
  const { row, commit, planned } = item;
  if ('fault' in planned) return [];
  return runs.map(({ at, whenBusy }) => ({
    projectId: row.project.id,
    task: row.schedule.task,
    commit,
    ref: `refs/heads/${row.repository.defaultBranch}`,
    causeKey: causeOf(item, at),
    plan: planned.plan,
    planDigest: planned.digest,
    concurrencyGroup: groupOf(row),
    whenBusy,
  }));
}

function decisionsOf(
  item: Tick,
  { runs, skipped }: TickDecision,
  made: ReadonlyMap<string, MadeTickRun>,
): readonly NewDecision[] {
  const { row, commit, planned } = item;
  const about = {
    projectId: row.project.id,
    repositoryId: row.repository.id,
    commit,
    trigger: 'tick',
    schedule: row.schedule.name,
    task: row.schedule.task,
    line: row.schedule.line,
  };
  const ran = runs.map(({ at, rule, message }): NewDecision => {
    const tick = { ...about, tickAt: at, ticks: 1 };
    if ('fault' in planned) {
      const { code, message: said } = planned.fault;
      return { ...tick, outcome: 'problems', rule: code, message: said };
    }
    const run = made.get(`${row.project.id} ${causeOf(item, at)}`);
    if (!run) throw new Error(`the tick of ${at.toISOString()} has no run`);
    return { ...tick, outcome: 'run', rule, message, runId: run.id };
  });
  const not = skipped.map(({ at, count, rule, message }): NewDecision => ({
    ...about,
    tickAt: at,
    ticks: count,
    outcome: 'no_run',
    rule,
    message,
  }));
  return [...not, ...ran];
}

async function supersedeWaiting(
  tx: Db,
  item: Tick,
  { runs }: TickDecision,
  made: ReadonlyMap<string, MadeTickRun>,
): Promise<void> {
  for (const { at, supersedes } of runs) {
    const row = made.get(`${item.row.project.id} ${causeOf(item, at)}`);
    if (!supersedes || !row?.created) continue;
    const run = await findRun(tx, row.id);
    if (run) await supersede(tx, run, 'waiting', `Superseded by #${row.number}.`);
  }
}
