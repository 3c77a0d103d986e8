import type { Project, Reference } from '../project.ts';
import { noRun, quote, type Decision } from './decision.ts';

/**
 * The tasks that a trigger that said yes runs: those of its `run`, or `main`, or the only task. Where the file
 * leaves that open nothing runs, and the remedy is the two lines that say it.
 */
export function chooseTasks(
  project: Project,
  trigger: { readonly run: readonly Reference[] | null } | null,
  yes: Pick<Decision, 'rule' | 'line' | 'message'>,
): Decision {
  if (trigger?.run !== undefined && trigger.run !== null) {
    const tasks = [...new Set(trigger.run.map(({ name }) => name))];
    if (tasks.length > 0) return { outcome: 'run', tasks, ...yes, remedy: null };
    return noRun('run-empty', yes.line, '`run` names no task.', remedyFor(project, trigger !== null));
  }
  const task =
    project.tasks.find(({ name }) => name === 'main') ??
    (project.tasks.length === 1 ? project.tasks[0] : undefined);
  if (task !== undefined) return { outcome: 'run', tasks: [task.name], ...yes, remedy: null };
  const message = `There are ${project.tasks.length} tasks, none is called "main", and nothing says which one to run.`;
  return noRun('no-default-task', yes.line, message, remedyFor(project, trigger !== null));
}

function remedyFor(project: Project, hasTrigger: boolean): string | null {
  const last = project.tasks.at(-1);
  if (last === undefined) return null;
  return hasTrigger ? `run: [${quote(last.name)}]` : `on:\n  push: {run: [${quote(last.name)}]}`;
}
