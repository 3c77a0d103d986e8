import type { AttemptReport } from '../../src/core/attempt.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { BusyRule } from '../../src/core/project.ts';
import type { Placement } from '../../src/core/trigger/place-run.ts';
import { isFinal, type RunState } from '../../src/core/run.ts';
import type { RunStep, RunView, SeenAttempt } from '../../src/core/run/step.ts';
import { seenAttempt } from './step-view.ts';

/** What a worker holds of a row: as the rows of the queue have it. */
export type Lease = { readonly worker: number; readonly until: number; readonly now: number };

export type RunRow = {
  readonly id: number;
  readonly plan: Plan;
  readonly group: string;
  readonly whenBusy: BusyRule;
  reason: string | null;
  state: RunState;
  version: number;
  failure: RunView['failure'];
  cancel: RunView['cancel'];
  cancelCause: string | null;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** What its commit was told last. */
  told: RunState | null;
  dueAt: number | null;
  claimedBy: number | null;
  claimedUntil: number | null;
  failures: number;
};

export type AttemptRow = Omit<SeenAttempt, 'observation'> & {
  readonly id: number;
  readonly host: string | null;
};

/** The rows of some runs, and the rules of the queue about them. Times are milliseconds. */
export type Table = {
  clock: number;
  readonly runs: RunRow[];
  /** By run. */
  readonly attempts: Map<number, AttemptRow[]>;
  lastAttempt: number;
  /** Numbers of workers whose session is open. */
  readonly sessions: Set<number>;
  /** A rule that is left out, to see that it is missed. */
  readonly without: LeftOut | null;
};

/** Rules that the simulator can do without. */
export const leftOut = ['the check of claims', 'the door', 'the order of rows and starts'] as const;
export type LeftOut = (typeof leftOut)[number];

export class LostClaim extends Error {
  override name = 'LostClaim';
}

export const leaseMs = 60_000;
const lookMs = 10_000;
const tidyMs = 60_000;

export const beginning = 1_700_000_000_000;

export function createTable(without: LeftOut | null): Table {
  return {
    clock: beginning,
    runs: [],
    attempts: new Map(),
    lastAttempt: 0,
    sessions: new Set(),
    without,
  };
}

/** How a new run stands to the others. */
export type Standing = Omit<Placement, 'causeKey'>;

/** A new run of the group, and what gives way to it. */
export function insertRun(table: Table, plan: Plan, standing: Standing): RunRow {
  const { concurrencyGroup: group, whenBusy, superseded, supersedes } = standing;
  const id = table.runs.length + 1;
  for (const other of table.runs) {
    const isAsked = supersedes === 'all' || (supersedes === 'waiting' && other.startedAt === null);
    if (!isAsked || other.group !== group || other.finishedAt !== null || other.cancel !== null) continue;
    Object.assign(other, {
      cancel: 'superseded',
      cancelCause: `Superseded by #${id}.`,
      dueAt: table.clock,
    });
  }
  const run: RunRow = {
    id,
    plan,
    group,
    whenBusy,
    reason: null,
    state: 'queued',
    version: 0,
    failure: null,
    cancel: superseded === null ? null : 'superseded',
    cancelCause: superseded,
    startedAt: null,
    finishedAt: null,
    told: null,
    dueAt: table.clock,
    claimedBy: null,
    claimedUntil: null,
    failures: 0,
  };
  table.runs.push(run);
  table.attempts.set(
    id,
    plan.tasks.map(({ name: task }, position) => waiting(table, { task, position, number: 1 }, {})),
  );
  return run;
}

function waiting(
  table: Table,
  at: Pick<AttemptRow, 'task' | 'position' | 'number'>,
  given: Partial<AttemptRow>,
): AttemptRow {
  const row = seenAttempt({ ...at, state: 'waiting', queuedAt: null, readyAt: null, ...given });
  return { ...row, id: (table.lastAttempt += 1), host: null };
}

/** The oldest row that is due and that nobody holds. */
export function claim(table: Table, worker: number): { readonly run: RunRow; readonly lease: Lease } | null {
  const { clock: now } = table;
  const [run] = table.runs
    .filter(
      ({ dueAt, claimedUntil }) =>
        dueAt !== null && dueAt <= now && (claimedUntil === null || claimedUntil <= now),
    )
    .sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0));
  if (run === undefined) return null;
  const until = now + leaseMs;
  Object.assign(run, { claimedBy: worker, claimedUntil: until, dueAt: until });
  return { run, lease: { worker, until, now } };
}

