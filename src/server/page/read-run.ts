import type { LogSource } from '../../attempt/log.ts';
import { noticesOf } from '../../core/outcome/notices.ts';
import { isFinal } from '../../core/run.ts';
import { listAttempts, type Attempt } from '../../db/attempts.ts';
import { listArtifacts, type StoredArtifact } from '../../db/blobs.ts';
import { listChecks, type CheckRow } from '../../db/checks.ts';
import { listDecisions, type Decision } from '../../db/deliveries.ts';
import { listRevisions } from '../../db/projects.ts';
import { findRun, listRetries, type PlacedRun, type Run } from '../../db/runs.ts';
import type { Problem } from '../../core/problems.ts';
import { readTail, type LogTail } from './log-tail.ts';

/** All tries of one task, oldest first, the last one apart. */
export type TaskView = {
  readonly name: string;
  readonly last: Attempt;
  readonly earlier: readonly Attempt[];
};

export type LogView = {
  readonly attempt: Attempt;
  /** `null` where the reader has it already. */
  readonly tail: LogTail | null;
};

export type RunView = {
  readonly run: PlacedRun;
  readonly tasks: readonly TaskView[];
  readonly artifacts: readonly (StoredArtifact & { readonly task: string })[];
  /** What the reader chose, or else the one of most interest. */
  readonly log: LogView | null;
  readonly problems: readonly Problem[];
  readonly decisions: readonly Decision[];
  readonly checks: readonly CheckRow[];
  /** Of the run that this one repeats, or that others repeat; in order, this one among them. */
  readonly repeats: readonly Pick<Run, 'id' | 'number'>[];
  readonly notices: readonly string[];
  readonly now: Date;
};

export type Asked = {
  readonly id: number;
  /** The attempt whose log is asked for. */
  readonly attempt: number | null;
  /** The attempt whose log the reader already follows. */
  readonly following: number | null;
};

/** Everything that the page of a run shows, as its rows are now. */
export async function readRun(source: LogSource, asked: Asked): Promise<RunView | undefined> {
  const { db } = source;
  const now = new Date();
  const run = await findRun(db, asked.id);
  if (!run) return undefined;
  const first = run.retryOf ?? run.id;
  const [attempts, decisions, checks, revisions, original, retries] = await Promise.all([
    listAttempts(db, run.id),
    listDecisions(db, { run: run.id }),
    listChecks(db, { sha: run.commit, repositoryId: run.repository.id, runId: run.id }),
    listRevisions(db, run.commit),
    first === run.id ? run : findRun(db, first),
    listRetries(db, first),
  ]);
  const tasks = byTask(attempts);
  const shown = attempts.find(({ id }) => id === asked.attempt) ?? mostInteresting(tasks, run);
  const followed = shown !== undefined && shown.id === asked.following;
  const [artifacts, tail] = await Promise.all([
    artifactsOf(source, tasks),
    // What was taken over from an earlier run has its log there.
    shown === undefined || followed ? null : readTail(source, shown.reusedFrom ?? shown.id),
  ]);
  return {
    run,
    tasks,
    artifacts,
    log: shown === undefined ? null : { attempt: shown, tail },
    problems: revisions.find((revision) => revision.projectId === run.projectId)?.problems ?? [],
    decisions,
    checks: checks.filter((check) => check.runId === null || check.runId === run.id),
    repeats: retries.length === 0 || !original ? [] : [original, ...retries],
    notices: [...new Set(attempts.flatMap(noticesOf))],
    now,
  };
}

function byTask(attempts: readonly Attempt[]): readonly TaskView[] {
  const groups = Map.groupBy(attempts, (attempt) => attempt.task);
  return [...groups].flatMap(([name, tries]) => {
    const last = tries.at(-1);
    return last === undefined ? [] : [{ name, last, earlier: tries.slice(0, -1) }];
  });
}

/** What failed first explains a run; before that it is what runs, the oldest so that it stays; and else what ended last. */
function mostInteresting(tasks: readonly TaskView[], run: Run): Attempt | undefined {
  const last = tasks.map((task) => task.last);
  const failed = last.filter(({ state }) => state === 'failed');
  const running = isFinal(run.state) ? [] : last.filter(({ state }) => state === 'running');
  const begun = last.filter(({ startedAt }) => startedAt !== null);
  return (
    inOrder(running, 'startedAt')[0] ??
    inOrder(failed, 'finishedAt')[0] ??
    inOrder(begun, 'endedAt').at(-1) ??
    begun.at(-1)
  );
}

function inOrder(
  attempts: readonly Attempt[],
  by: 'startedAt' | 'endedAt' | 'finishedAt',
): readonly Attempt[] {
  return attempts
    .filter((attempt) => attempt[by] !== null)
    .toSorted((a, b) => (a[by]?.getTime() ?? 0) - (b[by]?.getTime() ?? 0));
}

async function artifactsOf({ db }: LogSource, tasks: readonly TaskView[]): Promise<RunView['artifacts']> {
  const origins = new Map(tasks.map(({ last }) => [last.reusedFrom ?? last.id, last]));
  const rows = await listArtifacts(db, [...origins.keys()]);
  return rows
    .map((row) => ({ ...row, of: origins.get(row.attemptId) }))
    .toSorted((a, b) => (a.of?.position ?? 0) - (b.of?.position ?? 0))
    .map(({ of, ...row }) => ({ ...row, task: of?.task ?? '' }));
}
