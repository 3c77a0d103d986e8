import type { Check, CheckAnnotation } from './core/check.ts';
import { lastLines } from './core/check/fit.ts';
import { runCheck } from './core/check/run-check.ts';
import type { Plan } from './core/plan.ts';
import { noticesOf } from './core/outcome/notices.ts';
import { isFinal } from './core/run.ts';
import { listAttempts, type Attempt } from './db/attempts.ts';
import { listArtifacts } from './db/blobs.ts';
import type { Db } from './db/connect.ts';
import { logTail } from './db/logs.ts';
import type { Run } from './db/runs.ts';

/** Lines of the first failure's log that a check shows. */
const tailLines = 30;
/** Enough for as many long lines; how much of them is shown is decided by the check. */
const tailBytes = 64 * 1024;

export type CheckedRun = Pick<
  Run,
  | 'id'
  | 'number'
  | 'task'
  | 'commit'
  | 'ref'
  | 'state'
  | 'reason'
  | 'requestedBy'
  | 'startedAt'
  | 'finishedAt'
> & { readonly plan: Plan; readonly project: { readonly name: string } };

/** Where the exceptions of a run came out, and how many are not among them. */
export type Traced = {
  readonly annotations: readonly CheckAnnotation[];
  readonly unread: { readonly tasks: number; readonly exceptions: number };
};

/** What a commit is to be told about a run, from its rows as they are in this transaction. */
export async function runCheckOf(
  db: Db,
  run: CheckedRun,
  url: string,
  { annotations, unread }: Traced = { annotations: [], unread: { tasks: 0, exceptions: 0 } },
): Promise<Check> {
  const rows = await listAttempts(db, run.id);
  const last = [...new Map(rows.map((row) => [row.task, row])).values()];
  // What was taken over from an earlier run was left by the attempt there.
  const artifacts = isFinal(run.state)
    ? await listArtifacts(
        db,
        last.map((row) => row.reusedFrom ?? row.id),
      )
    : [];
  const taskOf = new Map(last.map((row) => [row.reusedFrom ?? row.id, row.task]));
  const [failed] = inOrderOfEnd(last.filter((row) => row.state === 'failed'));
  return runCheck({
    project: run.project.name,
    number: run.number,
    task: run.task,
    commit: run.commit,
    ref: run.ref,
    state: run.state,
    reason: run.reason,
    seconds: secondsBetween(run.startedAt, run.finishedAt),
    tasks: last.map((row) => ({
      name: row.task,
      state: row.state,
      seconds: secondsBetween(row.startedAt, row.endedAt ?? row.finishedAt),
      attempt: row.number,
      class: row.class,
      reason: row.reason,
      pendingWhy: row.pendingWhy,
      phases: {
        waiting: secondsBetween(row.readyAt, row.preparedFrom),
        preparing: secondsBetween(row.preparedFrom, row.startedAt),
        running: secondsBetween(row.startedAt, row.endedAt),
        storing: secondsBetween(row.endedAt, row.storedAt),
      },
    })),
    artifacts: artifacts.map(({ id, attemptId, path, size }) => ({
      task: taskOf.get(attemptId) ?? '',
      path,
      size,
      url: new URL(`../api/v1/artifacts/${id}/content`, url).href,
    })),
    log: failed ? await tailOf(db, failed) : null,
    lastWords: failed?.lastWords ? { task: failed.task, said: failed.lastWords.said } : null,
    annotations,
    unread,
    requestedBy: run.requestedBy,
    notices: [...new Set(rows.flatMap(noticesOf))],
    command: `ame runs show ${run.project.name}#${run.number}`,
    externalId: `run:${run.id}`,
    url,
  });
}

async function tailOf(
  db: Db,
  attempt: Attempt,
): Promise<{ readonly task: string; readonly text: string } | null> {
  // The log is archived only after the run is over and its check has said so.
  const chunks = await logTail(db, attempt.id, tailBytes);
  if (chunks.length === 0) return null;
  const text = Buffer.concat(chunks.map((chunk) => chunk.bytes)).toString('utf8');
  return { task: attempt.task, text: lastLines(text, tailLines) };
}

/**
 * Attempts by when they ended, what goes on last. Those of one moment stay in the order of the plan: it is the first of
 * these that the run gives as its reason.
 */
export function inOrderOfEnd<T extends Pick<Attempt, 'finishedAt'>>(rows: readonly T[]): readonly T[] {
  const endOf = ({ finishedAt }: T): number => finishedAt?.getTime() ?? Number.MAX_SAFE_INTEGER;
  return rows.toSorted((a, b) => endOf(a) - endOf(b));
}

function secondsBetween(from: Date | null, to: Date | null): number | null {
  return from === null || to === null ? null : Math.max(0, (to.getTime() - from.getTime()) / 1_000);
}
