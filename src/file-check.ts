import type { Check } from './core/check.ts';
import { fileCheck } from './core/check/file-check.ts';
import type { ScheduleReport } from './core/check/schedule-lines.ts';
import type { Problem } from './core/problems.ts';
import { shownTicksOf } from './core/schedule/show.ts';
import type { Decision } from './core/trigger/decision.ts';
import type { Db } from './db/connect.ts';
import type { Decision as DecisionRow } from './db/deliveries.ts';
import { findProjectAt, findRevision, listRevisions } from './db/projects.ts';
import { listRunsById } from './db/runs.ts';
import { listPausedNames } from './db/schedule-list.ts';

export type Decided = {
  readonly repositoryId: number;
  readonly commit: string;
  /** Of a server's pages, without a slash at its end. */
  readonly address: string;
  readonly project: string | null;
  readonly problems: readonly Problem[];
  /** In the order in which they were made; those of one ref, or of every ref that leads to the commit. */
  readonly decisions: readonly DecisionRow[];
};

/**
 * What is said of a file at a commit, given what was decided about it. Several refs may lead to one commit, and one
 * that runs nothing takes nothing back of what another one runs.
 */
export async function fileCheckOf(db: Db, decided: Decided): Promise<Check> {
  const { repositoryId, commit, address, project, problems, decisions } = decided;
  const ids = decisions.flatMap(({ runId }) => (runId === null ? [] : [runId]));
  const [runs, schedules] = await Promise.all([
    listRunsById(db, [...new Set(ids)]),
    schedulesAt(db, repositoryId, commit),
  ]);
  return fileCheck({
    project,
    problems,
    decision: foldDecisions(decisions),
    schedules,
    runs: runs.map(({ id, number, task }) => ({ number, task, url: `${address}/runs/${id}` })),
    externalId: `file:${repositoryId}:${commit}`,
    url: `${address}/commits/${commit}?repository=${repositoryId}`,
  });
}

function foldDecisions(rows: readonly DecisionRow[]): Decision | null {
  const running = rows.filter(({ outcome }) => outcome === 'run');
  const said = running[0] ?? rows.at(-1);
  if (said === undefined) return null;
  const tasks = [...new Set(running.flatMap(({ task }) => (task === null ? [] : [task])))];
  const { rule, line, message, remedy } = said;
  return { outcome: running.length > 0 ? 'run' : 'no-run', tasks, rule, line, message, remedy };
}

/**
 * What the file of a commit means for the schedules of its project; `null` where it means nothing. The ticks are the
 * next ones after the file was read, so that a check which is told again says the same.
 */
async function schedulesAt(db: Db, repositoryId: number, commit: string): Promise<ScheduleReport | null> {
  const project = await findProjectAt(db, repositoryId, '');
  if (!project) return null;
  const [revision] = await listRevisions(db, commit, { repositoryId });
  if (!revision) return null;
  const current = project.revisionId === null ? undefined : await findRevision(db, project.revisionId);
  const said = revision.project ?? current?.project ?? null;
  if (!said || said.recurringTasks.length === 0) return null;
  const state = revision.project === null ? 'kept' : current?.id === revision.id ? 'follow' : 'elsewhere';
  const paused = new Set(state === 'elsewhere' ? [] : await listPausedNames(db, project.id));
  return {
    state,
    commit: state === 'kept' ? (current?.commit ?? null) : null,
    schedules: said.recurringTasks.map((task) => ({
      name: task.name,
      task: task.taskref.name,
      zone: task.timezone,
      ticks: shownTicksOf(task, revision.createdAt),
      paused: paused.has(task.name),
    })),
  };
}