function isHeld(table: Table, run: RunRow, lease: Lease): boolean {
  return run.claimedBy === lease.worker && run.claimedUntil === lease.until && lease.until > table.clock;
}

function giveBack(run: RunRow, next: number | null): void {
  // A wake that came in between stays.
  if (run.dueAt === run.claimedUntil) run.dueAt = next;
  run.claimedBy = null;
  run.claimedUntil = null;
}

/** Gives a row back without a save; of a claim that was lost nothing is. */
export function release(table: Table, run: RunRow, lease: Lease, inMs: number | null): void {
  if (isHeld(table, run, lease)) giveBack(run, inMs === null ? null : table.clock + inMs);
}

/** Frees what was held under numbers whose session is gone. */
export function releaseDead(table: Table): void {
  for (const run of table.runs) {
    if (run.claimedBy === null || table.sessions.has(run.claimedBy)) continue;
    Object.assign(run, { claimedBy: null, claimedUntil: null, dueAt: table.clock });
  }
}

/** One transaction: all that a step says, or nothing. Answers with the attempts as they are now. */
export function saveStep(
  table: Table,
  read: RunRow,
  lease: Lease,
  step: RunStep,
  host: string | null,
): readonly AttemptRow[] {
  const run = runOf(table, read.id);
  const isStale = run.version !== read.version || !isHeld(table, run, lease);
  if (isStale && table.without !== 'the check of claims') throw new LostClaim();
  const rows = attemptsOf(table, run.id);
  for (const { position, number, from, to } of step.changes) {
    const at = rows.findIndex((row) => row.position === position && row.number === number);
    const row = rows[at];
    if (row === undefined || row.finishedAt !== null) continue;
    rows[at] = {
      ...row,
      state: to.state,
      class: to.class,
      reason: to.reason,
      exitCode: to.exitCode,
      signal: to.signal,
      queuedAt: to.queuedAt,
      readyAt: to.readyAt,
      resources: to.resources,
      startedAt: to.startedAt,
      finishedAt: to.finishedAt,
      stopReason: to.stopReason,
      ...(from === 'waiting' && to.state === 'queued' ? { host } : {}),
    };
  }
  for (const { task, position, number, notBefore, resources } of step.retries) {
    const isThere = rows.some((row) => row.position === position && row.number === number);
    if (!isThere) rows.push(waiting(table, { task, position, number }, { notBefore, resources }));
  }
  const final = isFinal(step.state);
  const now = new Date(lease.now);
  const isNews = step.state !== run.state;
  run.startedAt ??= step.state === 'queued' || step.state === 'cancelled' ? null : now;
  Object.assign(run, { state: step.state, failure: step.failure, version: run.version + 1, failures: 0 });
  run.reason = step.failure?.reason ?? run.reason ?? (final ? run.cancelCause : null);
  run.finishedAt = final ? now : null;
  if (isNews) run.told = step.state;
  const looks = step.lookAgainAt === null ? lookMs : Math.max(0, step.lookAgainAt.getTime() - lease.now);
  giveBack(run, table.clock + (final ? tidyMs : Math.min(lookMs, looks)));
  return rows;
}

/** Whoever waits for a run of the group that is over is looked at; a row that is being saved is passed by. */
export function wakeGroup(table: Table, group: string): void {
  for (const run of table.runs)
    if (run.group === group && run.whenBusy === 'queue' && run.finishedAt === null && run.startedAt === null)
      run.dueAt = table.clock;
}

/** The agent's word on an attempt; false where it is over. */
export function say(
  table: Table,
  attempt: number,
  word: { startedAt: Date } | { report: AttemptReport },
): boolean {
  for (const [run, rows] of table.attempts) {
    const at = rows.findIndex((row) => row.id === attempt);
    const row = rows[at];
    if (row === undefined) continue;
    if (row.finishedAt !== null) return false;
    rows[at] =
      'report' in word
        ? { ...row, report: row.report ?? word.report }
        : { ...row, saidStartedAt: row.saidStartedAt ?? word.startedAt };
    runOf(table, run).dueAt = table.clock;
    return true;
  }
  return false;
}

export function runOf(table: Table, id: number): RunRow {
  const run = table.runs[id - 1];
  if (run === undefined) throw new Error(`there is no run ${id}`);
  return run;
}

export function attemptsOf(table: Table, run: number): AttemptRow[] {
  return table.attempts.get(run) ?? [];
}
